package upstream_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"example.com/upstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A vector is one scenario of testdata/vectors.
type vector struct {
	Name, Rule, Note string
	Connection       json.RawMessage
	Request          string
	Transaction      struct {
		RedirectURI  string `json:"redirect_uri"`
		State        upstream.Secret
		Nonce        upstream.Secret
		CodeVerifier upstream.Secret `json:"code_verifier"`
		RequestToken upstream.Secret `json:"request_token"`
		Extra        map[string]string
	}
	URL   string
	Error *vectorError
}

type vectorError struct {
	Kind  string
	At    []string
	Param *string
	Field string
}

func (v *vector) transaction() upstream.Transaction {
	return upstream.Transaction(v.Transaction)
}

// vectors reads all files, strictly.
func vectors(t testing.TB) map[string][]vector {
	t.Helper()
	files, err := filepath.Glob("testdata/vectors/*.json")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	out := map[string][]vector{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		var vs []vector
		dec := json.NewDecoder(bytes.NewReader(data))
		dec.DisallowUnknownFields()
		require.NoError(t, dec.Decode(&vs), file)
		require.NotEmpty(t, vs, file)
		names := map[string]bool{}
		for _, v := range vs {
			require.False(t, names[v.Name], "%s has %s twice", file, v.Name)
			names[v.Name] = true
			require.NotEqual(t, v.URL == "", v.Error == nil, "%s %s", file, v.Name)
		}
		out[filepath.Base(file)] = vs
	}
	return out
}

// run goes the way of a host, in the order of rule E5: provider, request, URL.
func (v *vector) run() (string, *vectorError, error) {
	url, err := func() (string, error) {
		conn, err := upstream.ParseConnection(v.Connection)
		if err != nil {
			return "", err
		}
		p, err := upstream.NewProvider(conn)
		if err != nil {
			return "", err
		}
		req, err := upstream.ParseAuthorizeQuery(v.Request)
		if err != nil {
			return "", err
		}
		return p.AuthorizationURL(req, v.transaction())
	}()
	if err == nil {
		return url, nil, nil
	}
	got := &vectorError{Kind: "other"}
	var config *upstream.ConfigError
	var request *upstream.RequestError
	var transaction *upstream.TransactionError
	var protocol *upstream.ProtocolError
	switch {
	case errors.Is(err, upstream.ErrSAML):
		got.Kind = "saml"
	case errors.As(err, &protocol):
		got.Kind = "unsupported"
	case errors.As(err, &config):
		got.Kind = "config"
		for _, p := range config.Problems {
			got.At = append(got.At, p.Pointer)
		}
		slices.Sort(got.At)
	case errors.As(err, &request):
		got.Kind, got.Param = "request", &request.Parameter
	case errors.As(err, &transaction):
		got.Kind, got.Field = "transaction", transaction.Field
	}
	return url, got, err
}

func TestVectors(t *testing.T) {
	for file, vs := range vectors(t) {
		for _, v := range vs {
			t.Run(file+"/"+v.Rule+"/"+v.Name, func(t *testing.T) {
				url, got, err := v.run()
				assert.Equal(t, v.URL, url)
				if v.Error != nil {
					slices.Sort(v.Error.At)
				}
				assert.Equal(t, v.Error, got, "%v", err)
			})
		}
	}
}
