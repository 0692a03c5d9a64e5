package main

// This file owns where connections are kept: a folder with one JSON file for each,
// or the database. It must not know what is in them.

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"example.com/upstream"
	"example.com/upstream/login/sqlstore"
)

const (
	reloadEvery = time.Second
	maxFile     = 1 << 20 // bytes, as ParseConnection has it
)

// A content is the text of a connection, or why it cannot be read.
type content struct {
	text []byte
	err  error
}

// A Source keeps connections.
type Source interface {
	read(ctx context.Context) (map[string]content, error) // by name
	// watch calls changed whenever they may have changed, until the context ends.
	watch(ctx context.Context, changed func(context.Context) error)
	// history gives what is known of a connection's versions, the newest first.
	history(ctx context.Context, name string) ([]sqlstore.Connection, error)
}

// Folder is a Source of files NAME.json.
type Folder string

func (f Folder) read(context.Context) (map[string]content, error) {
	entries, err := os.ReadDir(string(f))
	if err != nil {
		return nil, err
	}
	out := map[string]content{}
	for _, entry := range entries {
		name, isJSON := strings.CutSuffix(entry.Name(), ".json")
		if !isJSON || name == "" || strings.HasPrefix(name, ".") || entry.IsDir() { // editors leave .x.json.swp and the like
			continue
		}
		text, err := readFile(filepath.Join(string(f), entry.Name()))
		out[name] = content{text, err}
	}
	return out, nil
}

// watch looks every second, which costs little, works on every file system, and
// needs no dependency.
func (f Folder) watch(ctx context.Context, changed func(context.Context) error) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(reloadEvery):
			_ = changed(ctx) // has been logged, and the next look may find it mended
		}
	}
}

func (Folder) history(context.Context, string) ([]sqlstore.Connection, error) { return nil, nil }

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxFile+1)) // one more, for ParseConnection to refuse
}

// Database is a Source of the connections in the server's database.
type Database struct{ *sqlstore.Store }

func (d Database) read(ctx context.Context) (map[string]content, error) {
	all, err := d.Connections(ctx)
	out := map[string]content{}
	for _, c := range all {
		out[c.Name] = content{text: c.Body}
	}
	return out, err
}

func (d Database) watch(ctx context.Context, changed func(context.Context) error) {
	d.Watch(ctx, changed)
}

func (d Database) history(ctx context.Context, name string) ([]sqlstore.Connection, error) {
	return d.History(ctx, name)
}

// Import saves the files of a folder in the database, those that are new or have
// changed. One that cannot be a connection is an error, and nothing is saved.
func (d Database) Import(ctx context.Context, folder, author string) error {
	contents, err := Folder(folder).read(ctx)
	if err != nil {
		return err
	}
	for _, c := range contents {
		if c.err == nil {
			_, c.err = upstream.ParseConnection(c.text)
		}
		if c.err != nil {
			return c.err
		}
	}
	for name, c := range contents {
		if err := d.SaveConnection(ctx, name, c.text, author); err != nil {
			return err
		}
	}
	return nil
}
