// Package fetchscript runs the fetchUserProfile script of a connection: a
// JavaScript function for Node.js that gets a user's profile from an identity
// provider, given (accessToken, context, callback). Most programs need one line:
//
//	provider, err = fetchscript.Attach(provider, conn, nil)
//
// From then on [upstream.Provider.FetchProfile] runs the script where there is one
// and the program has no function of its own. [Compile] and [Script.Fetch]
// are for programs that go about it themselves.
//
// # What a script finds
//
// All forms in use: function expressions and declarations, arrow functions,
// async functions, module.exports, exports.x, and an expression that gives a
// function. The callback counts the first time that it is called; a promise
// that resolves to an object serves as well. A function of four parameters is
// called as OAuth 1.0a's, with the token's secret in the second place.
//
// The globals request, _, Buffer, jwt, console, configuration, URL,
// URLSearchParams, fetch, AbortController, setTimeout and its kin, TextEncoder,
// TextDecoder, atob and btoa; and by require, with a version behind the name or
// without: assert, axios, buffer, crypto, events, http, https, jsonwebtoken,
// jwt-decode, lodash, oauth, querystring, request, stream, string_decoder,
// timers, url, util, xml2js and zlib. They are the libraries that npm has, but
// for request, http and https, crypto, timers and fetch, which are made here.
//
// The context has the members of the token response that the script's text
// names, and client_id, client_secret and the endpoints of the connection.
//
// # Differences and decisions
//
//   - The user's id is the profile's user_id, else its id, uid or sub. null and
//     undefined are as if absent; an id is never made up.
//   - An integer beyond 2^53 in JSON is read as a text of its digits, since a
//     number would be rounded to its neighbour. A profile whose id is a number
//     beyond that is refused.
//   - JSON.parse refuses an object that holds a member twice, and more than 64
//     levels, as the rest of the library does.
//   - A name, picture or other text attribute that is an object, as in an answer
//     that the script hands on as it is, is left out of the profile.
//   - Redirects are followed as the script's library would. Authorization,
//     cookies and all headers but Accept, Accept-Language and User-Agent go to
//     the first origin alone, and a request with a body is not redirected to
//     another. TLS settings of a script have no effect: the host's client has
//     them.
//   - Cookies are not kept.
//   - The fault of a network has the code that Node.js gives it, and words of ours.
//   - The libraries are those for browsers where npm has them: some of their
//     errors have no code, Buffer finds no empty text, and inspect is of Node 20.
//   - http and https have no agents, sockets and TLS settings; crypto has hashes,
//     HMAC, signatures by RSA and ECDSA, and random bytes.
//
// # Safety
//
// A [Pool] bounds the engines and processes of all scripts. [PublicOnly] keeps
// scripts out of the program's own network.
//
// A run has the limits of [Options], and so has [Compile]: the parser is slow on
// some texts. A text that ends the function around it, to run code when it is
// loaded, is refused. No run sees anything of another: the
// engine works in memory of its own, which is noted when the script is loaded,
// and after each run put back to the byte. A script that does not stop when it
// is told to loses that memory, and with it the engine; the process goes on.
// On systems other than Unix there is no such way, and the built-in functions
// that look for no interrupt run to their end.
//
// The engine is a large program of its own, and scripts that come from people
// whom you do not trust may find a fault in it. [Isolated] runs each script in
// a process that has nothing to lose, and on Linux (amd64, arm64) no system call
// by which it could reach another process or a file. Elsewhere it is held by
// limits alone, and may do what the program's user may do to the program.
//
// Errors keep the script's message, but with marks in the place of tokens,
// secrets and what identity providers answered.
package fetchscript
