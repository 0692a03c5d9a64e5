package main

func Example() {
	main()
	// Output:
	// https://api.twitter.com/oauth/authorize?oauth_token=example-request-token&screen_name=user%40domain.com
}
