package endpoint

// This file owns the words for a request that failed: our own, since an error's
// may quote what the server sent, or the URL. It knows nothing of what was asked for.
// (rule H8)
//
// Two things may be told of a server's: the status, and an error code that is a
// registered one (codes.go). Both are from a closed set, so that no server can put
// a token, or a line of its own, into a host's log.

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"

	"golang.org/x/oauth2"
)

// Failure puts an error from oauth2 into words, and gives what may be wrapped: what
// a program decides by (status and code of a RetrieveError, the context's errors, the
// network's), and nothing whose text it would print without having asked for it.
//
// The order is from the particular to the general: net/http puts what our transport
// says of an answer into a url.Error of its own.
func Failure(err error) (reason string, cause error) {
	var refused *oauth2.RetrieveError
	var transport *url.Error
	var unread *AnswerError
	switch {
	case errors.As(err, &unread): // says all there is
		return unread.Error(), nil
	case errors.As(err, &refused):
		return refusal(refused), bare(refused)
	case errors.As(err, &transport):
		err = Cause(err)
		return Reason(err), err
	case errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded):
		return Reason(err), err
	}
	// oauth2 could not read the answer, and its text may quote it.
	return unreadable, nil
}

// bare leaves of the request what was asked and where: an error that somebody logs
// in full leads to it, and it has headers and the form. Here, not where the answer
// is read, since answers that are a success go no further than oauth2.
func bare(e *oauth2.RetrieveError) *oauth2.RetrieveError {
	if resp := e.Response; resp != nil && resp.Request != nil {
		resp.Request = &http.Request{Method: resp.Request.Method, URL: resp.Request.URL, Header: http.Header{}}
	}
	return e
}

// refusal says why the server gave no token: the status and, where it is a
// registered one, the OAuth error code (RFC 6749 section 5.2). Descriptions may repeat
// what was sent. A redirect is the URL's fault, whatever its body says: its code is
// not looked at.
func refusal(e *oauth2.RetrieveError) string {
	reason := "no token"
	if e.Response != nil {
		status := e.Response.StatusCode
		reason = fmt.Sprintf("status %d", status)
		if 300 <= status && status <= 399 {
			return reason + ": it redirects, which is never followed; correct the URL"
		}
	}
	switch {
	case Registered(e.ErrorCode):
		return reason + ", error " + e.ErrorCode
	case e.ErrorCode != "":
		return reason + ", an error code that is not registered"
	}
	return reason
}

// A StatedError is of a module that sits inside the transport: its text is the
// module's own, and quotes nothing.
type StatedError struct {
	Text string
	Err  error
}

func (e *StatedError) Error() string { return e.Text }
func (e *StatedError) Unwrap() error { return e.Err }

// Hide gives a cause that fmt does not follow into, and errors.As and errors.Is do:
// not every program prints an error through its Format.
func Hide(err error) error { return hidden{func() error { return err }} }

type hidden struct{ err func() error }

func (h hidden) Error() string { return h.err().Error() }
func (h hidden) Unwrap() error { return h.err() }

// Reason puts a failed request into words of our own: the error's may
// quote what the server sent, or the URL. The context's end goes before what broke
// because of it, and a timeout before the name or the call that took too long.
func Reason(err error) string {
	var stated *StatedError
	var size *TooLargeError
	var timeout net.Error
	var name *net.DNSError
	var system *os.SyscallError
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.As(err, &stated):
		return stated.Text
	case errors.As(err, &size):
		return size.Error()
	case errors.Is(err, context.Canceled):
		return "the request was canceled"
	case errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout():
		return "the request timed out"
	case errors.As(err, &name):
		return "the host name could not be resolved"
	case errors.As(err, &system):
		return "the connection failed: " + system.Error() // the operating system's words
	case errors.As(err, &certificate):
		return "the server's certificate could not be verified"
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return "the connection ended before the answer did"
	}
	return "the request failed; the wrapped error has the cause"
}

// Refused says what a userinfo endpoint's status means. 401 and 403 are those of a
// bearer token that does not do (RFC 6750 section 3.1).
func Refused(status int) string {
	message := fmt.Sprintf("status %d", status)
	switch {
	case 300 <= status && status <= 399:
		message += ": it redirects, which is never followed; correct the URL"
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		message += ": it refuses the access token; see whether the connection's scope covers the profile"
	}
	return message
}
