package main

func Example() {
	main()
	// Output:
	// login button: Custom IdP (https://cdn.example.com/assets/icon.png)
	//
	// GET /authorize?response_type=code&client_id=app&redirect_uri=https://app.example.com/callback&scope=openid%20profile%20email&connection=custom-idp
	// the identity provider received, at /oauth2/authorize:
	//   client_id      auth-server
	//   custom_param   custom.param.value
	//   redirect_uri   https://auth.example.com/login/callback
	//   response_type  code
	//   scope          auth
	//   state          unguessable-and-new-for-each-login
	//
	// GET /authorize?response_type=code&client_id=app&redirect_uri=https://app.example.com/callback&scope=openid%20profile%20email&connection=custom-idp&access_type=offline
	// the identity provider received, at /oauth2/authorize:
	//   client_id      auth-server
	//   custom_param   offline
	//   redirect_uri   https://auth.example.com/login/callback
	//   response_type  code
	//   scope          auth
	//   state          unguessable-and-new-for-each-login
	//
	// GET /authorize?response_type=code&client_id=app&redirect_uri=https://app.example.com/callback&scope=openid%20profile%20email&connection=custom-idp&connection_scope=calendar,contacts
	// the identity provider received, at /oauth2/authorize:
	//   client_id      auth-server
	//   custom_param   custom.param.value
	//   redirect_uri   https://auth.example.com/login/callback
	//   response_type  code
	//   scope          calendar contacts auth
	//   state          unguessable-and-new-for-each-login
}
