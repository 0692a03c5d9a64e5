package login

// An ask is one thing that a login asked the IdP for.
type ask struct {
	Name      string      `json:"n"`
	Value     string      `json:"v,omitempty"`
	Items     [][2]string `json:"i,omitempty"` // what came in, and what was sent for it
	Essential bool        `json:"e,omitempty"`
}

// A Check says of one thing that a login asked the IdP for what was got.
type Check struct {
	Name string
}
