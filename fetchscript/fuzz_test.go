package fetchscript_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"example.com/upstream"
	"example.com/upstream/fetchscript"
)

// FuzzScript runs any text as a script: nothing panics, the limits hold, and what
// comes out is a profile or an error of the documented type without the token.
func FuzzScript(f *testing.F) {
	f.Add(sample)
	f.Add(sharing)
	f.Add("module.exports = async (t, c) => ({ user_id: c.client_id })")
	for _, h := range hostile {
		f.Add("function (t, c, cb) { " + h.body + " }")
	}
	o := fetchscript.Options{Timeout: 200 * time.Millisecond, CPU: 100 * time.Millisecond, Memory: 8 << 20, Idle: 1}
	f.Fuzz(func(t *testing.T, source string) {
		s, err := o.Compile(source)
		var own *fetchscript.Error
		if err != nil {
			if !errors.As(err, &own) {
				t.Fatalf("Compile: %T %v", err, err)
			}
			if lines := strings.Count(source, "\n") + 1; own.Line < 0 || own.Line > lines {
				t.Fatalf("Compile: line %d of %d", own.Line, lines)
			}
			return
		}
		profile, err := s.Fetch(answering(t.Context(), account), token(nil), connection())
		checkOutcome(t, profile, err)
	})
}

// FuzzBody has an identity provider answer anything.
func FuzzBody(f *testing.F) {
	for _, body := range []string{account, "", "null", `{"id": 9007199254740993}`, `{"__proto__": {"id": 1}}`, `{"sub": 1, "sub": 2}`, `{"id": -0}`, `[1e400, "\ud800", {"a": [[[[]]]]}]`, "\xff{}", `{"id": "\u0000"}`} {
		f.Add(body)
	}
	script, err := fetchscript.Options{Memory: 16 << 20}.Compile(`(t, c, cb) => request.get({ url: 'https://idp.example.com/me', json: true }, (e, r, b) => {
		if (e) return cb(e);
		const text = JSON.stringify(b);
		if (({}).id !== undefined) return cb('polluted');
		cb(null, b && b.account ? { user_id: b.account.uuid, raw: b } : b);
	})`)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body string) {
		profile, err := script.Fetch(answering(t.Context(), body), token(nil), connection())
		checkOutcome(t, profile, err)
		if err != nil && strings.Contains(err.Error(), "polluted") {
			t.Fatal("the body reached Object.prototype")
		}
		// An integer that is in the body is in the profile with the same digits.
		var plain struct {
			ID json.Number `json:"user_id"`
		}
		if profile != nil && json.Unmarshal([]byte(body), &plain) == nil && plain.ID != "" && !strings.ContainsAny(string(plain.ID), ".eE-") &&
			strings.Count(strings.ToLower(body), "user_id") == 1 && !strings.Contains(body, `"account"`) && strings.HasPrefix(body, `{"user_id":`) && profile.UserID != string(plain.ID) {
			t.Fatalf("id %s became %s", plain.ID, profile.UserID)
		}
	})
}

// FuzzRedact looks for a secret in what is left of a message.
func FuzzRedact(f *testing.F) {
	f.Add("AT-123456", personal, "kept: AT-123456 "+personal)
	f.Add("a+b/c==", "short", "x a%2Bb%2Fc%3D%3D short")
	f.Fuzz(func(t *testing.T, secret, body, text string) {
		out := fetchscript.Redact([]string{secret}, []string{body}, text)
		if len(out) > 1<<10+200 {
			t.Fatalf("%d bytes", len(out))
		}
		if len(secret) >= 4 && !strings.Contains("[redacted][response body]", secret) && strings.Contains(text, secret) &&
			strings.Count(out, secret) >= strings.Count(text, secret) && len(text) < 1<<10 && !strings.ContainsAny(secret, " [") {
			t.Fatalf("%q is in %q", secret, out)
		}
	})
}

func checkOutcome(t *testing.T, profile *upstream.Profile, err error) {
	if err == nil {
		if profile.UserID == "" {
			t.Fatal("a profile without user_id")
		}
		return
	}
	var own *fetchscript.Error
	var outer *upstream.ProfileError
	if !errors.As(err, &own) || !errors.As(err, &outer) {
		t.Fatalf("%T %v", err, err)
	}
	if strings.Contains(err.Error(), accessToken) || strings.Contains(err.Error(), clientSecret) {
		t.Fatalf("a secret is in %q", err)
	}
	if strings.Count(err.Error(), "upstream: ") != 1 && !strings.Contains(own.Message, "upstream: ") {
		t.Fatalf("prefix of %q", err)
	}
}
