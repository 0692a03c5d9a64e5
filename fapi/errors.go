package fapi

// This file owns the module's error and its text.

import (
	"context"
	"errors"
	"fmt"

	"example.com/upstream/internal/endpoint"
)

// An Error is the error of all functions of this module. Its text names the
// stage and the remedy, and holds no key, token, assertion, proof, URL query or
// word of the identity provider's.
type Error struct {
	// Stage is "key" or "connection" while things are set up; "assertion",
	// "proof", "push", "request object", "token", "resource" or "id_token" in a login.
	Stage string
	// Status is that of the identity provider's answer, 0 where none counts.
	Status int
	// Code is the OAuth error code of that answer, "" where it has none that
	// looks like one. It is for logs: applications get the codes of SPEC's own.
	Code string

	message string
	err     error
}

// Error begins with "fapi: " and the stage.
func (e *Error) Error() string {
	text := "fapi: " + e.Stage + ": " + e.message
	if e.Status != 0 {
		text += fmt.Sprintf(" (status %d", e.Status)
		if e.Code != "" {
			text += ", error " + e.Code
		}
		text += ")"
	}
	return text
}

// Unwrap gives the cause, where there is one: of a request that failed, the
// transport's error, whose text may hold more than ours.
func (e *Error) Unwrap() error { return e.err }

// stated lets package upstream, in whose requests we sit, say our reason.
func stated(err error) error {
	if own := (*Error)(nil); errors.As(err, &own) {
		return &endpoint.StatedError{Text: own.Stage + ": " + own.message, Err: own}
	}
	return err
}

// Format prints the text, whatever the verb: what is wrapped may hold more.
func (e *Error) Format(f fmt.State, verb rune) {
	text := e.Error()
	if verb == 'q' {
		text = fmt.Sprintf("%q", text)
	}
	printText(f, text)
}

func keyError(format string, args ...any) *Error {
	return &Error{Stage: "key", message: fmt.Sprintf(format, args...)}
}

func connectionError(format string, args ...any) *Error {
	return &Error{Stage: "connection", message: fmt.Sprintf(format, args...)}
}

// requestFailed puts a transport's error into words of our own.
func requestFailed(stage string, err error) *Error {
	err = endpoint.Cause(err)
	return &Error{Stage: stage, message: endpoint.Reason(err), err: err}
}

// signFailed is for a key that gave no signature. What a remote signer says may
// hold what it was asked to sign, so it is wrapped and not quoted.
func signFailed(stage string, err error) *Error {
	message := "the key gave no signature; the wrapped error has the cause"
	switch {
	case errors.Is(err, errSignature):
		message = errSignature.Error()
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		message = "the key gave no signature in time"
	}
	return &Error{Stage: stage, message: message, err: err}
}

// errorCode gives an OAuth error code that is fit to print, else "".
func errorCode(code string) string {
	for i := range len(code) {
		if b := code[i]; (b < 'a' || b > 'z') && b != '_' {
			return ""
		}
	}
	if len(code) > maxErrorCode {
		return ""
	}
	return code
}

const maxErrorCode = 40 // characters
