package login

// This file owns the errors: where a login ended, what the log may have of it,
// and what the application hears. It must not know how a step is done.

import (
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strconv"
)

// A Step is where a login ended. Finish takes them in this order, from
// StepAnswer on.
type Step string

// The steps of a login.
const (
	StepConfig   Step = "configuration" // what the connection or the Options ask for cannot be done
	StepMetadata Step = "metadata"      // of the IdP cannot be had, or is not to be believed
	StepBegin    Step = "begin"         // the request cannot be sent on
	StepAnswer   Step = "answer"        // the IdP's answer cannot be read
	StepState    Step = "state"         // the answer belongs to no login that this browser began here
	StepSpent    Step = "single use"    // the answer was used before, or the store cannot say
	StepIssuer   Step = "issuer"        // the answer is another IdP's (RFC 9207)
	StepRefused  Step = "refused"       // the IdP says no
	StepToken    Step = "token"         // the code gave none
	StepIDToken  Step = "ID token"      // missing, or not to be believed
	StepAsked    Step = "asked"         // the login is not what was asked for: see Checks
	StepProfile  Step = "profile"       // cannot be had, or is another user's
)

// An Error says why there is no login. Its text, and what fmt and slog print of
// it, is for the host's log: no secret, no code, no token, no value of a request
// and none of the IdP's words is in it, but for error codes of the protocol.
type Error struct {
	Connection string // name
	Step       Step
	Reason     string // what is wrong and, where somebody can mend it, how

	// Code is what the application hears: an error code of OAuth 2.0 (RFC 6749
	// section 4.1.2.1) or OpenID Connect Core (section 3.1.2.6). It is "" where
	// nobody is to be told, because it is not known that this browser began the
	// login (StepState, and StepAnswer without a state) or somebody was told already
	// (StepSpent): show a page. Never pass Reason on to an application.
	Code string

	// Of a login that this browser began: the application that asked for it, and
	// the host's data. They are not printed.
	ClientID string `json:"-"`
	Data     []byte `json:"-"`

	// Checks has what was asked and got, where the login ended at StepAsked.
	Checks []Check `json:"-"`

	Err error `json:"-"` // the cause, if any; its text may hold more than is fit for a log
}

// Error gives connection, step and reason.
func (e *Error) Error() string {
	text := "login: "
	if e.Connection != "" {
		text += strconv.Quote(e.Connection) + ": "
	}
	return text + string(e.Step) + ": " + e.Reason
}

// Unwrap gives Err.
func (e *Error) Unwrap() error { return e.Err }

// Format prints the text whatever the verb: Data and Err must not be printed.
func (e Error) Format(f fmt.State, verb rune) {
	text := e.Error()
	if verb == 'q' {
		text = strconv.Quote(text)
	}
	_, _ = io.WriteString(f, text)
}

// LogValue gives the parts that are fit for a log.
func (e *Error) LogValue() slog.Value {
	return slog.GroupValue(slog.String("connection", e.Connection), slog.String("step", string(e.Step)),
		slog.String("reason", e.Reason), slog.String("code", e.Code))
}

// passedOn are the IdP's errors that say something to an application: the user
// said no, or prompt=none could not be done.
var passedOn = []string{
	"login_required", "interaction_required", "consent_required", "account_selection_required",
	"access_denied", "temporarily_unavailable",
}

const serverError = "server_error"

// ApplicationCode gives what an application hears of an IdP's error: the code
// itself if it means something to it, else server_error. Descriptions are never
// passed on: they are a stranger's words on the application's page. (rule L5)
func ApplicationCode(code string) string {
	if slices.Contains(passedOn, code) {
		return code
	}
	return serverError
}
