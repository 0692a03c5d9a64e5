package fetchscript_test

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"net/url"
	"regexp"
	"sort"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var oauth1Pair = regexp.MustCompile(`(oauth_\w+)=\\"([^"\\]*)\\"`)

func oauth1Part(t *testing.T, header, name string) string {
	for _, m := range oauth1Pair.FindAllStringSubmatch(header, -1) {
		if m[1] == name {
			value, err := url.PathUnescape(m[2])
			require.NoError(t, err)
			return value
		}
	}
	return ""
}

// oauth1Signature computes what RFC 5849 section 3.4 wants, by way of its own.
func oauth1Signature(t *testing.T, header, method, address string, query url.Values, consumerSecret, tokenSecret string) string {
	escape := func(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }
	var pairs []string
	for _, m := range oauth1Pair.FindAllStringSubmatch(header, -1) {
		if m[1] != "oauth_signature" {
			pairs = append(pairs, m[1]+"="+m[2])
		}
	}
	for name := range query {
		pairs = append(pairs, escape(name)+"="+escape(query.Get(name)))
	}
	sort.Strings(pairs)
	mac := hmac.New(sha1.New, []byte(escape(consumerSecret)+"&"+escape(tokenSecret)))
	_, err := mac.Write([]byte(method + "&" + escape(address) + "&" + escape(strings.Join(pairs, "&"))))
	require.NoError(t, err)
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
