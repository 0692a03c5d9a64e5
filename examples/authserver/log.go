package main

// This file owns what may be written to the log. It must not know what happens.
//
// The rule for the rest of the program: log names, connections, applications
// and outcomes; never a value of a request, a token, a state or a profile.

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime"
	"slices"
	"strings"
)

// newLogger is for this program's own lines.
func newLogger(w io.Writer) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, nil))
}

// newLibraryLogger is for slog's default logger, to which the OpenID library
// writes. Its attributes hold states, addresses and parts of tokens, so only a
// few get through; its lines about ordinary requests do not.
func newLibraryLogger(w io.Writer) *slog.Logger {
	harmless := []string{slog.TimeKey, slog.LevelKey, slog.MessageKey, "type", "status_code"}
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{
		Level: slog.LevelWarn,
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if !slices.Contains(harmless, a.Key) {
				return slog.Attr{}
			}
			return a
		},
	}))
}

// logPanics notes that a handler panicked, on which route and in which line. The
// panic's value may hold anything of a request, so it goes nowhere: net/http,
// which would log it, gets another one that ends the connection in silence.
func logPanics(log *slog.Logger, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			switch recover() {
			case nil:
				return
			case http.ErrAbortHandler: // a handler's way to end the connection, and no fault
			default:
				log.Error("panic", "route", r.Pattern, "at", panicLine())
			}
			panic(http.ErrAbortHandler)
		}()
		next.ServeHTTP(w, r)
	})
}

// panicLine gives the function and line that the panic under way began in.
func panicLine() string {
	callers := make([]uintptr, 64)
	frames := runtime.CallersFrames(callers[:runtime.Callers(0, callers)])
	for panicking, more := false, true; more; {
		var frame runtime.Frame
		frame, more = frames.Next()
		switch {
		case frame.Function == "runtime.gopanic":
			panicking = true
		case panicking && !strings.HasPrefix(frame.Function, "runtime."): // those turn a fault into a panic
			return fmt.Sprintf("%s:%d", frame.Function, frame.Line)
		}
	}
	return ""
}
