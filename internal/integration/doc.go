// Package integration holds tests of package upstream against identity providers
// that others wrote, each in this process or started by it: what arrives there
// is what their parser made of it, and a login counts once their token endpoint
// has agreed.
//
//   - github.com/zitadel/oidc, an OpenID provider: parameters, the whole code
//     flow, refresh, userinfo;
//   - github.com/go-oauth2/oauth2, which takes client credentials from the form
//     only, and github.com/ory/fosite with a client that may use Basic only;
//   - oidc-provider, an OpenID provider for node that refuses a parameter which
//     comes twice, and for module fapi its FAPI 2.0 profile;
//   - openid-client, a client for node, whose assertions, proofs and request
//     objects are held against those of module fapi.
//
// It is a module of its own, so that none of them is a dependency of the
// library. From the root of the repository:
//
//	sh internal/integration/setup.sh
//	go -C internal/integration test -race ./...
//
// setup.sh installs oidc-provider and openid-client with npm; where node is not there, the tests
// that need it are skipped.
package integration
