package main

import (
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/upstream/login/sqlstore"
)

// Connections in the database: what one replica saves the other serves, without a
// restart; a broken one keeps the last good version serving; versions stay.
func TestDatabase(t *testing.T) {
	onEach(t, func(t *testing.T, database string) {
		store, err := sqlstore.Open(t.Context(), database, nil)
		require.NoError(t, err)
		t.Cleanup(func() { assert.NoError(t, store.Close()) })
		dir, logs := t.TempDir(), &buffer{}
		require.NoError(t, os.WriteFile(filepath.Join(dir, "new.json"), []byte(goodFile), 0o600))
		require.NoError(t, Database{store}.Import(t.Context(), dir, "ann"))
		require.NoError(t, Database{store}.Import(t.Context(), dir, "bob"), "nothing new")
		s, err := NewServer(t.Context(), Config{
			Issuer: "https://auth.example.com", Store: store, Source: Database{store}, Client: http.DefaultClient, Log: newLogger(logs), Now: time.Now,
		})
		require.NoError(t, err)
		assert.Equal(t, "New", s.Connections.get("new").config.DisplayName)

		ctx, stop := context.WithCancel(t.Context())
		var reloads atomic.Int64
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			s.Source.watch(ctx, func(ctx context.Context) error {
				defer reloads.Add(1)
				return s.Connections.Reload(ctx)
			})
		}()
		require.Eventually(t, func() bool { return reloads.Load() > 0 }, time.Minute, 10*time.Millisecond)
		other, err := sqlstore.Open(t.Context(), database, nil) // as another process would
		require.NoError(t, err)
		t.Cleanup(func() { assert.NoError(t, other.Close()) })
		save := func(text string, done func() bool) {
			var body []byte
			if text != "" {
				body = []byte(text)
			}
			require.NoError(t, other.SaveConnection(t.Context(), "new", body, "bob"))
			require.Eventually(t, done, time.Minute, 10*time.Millisecond, "%.30s", text)
		}
		save(strings.Replace(goodFile, `"New"`, `"Newer"`, 1), func() bool { return s.Connections.get("new").config.DisplayName == "Newer" })
		save(`{"name": "new"`, func() bool { return strings.Contains(logs.String(), "last_good_version_serves=true") })
		assert.Equal(t, "Newer", s.Connections.get("new").config.DisplayName)
		save("", func() bool { return s.Connections.get("new") == nil })
		save(goodFile, func() bool { return s.Connections.get("new") != nil })
		stop()
		<-ended

		history, err := s.Source.history(t.Context(), "new")
		require.NoError(t, err)
		require.Len(t, history, 5)
		assert.Equal(t, "bob", history[0].Author)
		assert.Nil(t, history[1].Body)
		assert.Equal(t, "ann", history[4].Author)
		assert.Equal(t, goodFile, string(history[4].Body), "byte for byte")

		require.NoError(t, os.WriteFile(filepath.Join(dir, "broken.json"), []byte("{"), 0o600))
		assert.Error(t, Database{store}.Import(t.Context(), dir, "ann"))
		assert.Error(t, Database{store}.Import(t.Context(), dir+"-gone", "ann"))
		all, err := store.Connections(t.Context())
		require.NoError(t, err)
		assert.Len(t, all, 1, "nothing of a folder that cannot be read whole")
	})
}

// The operator sees the versions, and what an option that nobody knows comes to.
func TestOperator_HistoryAndWarnings(t *testing.T) {
	store, err := sqlstore.Open(t.Context(), ":memory:", nil)
	require.NoError(t, err)
	defer store.Close()
	logs := &buffer{}
	text := strings.Replace(goodFile, `"scope": "a",`, `"scope": "a", "made_up_option": "planted-value",`, 1)
	require.NoError(t, store.SaveConnection(t.Context(), "new", []byte(text), "ann <b>"))
	s, err := NewServer(t.Context(), Config{
		Issuer: "https://auth.example.com", Store: store, Source: Database{store}, Client: http.DefaultClient, Log: newLogger(logs), Now: time.Now,
	})
	require.NoError(t, err)
	page := get(s.Operator("operator.example"), "http://operator.example/connections/new/explain")
	assert.Contains(t, section(page, "history"), "1")
	assert.Contains(t, section(page, "history"), "ann <b>")
	assert.NotContains(t, page, "<b>")
	assert.Contains(t, section(page, "warnings"), "/options/made_up_option")
	assert.Contains(t, get(s.Operator("operator.example"), "http://operator.example/connections"), "1 without effect")
	assert.Contains(t, logs.String(), `msg="connection has something without effect" connection=new problem.pointer=/options/made_up_option`)
	assert.NotContains(t, logs.String()+page, "planted")
}

// get gives the body of a handler's answer.
func get(h http.Handler, address string) string {
	w := newBody()
	r, _ := http.NewRequest(http.MethodGet, address, nil)
	h.ServeHTTP(w, r)
	return w.String()
}

// A body collects an answer's.
type body struct {
	strings.Builder
	header http.Header
}

func newBody() *body                { return &body{header: http.Header{}} }
func (b *body) Header() http.Header { return b.header }
func (b *body) WriteHeader(int)     {}

// Where the connections do not lead to the identity provider that was started,
// somebody is told.
func TestTellElsewhere(t *testing.T) {
	c, _, write, _ := folder(t)
	write("new.json", goodFile)
	var out strings.Builder
	tellElsewhere(&out, c, "localhost:8081")
	assert.Contains(t, out.String(), "connection new does not name http://localhost:8081")
	out.Reset()
	write("new.json", strings.ReplaceAll(goodFile, "https://idp.example/", "http://localhost:8081/"))
	tellElsewhere(&out, c, "localhost:8081")
	assert.Empty(t, out.String())
	tellElsewhere(&out, c, "localhost:9999")
	assert.NotEmpty(t, out.String())
}

// Told to end, the program lets the requests that are under way end.
func TestDrain(t *testing.T) {
	logs := &buffer{}
	begun, answer := make(chan struct{}), make(chan struct{})
	address := freeAddresses(t, "127.0.0.1")[0]
	end, err := serve(address, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(begun)
		<-answer
		_, _ = io.WriteString(w, "whole")
	}), newLogger(logs), make(chan error, 1))
	require.NoError(t, err)
	got := make(chan string, 1)
	go func() {
		resp, err := http.Get("http://" + address)
		if err != nil {
			got <- err.Error()
			return
		}
		defer resp.Body.Close()
		text, _ := io.ReadAll(resp.Body)
		got <- string(text)
	}()
	<-begun
	ended := make(chan struct{})
	go func() { end(); close(ended) }()
	require.Eventually(t, func() bool { // it takes nobody new
		_, err := http.Get("http://" + address + "/another")
		return err != nil
	}, time.Minute, 10*time.Millisecond)
	select {
	case <-ended:
		t.Error("it did not wait")
	default:
	}
	close(answer)
	assert.Equal(t, "whole", <-got)
	<-ended
	assert.Empty(t, logs.String())
}
