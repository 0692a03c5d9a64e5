package fetchscript

// DropIdle closes the engines or processes of a script that are ready.
func DropIdle(s *Script) {
	s.machine.close()
	switch m := s.machine.(type) {
	case *pool:
		m.closed = false
	case *children:
		m.closed = false
	}
}

// Redact is what messages go through.
func Redact(secrets, bodies []string, text string) string {
	r := newRedactor(secrets)
	for _, body := range bodies {
		r.answered(body)
	}
	return r.clean(text)
}

// Idle counts the engines of a script that are ready.
func Idle(s *Script) int {
	p := s.machine.(*pool)
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.idle)
}

// IsolationOf starts children of another binary.
func IsolationOf(executable string) *Isolation { return &Isolation{executable, PublicOnly()} }

// Public is the rule of PublicOnly.
var Public = public
