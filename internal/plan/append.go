package plan

// This file makes the URL of one login, in one pass over the steps and without a
// decision that the configuration has already made. The explanation (explain.go)
// goes the same way and takes notes; the two are held equal by this package's
// tests and by the root's fuzzers.

import (
	"encoding/binary"
	"net/url"
	"strings"

	"example.com/upstream/internal/query"
	"example.com/upstream/internal/rule"
)

// MaxURL bounds a URL, in bytes: a few parameters of a request could otherwise be
// sent under hundreds of names.
const MaxURL = 32 << 10

// Append writes the URL, unless that would be longer than MaxURL. What does not
// come from the input has been encoded before. It allocates nothing where there is
// room and no rule makes a value.
func (p *Plan) Append(dst []byte, in *Input) (_ []byte, ok bool) {
	if p.formPost {
		p.prepare(in)
	}
	// Looked at before each step, so that a request that names hundreds of
	// parameters costs no more than one URL that is too long.
	limit := len(dst) + MaxURL
	question, code := len(dst)+int(p.base), p.code()
	for at, i := uint(0), 0; ; i++ {
		head := binary.LittleEndian.Uint64(code[at : at+headSize])
		from := at + headSize
		at = from + uint(head>>32)
		text := code[from:at]
		if len(dst)+len(text) > limit {
			return dst, false
		}
		switch n := uint(head >> 8 & most); kind(head) {
		case forwarded:
			if value := in.Values[n]; value != "" {
				dst = query.AppendPair(dst, text, value)
			}
		case constant:
			dst = append(dst, text...)
			i += int(n) - 1
		case preset:
			if in.Values[n] == "" {
				dst = append(dst, text...)
				continue
			}
			fallthrough
		case mapped:
			dst = p.appendMapped(dst, i, in)
		case challenge: // base64url stands for itself
			if len(in.Challenge) > 0 {
				dst = append(append(dst, text...), in.Challenge...)
			}
		default:
			dst[question] = '?' // was the first pair's "&"; layer 1 always has one
			return dst, true
		}
	}
}

// appendMapped writes the first candidate that has a value. A candidate with
// several values (RFC 8707 section 2: one resource parameter for each) wins as a
// whole as soon as one of them passes; the others are refused, not replaced by a
// lower layer's.
func (p *Plan) appendMapped(dst []byte, i int, in *Input) []byte {
	s, candidates, before := &p.steps[i], p.of(i), len(dst)
	for i := range candidates {
		c := &candidates[i]
		if c.source != None && in.Values[c.source] == "" { // as often as not
			continue
		}
		if c.isConstant() {
			return append(dst, p.textOf(c.text)...)
		}
		size := c.size(in)
		for j := range c.values(in) {
			if value := p.at(c, in, j, size); value != "" {
				dst = query.AppendPair(dst, p.textOf(s.text), value)
			}
		}
		if len(dst) > before || c.suppresses() && !c.dropped(in) {
			break
		}
	}
	return dst
}

// values gives how many values there are to look at.
func (c *candidate) values(in *Input) int {
	if c.many {
		return len(in.Resources)
	}
	return 1
}

// came gives the i-th value that came in.
func (c *candidate) came(in *Input, i int) string {
	switch {
	case c.many:
		return in.Resources[i]
	case c.source == None:
		return ""
	}
	return in.Values[c.source]
}

// static gives the value of a static candidate, decoded.
func (p *Plan) static(c *candidate) string {
	_, value, _ := strings.Cut(string(p.textOf(c.text)), "=")
	value, _ = url.QueryUnescape(value) // it was escaped by link
	return value
}

// size gives how long several values are together, where that matters: the bound
// on what a pattern is held against (rule P1) is one for all, or a request could
// multiply it by repeating the parameter.
func (c *candidate) size(in *Input) (n int) {
	if c.many && c.rule != nil {
		for _, value := range in.Resources {
			n += len(value)
		}
	}
	return n
}

// at gives the i-th value, "" for none, of values of that size.
func (p *Plan) at(c *candidate, in *Input, i, size int) string {
	switch {
	case c.source != None && !c.many && in.Values[c.source] == "": // before more is looked at
		return ""
	case c.dropped(in), c.rare != nil && c.rare.formPost && !in.asksForUser:
		return ""
	case c.source == None:
		return p.static(c)
	case c.rare != nil && c.rare.scopes != nil:
		return rule.MergeScopes(in.Values[c.source], c.rare.scopes.Own, string(rune(c.rare.scopes.Sep)))
	}
	if c.many {
		return c.rule.Part(in.Resources[i], size)
	}
	return c.rule.Apply(in.Values[c.source])
}

// dropped reports whether the input has what the candidate may not stand beside.
// (rule B2)
func (c *candidate) dropped(in *Input) bool { return c.inTheWay(in) != None }

func (c *candidate) inTheWay(in *Input) Source {
	if c.rare != nil {
		for _, s := range c.rare.unless {
			if in.Values[s] != "" {
				return s
			}
		}
	}
	return None
}

// Fetch reads a byte of each cache line that Append will read, of a usual plan. Those of
// most tenants are in no cache: as Append comes to them, it would wait for one after the
// other, and so they are on their way together.
func (p *Plan) Fetch(in *Input) {
	c := &p.short
	in.fetched = c[0] | c[64] | c[128] | c[192] | c[256] | c[320] | c[384] | c[448] // or the compiler would leave it out
}

// prepare finds out what one parameter has to know of another: whether the scope
// that is sent has name or email in it. Apple takes such a request with
// response_mode=form_post alone. (rule O9)
func (p *Plan) prepare(in *Input) {
	scope := in.Scope
	for i := 0; i < len(p.steps) && scope == ""; i++ {
		if string(p.textOf(p.steps[i].text)) == "&scope=" {
			scope, _ = p.value(p.of(i), in)
		}
	}
	in.asksForUser = hasItem(scope, "name") || hasItem(scope, "email")
}

// hasItem reports whether a scope, of items separated by spaces or commas, has one.
func hasItem(scope, item string) bool {
	for scope != "" {
		end := strings.IndexAny(scope, " ,")
		if end < 0 {
			end = len(scope)
		}
		if scope[:end] == item {
			return true
		}
		scope = scope[min(end+1, len(scope)):]
	}
	return false
}

// value gives the value of the first candidate that has one, and what incoming
// parameter it is from.
func (p *Plan) value(candidates []candidate, in *Input) (string, Source) {
	for i := range candidates {
		c := &candidates[i]
		size := c.size(in)
		for j := range c.values(in) {
			if value := p.at(c, in, j, size); value != "" {
				return value, c.source
			}
		}
		if c.suppresses() && !c.dropped(in) {
			break
		}
	}
	return "", None
}

// Sends reports whether some parameter gets a value from source for which f
// holds. It looks at the value that would be sent, after rules, and only where
// source is what wins.
func (p *Plan) Sends(source Source, in *Input, f func(value string) bool) bool {
	for i := range p.steps {
		for j := range p.of(i) {
			if p.of(i)[j].source != source {
				continue
			}
			if value, from := p.value(p.of(i), in); from == source && f(value) {
				return true
			}
		}
	}
	return false
}

// protocolValue gives the value of a step of layer 1 that changes by request.
func (s *step) protocolValue(in *Input) string {
	if s.kind == challenge {
		return string(in.Challenge)
	}
	return in.Values[s.n]
}
