package outgoing

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"example.com/upstream/internal/plan"
)

func TestM5M6O6Scopes(t *testing.T) {
	const (
		fromURL = "the scope of the authorization endpoint's query"
		normal  = "the connection has no scope; this is the default of OpenID Connect strategies"
		first   = "openid is put first, because the strategy is OpenID Connect"
	)
	query := []Entry{
		{Layer: plan.UpstreamParams, Name: "scope", Param: Param{Value: "static"}},
		{Layer: plan.URL, Name: "other", Param: Param{Value: "other"}},
		{Layer: plan.URL, Name: "scope", Param: Param{Value: "openid x"}},
	}
	for _, tc := range []struct {
		name         string
		own          []string
		spec, openID bool
		entries      []Entry
		want         plan.Scopes
	}{
		{"M5", []string{"a b", "b"}, false, false, nil, plan.Scopes{Own: []string{"a", "b"}, Sep: ','}},
		{"M6 spaces", []string{"a"}, true, false, nil, plan.Scopes{Own: []string{"a"}, Sep: ' '}},
		{"none", nil, false, false, query, plan.Scopes{Sep: ','}},
		{"O6", []string{"a", "openid"}, false, true, query, plan.Scopes{Own: []string{"a", "openid"}, Sep: ' '}},
		{"O6 first", []string{"a"}, false, true, nil, plan.Scopes{Own: []string{"openid", "a"}, Sep: ' ', Note: first}},
		{"O6 none", nil, false, true, query[:2], plan.Scopes{Own: []string{"openid", "profile", "email"}, Sep: ' ', Note: normal}},
		{"O6 of the query", nil, false, true, query, plan.Scopes{Own: []string{"openid", "x"}, Sep: ' ', Note: fromURL}},
		{"O6 blank", []string{" "}, false, true, query[:1], plan.Scopes{Own: []string{"openid", "profile", "email"}, Sep: ' ', Note: normal}},
		{"O6 not of the query alone", nil, false, true, []Entry{{Layer: plan.URL, Name: "scope", Param: Param{Value: "x"}}}, plan.Scopes{Own: []string{"openid", "x"}, Sep: ' ', Note: first}},
	} {
		assert.Equal(t, tc.want, Scopes(tc.own, tc.spec, tc.openID, tc.entries), tc.name)
	}
}
