package main

// This file owns what may be written to the log. It must not know what happens.
//
// The rule for the rest of the program: log names, connections, applications
// and outcomes; never a value of a request, a token, a state or a profile.

import (
	"io"
	"log/slog"
	"slices"
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
