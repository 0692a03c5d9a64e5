package fetchscript

// This file owns the guard between scripts and the network of the program.

import (
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"
)

// PublicOnly gives an HTTP client that connects to public addresses alone: not
// to this machine, to private networks, or to what a cloud has on link-local
// addresses. Every connection is checked when it is made, at the address to
// which the name was resolved; so neither a redirect, nor a name that resolves
// otherwise the second time, gets around it.
//
//	client := fetchscript.PublicOnly() // once, for all logins
//	ctx = context.WithValue(ctx, oauth2.HTTPClient, client)
//
// An isolated script has such a client where the context has none. The client
// heeds no proxy of the environment: behind a proxy it is the proxy that has to
// check. Each call gives a client with connections of its own, which is safe for
// concurrent use; a request may take 30 s.
func PublicOnly() *http.Client {
	dialer := &net.Dialer{Timeout: 10 * time.Second, Control: publicOnly}
	return &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{
		DialContext: dialer.DialContext, ForceAttemptHTTP2: true, TLSHandshakeTimeout: 10 * time.Second,
		MaxIdleConns: 100, IdleConnTimeout: 90 * time.Second, MaxResponseHeaderBytes: mebibyte,
	}}
}

// publicOnly is called when name resolution is over and nothing is connected yet.
func publicOnly(_, address string, _ syscall.RawConn) error {
	target, err := netip.ParseAddrPort(address)
	if err != nil || !public(target.Addr()) {
		return refusal("the address is not public")
	}
	return nil
}

var (
	// What of the unicast space is not reachable from everywhere, by the IANA's
	// registries of special-purpose addresses (RFC 6890), besides what netip knows.
	special = prefixes("0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
		"2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
	unicast6 = netip.MustParsePrefix("2000::/3")
	nat64    = netip.MustParsePrefix("64:ff9b::/96") // RFC 6052: the last four bytes are an address of IPv4
)

func prefixes(texts ...string) []netip.Prefix {
	all := make([]netip.Prefix, len(texts))
	for i, text := range texts {
		all[i] = netip.MustParsePrefix(text)
	}
	return all
}

func public(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	if nat64.Contains(a) {
		b := a.As16()
		a = netip.AddrFrom4([4]byte(b[12:]))
	}
	if !a.IsGlobalUnicast() || a.IsPrivate() || a.Is6() && !unicast6.Contains(a) {
		return false
	}
	for _, p := range special {
		if p.Contains(a) {
			return false
		}
	}
	return true
}
