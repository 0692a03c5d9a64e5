package fetchscript_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"example.com/upstream"
	"example.com/upstream/fetchscript"
)

const sample = `function fetchUserProfile(accessToken, context, callback) {
  request.get(
    {
      url: 'https://auth.example.com/userinfo',
      headers: {
        'Authorization': 'Bearer ' + accessToken,
      }
    },
    (err, resp, body) => {
      if (err) {
        return callback(err);
      }

      if (resp.statusCode !== 200) {
        return callback(new Error(body));
      }

      let bodyParsed;
      try {
        bodyParsed = JSON.parse(body);
      } catch (jsonError) {
        return callback(new Error(body));
      }

      const profile = {
        user_id: bodyParsed.account.uuid,
        email: bodyParsed.account.email
      };

      callback(null, profile);
    }
  );
}`

func TestU1SampleVerbatim(t *testing.T) {
	idp := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte(`{"account":{"uuid":"4f1c","email":"ann@example.com"}}`))
	}))
	defer idp.Close()
	ctx := context.WithValue(t.Context(), oauth2.HTTPClient, idp.Client())
	s, err := fetchscript.Compile(sample)
	require.NoError(t, err)
	p, err := s.Fetch(ctx, &oauth2.Token{AccessToken: "AT-123456"}, &upstream.Connection{Name: "acme"})
	require.NoError(t, err)
	require.Equal(t, "4f1c", p.UserID)
}
