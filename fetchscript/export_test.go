package fetchscript

// DropIdle ends the engines or processes of a script that are ready.
func DropIdle(s *Script) {
	own := placesOf(s)
	own.pool.remove(func(r resting) bool { return r.owner == own })
}

func placesOf(s *Script) *places {
	if c, is := s.machine.(*children); is {
		return c.places
	}
	return s.machine.(*engines).places
}

// Redact is what messages go through.
func Redact(secrets, bodies []string, text string) string {
	r := newRedactor(secrets)
	for _, body := range bodies {
		r.answered(body)
	}
	return r.clean(text)
}

// Idle counts the engines or processes of a script that are ready.
func Idle(s *Script) (n int) {
	own := placesOf(s)
	own.pool.mu.Lock()
	defer own.pool.mu.Unlock()
	for _, r := range own.pool.ready {
		if r.owner == own {
			n++
		}
	}
	return n
}

// IsolationOf starts children of another binary.
func IsolationOf(executable string) *Isolation { return &Isolation{executable, PublicOnly()} }

// Public is the rule of PublicOnly.
var Public = public
