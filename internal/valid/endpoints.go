package valid

// This file is about where a user is sent and with what: it gathers the values,
// internal/strategy and internal/outgoing judge them.

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"example.com/upstream/internal/check"
	"example.com/upstream/internal/lossless"
	"example.com/upstream/internal/option"
	"example.com/upstream/internal/outgoing"
	"example.com/upstream/internal/plan"
	"example.com/upstream/internal/strategy"
)

// checkEndpoints resolves the endpoints, and collects the layers, the
// authorization endpoint's query among them: so it has to know which endpoint that
// is before a parameter can collide with its query. (rule O8)
//
// A configured scope replaces the one that would have openid put before it, and goes
// out as it is; that of the query does not, and needs no warning. (rules M3, O6)
func (k *checker) checkEndpoints() {
	k.Strategy = k.Strategy.Resolve(k.name, strategy.Own{
		AuthorizationURL: k.text("options/authorizationURL"), TokenURL: k.text("options/tokenURL"),
		UserinfoEndpoint: k.text("options/userinfo_endpoint"), UserAuthorizationURL: k.text("options/userAuthorizationURL"),
		RequestTokenURL: k.text("options/requestTokenURL"), AccessTokenURL: k.text("options/accessTokenURL"),
		Metadata: k.Metadata, Type: k.text("options/type"), AnyHTTP: k.AnyHTTP,
		Promised: k.text("options/discovery_url") != "" || k.text("options/issuer") != "",
	}, k.reportAt)
	at := "options/authorizationURL"
	if k.Strategy.Protocol == strategy.OAuth1 {
		at = "options/userAuthorizationURL"
	}
	base, query, _ := strings.Cut(k.Strategy.AuthURL, "?")
	if check.Length(k.Strategy.AuthURL, k.bound("options/authorizationURL").Text) != "" {
		query = "" // that was a problem, and is not taken apart
	}
	k.Base, k.Entries = base, outgoing.Check(k.configured(), query, k.Doc.Spelling(option.Get(at).Paths()...), k.report)
	for i := range k.Entries {
		e := &k.Entries[i]
		if e.Name == "scope" && e.Layer != plan.URL && k.Strategy.Protocol == strategy.OIDC && !slices.Contains(strings.Fields(e.Value), "openid") {
			k.warn(e.Pointer(), "has no openid, and goes out as it is written: the identity provider gives no ID token then")
		}
	}
}

// configured brings layers 2 to 4 to one list, the highest first and each in the
// order of the configuration, and after them what the strategy asks for.
func (k *checker) configured() []outgoing.Entry {
	const params, mapped, static = "options/upstream_params", "options/authParamsMap", "options/authParams"
	return slices.Concat(
		layer(k, plan.UpstreamParams, params, k.Value(params).(map[string]outgoing.Param), func(p outgoing.Param) outgoing.Param { return p }),
		layer(k, plan.AuthParamsMap, mapped, k.dict(mapped), func(alias string) outgoing.Param { return outgoing.Param{Alias: alias} }),
		layer(k, plan.AuthParams, static, k.dict(static), func(value string) outgoing.Param { return outgoing.Param{Value: value} }),
		outgoing.OfStrategy(k.name, cmp.Or(k.text("options/domain"), k.text("options/tenant_domain"))))
}

// layer gives the entries of one layer. What goes beyond the limit is counted, and
// not looked at. (rule P1)
func layer[V any](k *checker, layer plan.Layer, path string, values map[string]V, param func(V) outgoing.Param) []outgoing.Entry {
	names, most := lossless.Keys(k.Doc.Lookup(path), values), k.bound(path).Members
	if len(names) > most {
		k.reportAt(path, fmt.Sprintf("has more than %d members", most))
	}
	return outgoing.Of(layer, "/"+path, names[:min(len(names), most)], values, param)
}
