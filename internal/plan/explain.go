package plan

// This file says why: it goes the way of append.go and takes notes. It may
// allocate; it must not decide. Each reason names the layer, and quotes no value:
// a row has those in fields of their own, which callers can redact.

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"example.com/upstream/internal/query"
)

// A Row is what became of one parameter, or of one value of a parameter that has
// several.
type Row struct {
	Name      string
	Value     string
	Layer     Layer
	Source    Source
	Came      string // what came in
	Items     []Item // of a list, or of what a rule looked at
	Essential bool
	Sent      bool
	Reason    string
}

// An Item is one value of a list that came in.
type Item struct{ Came, Sent string }

// A Teller knows what the plan does not: what to call an incoming parameter, and
// why the transaction has no value for a parameter of the protocol.
type Teller struct {
	Name    func(Source) string
	Missing func(parameter string) string
}

// Explain gives a row for each parameter that was or could have been sent, in the
// order of the URL. extra are the host's own parameters. It gives up on a request
// that is much too long to be sent.
func (p *Plan) Explain(in *Input, extra map[string]string, tell Teller) (rows []Row, ok bool) {
	names := slices.Sorted(maps.Keys(extra))
	in.Scope = extra["scope"]
	if p.formPost {
		p.prepare(in)
	}
	host := func(name string) {
		if value := extra[name]; value != "" {
			rows = append(rows, Row{Name: name, Value: value, Layer: Transaction, Source: None, Sent: true})
		}
	}
	// Bytes that came or went, more or less. What came in may be long and leave
	// nothing behind, so that the URL's own bound does not bound the rows.
	seen := 0
	for i := range p.steps {
		s, name := &p.steps[i], p.name(i)
		for len(names) > 0 && names[0] < name {
			host(names[0])
			names = names[1:]
		}
		switch {
		case extra[name] != "": // comes next
		case len(p.of(i)) > 0:
			some := p.explain(i, in, tell)
			for i := range some {
				seen += 32 + len(some[i].Came) + len(some[i].Value)
			}
			if seen > 8*MaxURL {
				return nil, false
			}
			rows = append(rows, some...)
		default:
			row := Row{Name: name, Source: None, Value: s.protocolValue(in)}
			if row.Sent = row.Value != ""; !row.Sent {
				row.Reason = tell.Missing(name)
			}
			rows = append(rows, row)
		}
	}
	for _, name := range names {
		host(name)
	}
	return rows, true
}

// AppendRows writes the URL of rows, unless that would be longer than MaxURL.
func (p *Plan) AppendRows(dst []byte, rows []Row) (_ []byte, ok bool) {
	limit := len(dst) + MaxURL
	dst = append(dst, p.endpoint()...)
	question := len(dst)
	for _, row := range rows {
		if len(dst) > limit {
			return dst, false
		}
		if row.Sent {
			dst = query.AppendEscape(append(query.AppendEscape(append(dst, '&'), row.Name), '='), row.Value)
		}
	}
	dst[question] = '?'
	return dst, len(dst) <= limit
}

// explain goes the way of appendMapped, candidate by candidate: reasons gathers
// why those before had no value, since "the default is sent" is no answer without
// "the request has no login_hint" before it. Where none has a value, the one row
// stands for the first candidate, which is whom an administrator looks for.
func (p *Plan) explain(i int, in *Input, tell Teller) []Row {
	name, candidates := p.name(i), p.of(i)
	var reasons []string
	for i := range candidates {
		c := &candidates[i]
		var rows []Row
		sent := false
		size := c.size(in)
		for j := range c.values(in) {
			row := p.row(name, c, in, j, size)
			if row.Came == "" && !row.Sent {
				continue
			}
			sent = sent || row.Sent
			rows = append(rows, row)
		}
		if sent {
			for j := range rows {
				rows[j].Reason = strings.Join(append(slices.Clone(reasons), c.because(&rows[j], in, tell)...), "; ")
			}
			return rows
		}
		if i == len(candidates)-1 || !c.merges() || in.Values[c.source] != "" { // nobody misses connection_scope
			reasons = append(reasons, c.layer.String()+": "+c.whyNot(in, tell))
		}
		if c.suppresses() && !c.dropped(in) {
			break
		}
	}
	row := p.row(name, &candidates[0], in, 0, candidates[0].size(in))
	row.Reason = strings.Join(reasons, "; ")
	return []Row{row}
}

func (c *candidate) merges() bool { return c.rare != nil && c.rare.scopes != nil }

// row gives the row of the i-th value of a candidate, but for the reason.
func (p *Plan) row(name string, c *candidate, in *Input, i, size int) Row {
	row := Row{Name: name, Layer: c.layer, Source: c.source, Essential: c.rare != nil && c.rare.essential}
	if i < c.values(in) {
		row.Came, row.Value = c.came(in, i), p.at(c, in, i, size)
	}
	row.Sent = row.Value != ""
	switch {
	case row.Came == "" || c.merges() || c.dropped(in):
	case c.list:
		for _, item := range strings.Fields(row.Came) {
			row.Items = append(row.Items, Item{item, c.rule.Part(item, len(row.Came))})
		}
	case c.rule != nil:
		row.Items = []Item{{row.Came, row.Value}}
	}
	return row
}

// because says why a value is not what came in, or what the configuration has.
func (c *candidate) because(row *Row, in *Input, tell Teller) (reasons []string) {
	say := func(format string, args ...any) {
		reasons = append(reasons, c.layer.String()+": "+fmt.Sprintf(format, args...))
	}
	if !row.Sent {
		say("this %s %s", tell.Name(c.source), notPassed)
		return reasons
	}
	if c.rare != nil && c.rare.note != nil {
		say("%s", *c.rare.note)
	}
	if c.rule != nil && c.rule.Claims && row.Value != row.Came {
		say("claims are reduced to those that allow and allow_pattern let pass")
		return reasons
	}
	var dropped, translated int
	for _, item := range row.Items {
		switch item.Sent {
		case item.Came:
		case "":
			dropped++
		default:
			translated++
		}
	}
	if dropped > 0 {
		say("%d of %d items of %s do not pass allow, allow_pattern or translate", dropped, len(row.Items), tell.Name(c.source))
	}
	if translated > 0 {
		say("%s is translated", tell.Name(c.source))
	}
	return reasons
}

const notPassed = "does not pass allow, allow_pattern or translate"

// whyNot says why a candidate has no value.
func (c *candidate) whyNot(in *Input, tell Teller) string {
	switch {
	case c.dropped(in):
		return "the request has " + tell.Name(c.inTheWay(in)) + ", which unless names"
	case c.rare != nil && c.rare.formPost:
		return "the scope has neither name nor email"
	case c.source == None:
		return "the configured value is empty, so it is never sent"
	case c.merges() && in.Values[c.source] != "":
		return tell.Name(c.source) + " names no scope"
	case c.merges():
		return "neither the connection nor the request has a scope"
	case in.Values[c.source] == "":
		return "the request has no " + tell.Name(c.source)
	}
	return tell.Name(c.source) + " " + notPassed
}
