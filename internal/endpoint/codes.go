package endpoint

// This file owns the error codes that may be repeated: those of IANA's OAuth
// Extensions Error Registry and of the standards that it lists. Whatever else
// stands where a code does is a server's own text, and may hold anything.

import "slices"

// Registered reports whether code is a registered error code.
func Registered(code string) bool {
	_, found := slices.BinarySearch(registered[:], code)
	return found
}

// registered is sorted, and never written.
var registered = [...]string{
	"access_denied",                     // RFC 6749 section 4.1.2.1
	"account_selection_required",        // OpenID Connect Core 3.1.2.6
	"authorization_pending",             // RFC 8628 section 3.5
	"consent_required",                  // OpenID Connect Core 3.1.2.6
	"expired_token",                     // RFC 8628 section 3.5
	"insufficient_scope",                // RFC 6750 section 3.1
	"insufficient_user_authentication",  // RFC 9470 section 3
	"interaction_required",              // OpenID Connect Core 3.1.2.6
	"invalid_authorization_details",     // RFC 9396 section 5
	"invalid_client",                    // RFC 6749 section 5.2
	"invalid_dpop_proof",                // RFC 9449 section 5
	"invalid_grant",                     // RFC 6749 section 5.2
	"invalid_request",                   // RFC 6749 section 4.1.2.1
	"invalid_request_object",            // OpenID Connect Core 3.1.2.6
	"invalid_request_uri",               // OpenID Connect Core 3.1.2.6
	"invalid_scope",                     // RFC 6749 section 4.1.2.1
	"invalid_target",                    // RFC 8707 section 2
	"invalid_token",                     // RFC 6750 section 3.1
	"login_required",                    // OpenID Connect Core 3.1.2.6
	"registration_not_supported",        // OpenID Connect Core 3.1.2.6
	"request_not_supported",             // OpenID Connect Core 3.1.2.6
	"request_uri_not_supported",         // OpenID Connect Core 3.1.2.6
	"server_error",                      // RFC 6749 section 4.1.2.1
	"slow_down",                         // RFC 8628 section 3.5
	"temporarily_unavailable",           // RFC 6749 section 4.1.2.1
	"unauthorized_client",               // RFC 6749 section 4.1.2.1
	"unmet_authentication_requirements", // OpenID Connect Unmet Authentication Requirements 1.0
	"unsupported_grant_type",            // RFC 6749 section 5.2
	"unsupported_response_type",         // RFC 6749 section 4.1.2.1
	"unsupported_token_type",            // RFC 7009 section 2.2.1
	"use_dpop_nonce",                    // RFC 9449 section 8
}
