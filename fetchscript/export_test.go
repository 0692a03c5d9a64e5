package fetchscript

// DropIdle closes the engines of a script that are ready.
func DropIdle(s *Script) {
	p := s.machine.(*pool)
	p.close()
	p.closed = false
}

// Redact is what messages go through.
func Redact(secrets, bodies []string, text string) string {
	r := newRedactor(secrets)
	for _, body := range bodies {
		r.answered(body)
	}
	return r.clean(text)
}
