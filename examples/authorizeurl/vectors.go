package main

// This file answers conformance vectors: scenarios in the format of
// testdata/vectors/README.md, one JSON object a line.

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"example.com/upstream"
)

const maxLine = 16 << 20 // bytes; a connection of 1 MiB and a query of 32 KiB fit many times

// A vector is the input of one scenario.
type vector struct {
	name       string
	connection json.RawMessage // untouched: ParseConnection sees a doubled member
	request    string
	tx         upstream.Transaction
}

// A result is the line that answers a vector.
type result struct {
	Name  string   `json:"name"`
	URL   string   `json:"url,omitempty"`
	Error *failure `json:"error,omitempty"`
}

func answerVectors(in io.Reader, out io.Writer) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxLine)
	enc := newEncoder(out)
	n := 1
	for ; lines.Scan(); n++ {
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		v, err := readVector(lines.Bytes())
		if err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
		if err := enc.Encode(v.answer()); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("line %d: %w", n, err)
	}
	return nil
}

// readVector takes a line apart member by member, because a struct would also
// accept names that differ in case.
func readVector(line []byte) (v vector, err error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(line, &members); err != nil {
		return v, err
	}
	if members == nil {
		return v, errors.New("not a JSON object")
	}
	var tx map[string]json.RawMessage
	for name, text := range members {
		switch name {
		case "connection":
			v.connection = text
		case "name":
			err = json.Unmarshal(text, &v.name)
		case "request":
			err = json.Unmarshal(text, &v.request)
		case "transaction":
			err = json.Unmarshal(text, &tx)
		case "rule", "note", "url", "error": // for other readers
		default:
			err = errors.New("unknown member")
		}
		if err != nil {
			return v, fmt.Errorf("%q: %w", name, err)
		}
	}
	for name, text := range tx {
		var into any
		switch name {
		case "redirect_uri":
			into = &v.tx.RedirectURI
		case "state":
			into = &v.tx.State
		case "nonce":
			into = &v.tx.Nonce
		case "code_verifier":
			into = &v.tx.CodeVerifier
		case "request_token":
			into = &v.tx.RequestToken
		case "extra":
			into = &v.tx.Extra
		default:
			return v, fmt.Errorf("\"transaction\": unknown member %q", name)
		}
		if err := json.Unmarshal(text, into); err != nil {
			return v, fmt.Errorf("\"transaction\": %q: %w", name, err)
		}
	}
	return v, nil
}

func (v *vector) answer() result {
	target, err := v.authorizationURL()
	if err == nil {
		return result{Name: v.name, URL: target}
	}
	return result{Name: v.name, Error: describe(err)}
}

// authorizationURL goes from configuration to request to transaction, so that
// of several errors the one that concerns the most logins comes first.
func (v *vector) authorizationURL() (string, error) {
	conn, err := upstream.ParseConnection(v.connection)
	if err != nil {
		return "", err
	}
	provider, err := upstream.NewProvider(conn)
	if err != nil {
		return "", err
	}
	req, err := upstream.ParseAuthorizeQuery(v.request)
	if err != nil {
		return "", err
	}
	return provider.AuthorizationURL(req, v.tx)
}
