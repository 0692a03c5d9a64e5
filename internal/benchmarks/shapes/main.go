// Command shapes measures queries that are made to be slow: each of its shapes is
// repeated up to 32 KiB, parsed, and made to a URL by a connection with two
// parameters by from, beside url.ParseQuery alone. It prints the nanoseconds of a
// byte, the slowest shape first; the quickest of many turns counts.
package main

import (
	"cmp"
	"flag"
	"fmt"
	"io"
	"math"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"example.com/upstream"
	"example.com/upstream/internal/benchmarks/sample"
)

// most is what a byte may cost, in nanoseconds (rule P1).
const most = 8

func main() {
	turns := flag.Int("turns", 200, "of each shape")
	flag.Parse()
	if err := run(os.Stdout, *turns); err != nil {
		fmt.Fprintln(os.Stderr, "shapes:", err)
		os.Exit(1)
	}
}

// shapes have names that are nearly one that is looked for, in its first byte, its
// length, or all but the last byte, as it is and encoded; values that need decoding or
// are refused; and as many pairs as there can be, or one alone.
func shapes() []string {
	list := strings.Fields(`& a& a=& i& r& i=& r=& s& st& %& %61& %69& %72& %68x& i%64& h%64& hd& hx& hx=& x%3D& =& ==& i;& i+& r+r& id& re& re=&
		stat& state_& scop=& wh=& w%68& w%68=& %77%68x=& %77%68%78=& resource=a& resource=%61& resource=%61+& resource=& resourc%66=a&
		%72%65%73%6f%75%72%63%66=& idp_hints=& idp_hintsx=& idp_hint%73x=& %69dp_hints=& realm_idq=a& realm_idq=%61& idp_hints%5e=&
		%69%64%70%5f%68%69%6e%74%73%5e=& %72%65%61%6c%6d%5f%69%64%71=& %zz& i%zz& abcdefgh& abcdefghijklmnopqrstuvwxyz& utm_source=x&
		ä& iä& rä=ö& i=ä& z=ä& z=%C3%A4& %C3%A4& i%C3%A4=& resource=ä& resource=%C3%A4& !& (i& i!=& s=!& resource=!a&`)
	long := func(text string) string { return strings.Repeat(text, 1000) + "&" }
	return append(list, "\x01&", "i\x01&", long("a"), long("i"), long("%69"), long("ä"), "i="+long("ä"), "resource="+long("ä"), "resource="+long("%61"),
		"resource="+long("+"), "resource="+long("!"), "resource="+long("a!"), "state="+strings.Repeat("?", 32700),
		"state="+strings.Repeat("%61", 10900), "state="+strings.Repeat("ä", 16000))
}

// A row is the cost of a shape, in nanoseconds a byte.
type row struct {
	shape, query  string
	ours, parsing float64 // parsing is 0 where url.ParseQuery gives up
}

func run(out io.Writer, turns int) error {
	provider, err := sample.With(`{"idp": {"from": "idp_hints_", "allow": ["github"]}, "realm": {"from": "realm_idp", "allow": ["github"]}}`)
	if err != nil {
		return err
	}
	var rows []row
	for _, shape := range shapes() {
		query := strings.Repeat(shape, max(1, 32<<10/len(shape)))
		rows = append(rows, row{shape: shape, query: query, ours: math.Inf(1), parsing: math.Inf(1)})
	}
	for range turns { // of all, so that what else runs meets no shape in all of its turns
		for i := range rows {
			r := &rows[i]
			r.ours = min(r.ours, timed(r.query, func() { login(provider, r.query) }))
			r.parsing = min(r.parsing, timed(r.query, func() { _, err = url.ParseQuery(r.query) }))
			if err != nil {
				r.parsing = 0
			}
		}
	}
	slices.SortFunc(rows, func(a, b row) int { return cmp.Compare(b.ours, a.ours) })
	fmt.Fprintf(out, "%8s %15s  shape\n", "ns/byte", "url.ParseQuery")
	slow, slower := 0, 0
	for _, r := range rows {
		parsing, remark := "gives up", ""
		if r.parsing > 0 {
			if parsing = fmt.Sprintf("%.2f", r.parsing); r.ours > r.parsing {
				slower++
				remark = "  slower"
			}
		}
		if r.ours > most {
			slow++
		}
		fmt.Fprintf(out, "%8.2f %15s  %.60q%s\n", r.ours, parsing, r.shape, remark)
	}
	fmt.Fprintf(out, "\n%d shapes, %d above %d ns a byte, %d slower than url.ParseQuery\n", len(rows), slow, most, slower)
	return nil
}

// timed gives the nanoseconds of work for a byte of the query.
func timed(query string, work func()) float64 {
	start := time.Now()
	work()
	return float64(time.Since(start).Nanoseconds()) / float64(len(query))
}

// login is one request. That it is refused is as good.
func login(provider *upstream.Provider, query string) {
	if request, err := upstream.ParseAuthorizeQuery(query); err == nil {
		_, _ = provider.AuthorizationURL(request, sample.VariedTransaction())
	}
}
