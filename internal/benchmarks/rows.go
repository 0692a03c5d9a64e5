package main

// This file holds the rows that need no network.

import (
	"crypto/rand"
	"fmt"
	mathrand "math/rand/v2"
	"net/http"
	"net/url"
	"strings"

	"example.com/upstream"
	"example.com/upstream/internal/benchmarks/connections"
	"example.com/upstream/internal/benchmarks/measure"
	"example.com/upstream/internal/benchmarks/sample"
)

const ours = "upstream"

// work makes an Impl of a function that makes a URL.
func work(name string, once func() (string, error)) measure.Impl {
	return measure.Repeat(name, func() (err error) {
		measure.Sink, err = once()
		return err
	})
}

// floor is what no way can beat that gives the caller a string of its own.
func floor(finished string) measure.Impl {
	text := []byte(finished)
	return measure.Repeat("copy", func() error {
		measure.Sink = string(text)
		return nil
	})
}

// prepared is a case with all that a row of it needs.
type prepared struct {
	sample.Case
	ours     *sample.Ours
	provider *upstream.Provider
	request  *upstream.AuthorizeRequest
	form     url.Values
	finished string // the URL
	names    []string
	makers   []sample.Maker // by the same index
}

// prepare also checks that all implementations give the same URL.
func prepare(c sample.Case, others []peer) (*prepared, error) {
	p := &prepared{Case: c}
	var err error
	if p.ours, err = c.Ours(); err != nil {
		return nil, err
	}
	p.provider = p.ours.Provider
	if p.request, err = upstream.ParseAuthorizeQuery(c.RawQuery); err != nil {
		return nil, err
	}
	if p.form, err = url.ParseQuery(c.RawQuery); err != nil {
		return nil, err
	}
	if p.finished, err = p.provider.AuthorizationURL(p.request, sample.Transaction()); err != nil {
		return nil, err
	}
	for _, other := range others {
		maker, err := other.maker(c)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", other.name, err)
		}
		got, err := maker(p.form)
		if err == nil {
			err = sample.Same(got, p.finished)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", other.name, err)
		}
		p.names, p.makers = append(p.names, other.name), append(p.makers, maker)
	}
	return p, nil
}

// fromQuery is the whole way from the raw query.
func (p *prepared) fromQuery(name string) measure.Row {
	row := measure.Row{Name: name, Impls: []measure.Impl{work(ours, p.ours.FromQuery)}}
	for i, maker := range p.makers {
		row.Impls = append(row.Impls, work(p.names[i], p.FromQuery(maker)))
	}
	row.Impls = append(row.Impls, floor(p.finished))
	return row
}

// fromRequest begins where the request has been parsed.
func (p *prepared) fromRequest(name string) measure.Row {
	tx := sample.Transaction()
	row := measure.Row{Name: name, Impls: []measure.Impl{
		work(ours, func() (string, error) { return p.provider.AuthorizationURL(p.request, tx) }),
	}}
	for i, maker := range p.makers {
		row.Impls = append(row.Impls, work(p.names[i], func() (string, error) { return maker(p.form) }))
	}
	return row
}

// byHand adds what is written for the sample's connection alone.
func (p *prepared) byHand(row measure.Row) (measure.Row, error) {
	if got := sample.HandWritten(p.request, sample.RedirectURI, sample.State, sample.Nonce); got != p.finished {
		return row, fmt.Errorf("hand-written: %q is not %q", got, p.finished)
	}
	row.Impls = append(row.Impls, measure.Repeat("hand-written", func() error {
		measure.Sink = sample.HandWritten(p.request, sample.RedirectURI, sample.State, sample.Nonce)
		return nil
	}))
	return row, nil
}

// varied is the whole way for requests that differ, with PKCE.
func varied() (measure.Row, error) {
	c, queries := sample.Sample(), sample.Varied()
	provider, err := c.Provider()
	if err != nil {
		return measure.Row{}, err
	}
	mine, obvious := sample.OursVaried{Provider: provider, Queries: queries, TX: sample.VariedTransaction()}, c.ObviousVaried(queries)
	for range queries { // both go through all
		got, err := mine.FromQuery()
		if err != nil {
			return measure.Row{}, err
		}
		want, err := obvious()
		if err == nil {
			err = sample.Same(want, got)
		}
		if err != nil {
			return measure.Row{}, err
		}
	}
	return measure.Row{Name: "raw-query-to-url-varied", Impls: []measure.Impl{work(ours, mine.FromQuery), work("x/oauth2", obvious)}}, nil
}

// twoFrom is the whole way with two parameters by from, beside the same work with
// two by alias.
func twoFrom() (measure.Row, error) {
	row := measure.Row{Name: "raw-query-to-url-two-from"}
	for _, way := range []struct{ name, params, one, two string }{
		{"from", `{"idp": {"from": "idp_hints_", "allow": ["github", "corp"]}, "realm": {"from": "realm_idp", "allow": ["github", "google"]}}`, "idp_hints_", "realm_idp"},
		{"aliases", `{"idp": {"alias": "acr_values", "allow": ["github", "corp"]}, "realm": {"alias": "audience", "allow": ["github", "google"]}}`, "acr_values", "audience"},
	} {
		provider, err := sample.With(way.params)
		if err != nil {
			return row, err
		}
		mine := sample.OursVaried{Provider: provider, Queries: sample.Varied(way.one, way.two), TX: sample.VariedTransaction()}
		if _, err := mine.FromQuery(); err != nil {
			return row, err
		}
		row.Impls = append(row.Impls, work(way.name, mine.FromQuery))
	}
	return row, nil
}

// randomTenant is the whole way for one of many tenants, whose plan is in no
// cache.
func randomTenant(tenants int) (measure.Row, error) {
	providers := make([]*upstream.Provider, tenants)
	for i := range providers {
		text, err := connections.Line(i)
		if err != nil {
			return measure.Row{}, err
		}
		conn, err := upstream.ParseConnection(text)
		if err == nil {
			providers[i], err = upstream.NewProvider(conn)
		}
		if err != nil {
			return measure.Row{}, err
		}
	}
	order := mathrand.New(mathrand.NewPCG(3, 3)).Perm(tenants)
	queries, tx, next := sample.Varied(), sample.VariedTransaction(), 0
	return measure.Row{Name: "random-tenant", Impls: []measure.Impl{work(ours, func() (string, error) {
		next++
		req, err := upstream.ParseAuthorizeQuery(queries[next%len(queries)])
		if err != nil {
			return "", err
		}
		return providers[order[next%tenants]].AuthorizationURL(req, tx)
	})}}, nil
}

// appended writes into a buffer of the caller's. The peers have no such call;
// what they give is copied there.
func (p *prepared) appended(name string) measure.Row {
	tx := sample.Transaction()
	buf := make([]byte, 0, 4096)
	row := measure.Row{Name: name, Impls: []measure.Impl{measure.Repeat(ours, func() (err error) {
		buf, err = p.provider.AppendAuthorizationURL(buf[:0], p.request, tx)
		return err
	})}}
	for i, maker := range p.makers {
		row.Impls = append(row.Impls, measure.Repeat(p.names[i], func() error {
			address, err := maker(p.form)
			buf = append(buf[:0], address...)
			return err
		}))
	}
	row.Impls = append(row.Impls, measure.Repeat("copy", func() error {
		buf = append(buf[:0], p.finished...)
		return nil
	}))
	return row
}

// authorize is a whole GET /authorize handler: from a request that net/http
// has read to the redirect that it will write, with a new state.
func (p *prepared) authorize(name string) measure.Row {
	redirect := func(w http.ResponseWriter, r *http.Request, address string, err error) {
		if err != nil {
			http.Error(w, "invalid_request", http.StatusBadRequest)
			return
		}
		http.Redirect(w, r, address, http.StatusFound)
	}
	row := measure.Row{Name: name, Impls: []measure.Impl{p.served(ours, func(w http.ResponseWriter, r *http.Request) {
		req, err := upstream.ParseAuthorizeRequest(r)
		if err != nil {
			redirect(w, r, "", err)
			return
		}
		tx := sample.Transaction()
		tx.State = upstream.NewSecret(rand.Text())
		address, err := p.provider.AuthorizationURL(req, tx)
		redirect(w, r, address, err)
	})}}
	for i, maker := range p.makers {
		row.Impls = append(row.Impls, p.served(p.names[i], func(w http.ResponseWriter, r *http.Request) {
			in, err := url.ParseQuery(r.URL.RawQuery)
			if err != nil {
				redirect(w, r, "", err)
				return
			}
			// The makers have a state of their own, of nearly this length.
			measure.Sink = rand.Text()
			address, err := maker(in)
			redirect(w, r, address, err)
		}))
	}
	row.Impls = append(row.Impls, p.served("copy", func(w http.ResponseWriter, r *http.Request) {
		redirect(w, r, p.finished, nil)
	}))
	return row
}

func (p *prepared) served(name string, handler http.HandlerFunc) measure.Impl {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /authorize", handler)
	r, err := http.NewRequest(http.MethodGet, "https://auth.example.com/authorize?"+p.RawQuery, nil)
	w := &writer{header: http.Header{}}
	return measure.Repeat(name, func() error {
		if err != nil {
			return err
		}
		clear(w.header)
		mux.ServeHTTP(w, r)
		if w.status != http.StatusFound || w.header.Get("Location") == "" {
			return fmt.Errorf("status %d instead of a redirect", w.status)
		}
		return nil
	})
}

// writer is a ResponseWriter that costs nothing.
type writer struct {
	header http.Header
	status int
}

func (w *writer) Header() http.Header            { return w.header }
func (w *writer) WriteHeader(status int)         { w.status = status }
func (w *writer) Write(text []byte) (int, error) { return len(text), nil }

// configured has n parameters, all static or all dynamic. Values are alike, so
// that the rows differ by where they come from.
func configured(n int, dynamic bool) sample.Case {
	sources := []string{"acr_values", "audience", "display", "id_token_hint", "login_hint", "max_age", "prompt", "ui_locales"}
	c := sample.Case{}
	query := url.Values{"response_type": {"code"}, "client_id": {"app-1"}}
	for i, source := range sources {
		query.Set(source, value(i))
	}
	c.RawQuery = query.Encode()
	for i := range n {
		name := fmt.Sprintf("parameter_%02d", i)
		if dynamic {
			c.Dynamic = append(c.Dynamic, sample.Pair{Name: name, Value: sources[i%len(sources)]})
		} else {
			c.Static = append(c.Static, sample.Pair{Name: name, Value: value(i % len(sources))})
		}
	}
	return c
}

func value(i int) string {
	if i == 5 { // max_age, which is a number
		return "1209600"
	}
	return fmt.Sprintf("user%d@example.com", i)
}

// hinted is the sample with a 2 kB ID token beside the other parameters.
func hinted() sample.Case {
	c := sample.Sample()
	token := strings.Repeat("eyJhbGciOiJSUzI1NiJ9.", 2048/21+1)[:2048]
	c.Dynamic = append(c.Dynamic, sample.Pair{Name: "id_token_hint", Value: "id_token_hint"})
	c.RawQuery += "&id_token_hint=" + token
	return c
}

// localRows gives all rows of this file.
func localRows(others []peer, tenants int) ([]measure.Row, error) {
	first, err := prepare(sample.Sample(), others)
	if err != nil {
		return nil, err
	}
	hint, err := prepare(hinted(), others)
	if err != nil {
		return nil, err
	}
	headline, err := varied()
	if err != nil {
		return nil, err
	}
	parsed, err := first.byHand(first.fromRequest("url-from-parsed-request"))
	if err != nil {
		return nil, err
	}
	from, err := twoFrom()
	if err != nil {
		return nil, err
	}
	random, err := randomTenant(tenants)
	if err != nil {
		return nil, err
	}
	rows := []measure.Row{headline, first.fromQuery("raw-query-to-url"), parsed, first.appended("append"), from, random}
	for _, kind := range []string{"static", "dynamic"} {
		for _, n := range []int{1, 10, 30} {
			p, err := prepare(configured(n, kind == "dynamic"), others[:1])
			if err != nil {
				return nil, err
			}
			row := p.fromRequest(fmt.Sprintf("url-%s-%d", kind, n))
			row.Impls = append(row.Impls, floor(p.finished))
			rows = append(rows, row)
		}
	}
	return append(rows, hint.fromQuery("raw-query-to-url-id-token-hint-2kB"), first.authorize("authorize-handler")), nil
}
