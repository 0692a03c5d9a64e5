package sample

import "example.com/upstream"

// HandWritten makes the URL of Sample by code that was written for this one
// connection: what is fixed is a constant, nothing is checked and nothing looked
// up. No plan can be faster; it is the floor of ours.
func HandWritten(req *upstream.AuthorizeRequest, redirectURI, state, nonce string) string {
	var buf [768]byte
	b := append(buf[:0], AuthURL+"?blog=myblog.wordpress.com&client_id="+ClientID+"&nonce="...)
	b = escape(b, nonce)
	if req.Prompt != "" {
		b = escape(append(b, "&prompt="...), req.Prompt)
	}
	b = escape(append(b, "&redirect_uri="...), redirectURI)
	b = append(b, "&response_type=code&scope=openid+profile+email"...)
	if req.LoginHint != "" {
		b = escape(append(b, "&screen_name="...), req.LoginHint)
	}
	b = escape(append(b, "&state="...), state)
	if req.UILocales != "" {
		b = escape(append(b, "&ui_locales="...), req.UILocales)
	}
	return string(b)
}

// escape appends s as url.QueryEscape does, by a table.
func escape(dst []byte, s string) []byte {
	for i := range len(s) {
		switch b := s[i]; {
		case unreserved[b]:
			dst = append(dst, b)
		case b == ' ':
			dst = append(dst, '+')
		default:
			dst = append(dst, '%', "0123456789ABCDEF"[b>>4], "0123456789ABCDEF"[b&15])
		}
	}
	return dst
}

var unreserved = func() (t [256]bool) {
	for _, b := range []byte("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.~") {
		t[b] = true
	}
	return t
}()
