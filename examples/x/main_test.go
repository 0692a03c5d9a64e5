package main

func Example() {
	main()
	// Output:
	// the application calls
	//   /authorize?client_id=app&response_type=token&redirect_uri=https://app.example.com/callback&scope=openid%20name%20email&login_hint=user@domain.com
	// the user goes to
	//   https://api.twitter.com/oauth/authorize?oauth_token=example-request-token&screen_name=user%40domain.com
	// the user name box of X holds
	//   user@domain.com
	// the profile
	//   Ada Example (ada), user@domain.com
	// the subject of the application's ID token
	//   twitter|1234567890123456789
}
