package fetchscript

import (
	"errors"
	"fmt"
	"strings"

	"example.com/upstream"
)

// A Limit names one of the bounds that [Options] set.
type Limit string

// What ended a run that came to a limit.
const (
	LimitTime     Limit = "time"     // Options.Timeout
	LimitCPU      Limit = "cpu"      // Options.CPU
	LimitMemory   Limit = "memory"   // Options.Memory, or a text or array that could never fit
	LimitStack    Limit = "stack"    // Options.Stack
	LimitResult   Limit = "result"   // Options.MaxResult
	LimitRequests Limit = "requests" // Options.MaxRequests
	LimitResponse Limit = "response" // Options.MaxResponse
	LimitTimers   Limit = "timers"   // 1000 timers waiting at once, or 10000 in all
	LimitConsole  Limit = "console"  // 1000 lines
	LimitCallback Limit = "callback" // nothing is left that could ever call the callback
)

// An Error says why a script cannot be compiled, or gave no profile. [Compile]
// returns it as it is; the error of [Script.Fetch] is an
// [*upstream.ProfileError] in which errors.As finds it.
//
// It holds no token and no secret of the login, nor what an identity provider
// answered: where the script put such a thing into its message, a mark stands
// instead.
type Error struct {
	Connection   string // its name, where it has one
	Limit        Limit  // "" if the run came to none
	Line, Column int    // from 1: where the text is not JavaScript; else 0
	Message      string // the script's own, or ours
	Err          error  // the cause, such as context.Canceled; its text is not part of the text
}

func (e *Error) Error() string { return "upstream: " + e.text() }

func (e *Error) Unwrap() error { return e.Err }

// Format prints the text whatever the verb: Err may hold more.
func (e *Error) Format(f fmt.State, verb rune) {
	if verb == 'q' {
		_, _ = fmt.Fprintf(f, "%q", e.Error())
		return
	}
	_, _ = f.Write([]byte(e.Error()))
}

func (e *Error) text() string {
	var b strings.Builder
	if e.Connection != "" {
		fmt.Fprintf(&b, "connection %q: ", e.Connection)
	}
	b.WriteString("fetchUserProfile script: ")
	if e.Line > 0 {
		fmt.Fprintf(&b, "line %d, column %d: ", e.Line, e.Column)
	}
	if e.Limit != "" {
		fmt.Fprintf(&b, "%s limit: ", e.Limit)
	}
	b.WriteString(e.Message)
	return b.String()
}

// profileError gives what Fetch returns: the form that Provider.FetchProfile
// takes the text from.
func (e *Error) profileError() *upstream.ProfileError {
	return &upstream.ProfileError{Message: e.text(), Err: e}
}

func limitError(l Limit, format string, args ...any) *Error {
	return &Error{Limit: l, Message: fmt.Sprintf(format, args...)}
}

func messageError(format string, args ...any) *Error {
	return &Error{Message: fmt.Sprintf(format, args...)}
}

// asError gives the *Error in err's chain, or wraps err in words of ours.
func asError(err error, message string) *Error {
	var own *Error
	if errors.As(err, &own) {
		return own
	}
	return &Error{Message: message, Err: err}
}
