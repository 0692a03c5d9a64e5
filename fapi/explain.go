package fapi

// This file owns the explanation of what an authorization request comes to
// here. It pushes nothing.

import "example.com/upstream"

// An Explanation says what is sent for one authorization request, where, and how
// it is protected. It is for operators: values of the request stand in it.
type Explanation struct {
	// Explanation is upstream's: each parameter with its value and its layer.
	// Where Pushed is not "", these are the parameters that are pushed.
	upstream.Explanation

	Pushed         string   `json:"pushed,omitempty"`                // the endpoint they are pushed to; "" where the browser carries them
	RequestObject  string   `json:"request_object,omitempty"`        // the algorithm that signs them, "" where they are not signed
	Authentication string   `json:"client_authentication,omitempty"` // of the client, at the token endpoint and of the push
	DPoP           string   `json:"dpop,omitempty"`                  // the algorithm of proofs; dpop_jkt, the thumbprint of a login's key, is then sent as well
	MutualTLS      bool     `json:"mutual_tls,omitempty"`
	Browser        []string `json:"browser"` // the names of the parameters that the browser carries
}

// Explain tells what AuthorizationURL does for the same arguments, without
// doing it. The error is that of [upstream.Provider.Explain].
func (c *Client) Explain(req *upstream.AuthorizeRequest, tx upstream.Transaction) (Explanation, error) {
	if q := c.get(); q != nil {
		return q.explain(req, tx)
	}
	return Explanation{}, errNoClient()
}

func (c *client) explain(req *upstream.AuthorizeRequest, tx upstream.Transaction) (Explanation, error) {
	plan, err := c.provider.Explain(req, tx)
	if err != nil {
		return Explanation{}, err
	}
	out := Explanation{Explanation: plan, Authentication: c.method, DPoP: c.dpop, MutualTLS: c.options.MutualTLS}
	if c.sign != nil {
		out.RequestObject = c.sign.alg
	}
	switch {
	case c.push:
		out.Pushed = c.metadata.pushEndpoint
		if alias := c.metadata.aliases[out.Pushed]; c.options.MutualTLS && alias != "" {
			out.Pushed = alias
		}
		out.Browser = []string{"client_id", "request_uri"}
	case c.sign != nil:
		out.Browser = []string{"client_id", "request"}
	default:
		for _, d := range plan.Parameters {
			if d.Sent {
				out.Browser = append(out.Browser, d.Name)
			}
		}
		if c.dpop != "" {
			out.Browser = append(out.Browser, "dpop_jkt")
		}
	}
	return out, nil
}
