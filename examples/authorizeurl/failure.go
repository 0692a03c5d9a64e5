package main

// This file tells the library's errors apart and prints them: for people one
// problem a line, for programs as JSON.

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"example.com/upstream"
)

// A failure is an error as JSON.
type failure struct {
	Kind     string    `json:"kind,omitempty"`     // config, protocol kinds, request, transaction; "" for what is not the library's
	At       []string  `json:"at,omitempty"`       // of a ConfigError: the pointers, sorted
	Problems []problem `json:"problems,omitempty"` // of a ConfigError, where the program asked for JSON
	Param    *string   `json:"param,omitempty"`    // of a RequestError; "" if it is about the whole request
	Field    string    `json:"field,omitempty"`    // of a TransactionError
	Message  string    `json:"message"`
}

type problem struct {
	Pointer string `json:"pointer"`
	Message string `json:"message"`
}

func describe(err error) *failure {
	f := &failure{Message: err.Error()}
	var (
		config      *upstream.ConfigError
		protocol    *upstream.ProtocolError
		request     *upstream.RequestError
		transaction *upstream.TransactionError
	)
	switch {
	case errors.Is(err, upstream.ErrSAML): // before ProtocolError, which it is too
		f.Kind = "saml"
	case errors.As(err, &protocol):
		f.Kind = "unsupported"
	case errors.As(err, &config):
		f.Kind = "config"
		for _, p := range config.Problems {
			f.At = append(f.At, p.Pointer)
		}
		slices.Sort(f.At)
	case errors.As(err, &request):
		f.Kind, f.Param = "request", &request.Parameter
	case errors.As(err, &transaction):
		f.Kind, f.Field = "transaction", transaction.Field
	}
	return f
}

// printError writes an error for people; several problems have a line each.
func printError(w io.Writer, err error) {
	var config *upstream.ConfigError
	if !errors.As(err, &config) || len(config.Problems)+config.More < 2 {
		fmt.Fprintln(w, "authorizeurl:", visible(err.Error()))
		return
	}
	fmt.Fprintf(w, "authorizeurl: connection %s: %d problems\n", visible(fmt.Sprintf("%q", config.Connection)), len(config.Problems)+config.More)
	for _, p := range config.Problems {
		fmt.Fprintf(w, "authorizeurl: %s %s\n", visible(p.Pointer), visible(p.Message))
	}
	if config.More > 0 {
		fmt.Fprintf(w, "authorizeurl: and %d more\n", config.More)
	}
}

// printJSONError writes an error for programs.
func printJSONError(w io.Writer, err error) error {
	f := describe(err)
	var config *upstream.ConfigError
	if f.Kind == "config" && errors.As(err, &config) {
		for _, p := range config.Problems {
			f.Problems = append(f.Problems, problem(p))
		}
	}
	return newEncoder(w).Encode(struct {
		Error *failure `json:"error"`
	}{f})
}

// printWarnings writes what the connection says and nothing will come of.
func printWarnings(w io.Writer, conn *upstream.Connection) {
	for _, p := range conn.Warnings() {
		fmt.Fprintf(w, "authorizeurl: warning: %s %s\n", visible(p.Pointer), visible(p.Message))
	}
}
