package fapi

// This file owns the nonces that servers want to see in the next DPoP proof
// (RFC 9449 sections 8 and 9). It knows nothing of proofs.

import "sync"

const (
	maxNonce  = 512 // characters; longer ones are not taken
	maxServer = 64  // servers of one Client whose nonces are kept
)

// nonces holds the latest nonce of each server. The zero value is ready. An
// authorization server's and a resource server's are apart even where both are
// one host: each Client has two of these.
type nonces struct {
	mu     sync.Mutex
	latest map[string]string // by origin
}

func (n *nonces) of(origin string) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.latest[origin]
}

// keep takes over a DPoP-Nonce header and reports whether it is one.
func (n *nonces) keep(origin, nonce string) bool {
	if !isNonce(nonce) {
		return false
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.latest == nil {
		n.latest = map[string]string{}
	}
	if _, known := n.latest[origin]; !known && len(n.latest) >= maxServer {
		for other := range n.latest { // any: what it loses costs one more request
			delete(n.latest, other)
			break
		}
	}
	n.latest[origin] = nonce
	return true
}

// isNonce is section 8.1: NQCHARs, which need no escape in JSON.
func isNonce(nonce string) bool {
	for i := range len(nonce) {
		if b := nonce[i]; b < 0x21 || b > 0x7e || b == '"' || b == '\\' {
			return false
		}
	}
	return nonce != "" && len(nonce) <= maxNonce
}
