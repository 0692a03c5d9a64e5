package main

import (
	"os"
	"testing"

	"example.com/upstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func Example() {
	main()
	// Output:
	// PATCH /api/v2/connections/con_0000000000000001
	// {"options":{"client_id":"12345","profile":true,"scope":["profile"],"upstream_params":{"blog":{"value":"myblog.wordpress.com"}}}}
	//
	// https://public-api.wordpress.com/oauth2/authorize?blog=myblog.wordpress.com&client_id=12345&redirect_uri=https%3A%2F%2Fauth.example.com%2Flogin%2Fcallback&response_type=code&scope=profile&state=unguessable-and-new-for-each-login
}

// The two files of this folder differ in what the program sets, and in nothing else.
func TestFiles_C3(t *testing.T) {
	after, err := os.ReadFile("connection.json")
	require.NoError(t, err)
	conn, err := upstream.ParseConnection(before)
	require.NoError(t, err)
	assert.Empty(t, conn.Options.UpstreamParams)
	conn.Options.UpstreamParams = map[string]upstream.Param{"blog": upstream.Static("myblog.wordpress.com")}
	got, err := conn.MarshalJSON()
	require.NoError(t, err)
	assert.JSONEq(t, string(after), string(got))
}
