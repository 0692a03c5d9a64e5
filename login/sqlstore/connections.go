package sqlstore

// This file owns the connections that live in the database: every version of
// each, and the news that there is one more. It must not know what a connection
// is; it keeps bytes.

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
)

// channel is PostgreSQL's for the news.
const channel = "upstream_connections"

// How often the version is looked at: news may be lost with a connection.
const (
	pollPostgres = 30 * time.Second
	pollSQLite   = time.Second // it has no news; a look costs microseconds
)

// A Connection is one version of a connection's JSON.
type Connection struct {
	Name    string
	Version int64     // of all connections, ascending
	Body    []byte    // nil: it was deleted
	Author  string    // who saved it, in the caller's words
	Saved   time.Time // to the millisecond
}

// SaveConnection adds a version of a connection, or, with a nil body, its
// deletion, and wakes those that Watch. What is there already is not saved again.
// The body is kept byte for byte; it is the caller who knows whether it is a
// connection that can be used. Versions that were there stay: see History.
func (s *Store) SaveConnection(ctx context.Context, name string, body []byte, author string) error {
	if name == "" {
		return errors.New("sqlstore: save: a connection needs a name")
	}
	text := sql.NullString{String: string(body), Valid: body != nil}
	for range 100 { // others save, too: each time, one of them gets the next version
		last, err := s.latest(ctx, name)
		if err != nil {
			return err
		}
		if last.Version == 0 && body == nil || last.Version != 0 && (last.Body == nil) == (body == nil) && bytes.Equal(last.Body, body) {
			return nil
		}
		result, err := s.db.ExecContext(ctx, `
			INSERT INTO upstream_connections (version, name, body, author, saved)
			SELECT COALESCE(MAX(version), 0) + 1, CAST($1 AS TEXT), CAST($2 AS TEXT), CAST($3 AS TEXT), CAST($4 AS BIGINT) FROM upstream_connections WHERE true
			ON CONFLICT DO NOTHING`, name, text, author, s.now().UnixMilli())
		if err != nil {
			return wrap("save", err)
		}
		if rows, err := result.RowsAffected(); err != nil || rows == 1 {
			if s.postgres != "" {
				// Lost news is no loss: Watch polls.
				_, _ = s.db.ExecContext(ctx, "SELECT pg_notify($1, '')", channel)
			}
			return wrap("save", err)
		}
	}
	return errors.New("sqlstore: save: too many others save at once")
}

// latest gives the newest version of a connection, the zero value if there is none.
func (s *Store) latest(ctx context.Context, name string) (c Connection, err error) {
	all, err := s.connections(ctx, "WHERE name = $1 ORDER BY version DESC LIMIT 1", name)
	if err == nil && len(all) == 1 {
		c = all[0]
	}
	return c, err
}

// Connections gives the newest version of each connection, sorted by name, without
// those that were deleted.
func (s *Store) Connections(ctx context.Context) ([]Connection, error) {
	return s.connections(ctx, `WHERE body IS NOT NULL AND version IN
		(SELECT MAX(version) FROM upstream_connections GROUP BY name) ORDER BY name`)
}

// History gives all versions of a connection, the newest first.
func (s *Store) History(ctx context.Context, name string) ([]Connection, error) {
	return s.connections(ctx, "WHERE name = $1 ORDER BY version DESC", name)
}

func (s *Store) connections(ctx context.Context, condition string, args ...any) (out []Connection, err error) {
	err = s.each(ctx, func(rows *sql.Rows) error {
		var c Connection
		var body sql.NullString
		var saved int64
		if err := rows.Scan(&c.Name, &c.Version, &body, &c.Author, &saved); err != nil {
			return err
		}
		if c.Saved = time.UnixMilli(saved); body.Valid {
			c.Body = []byte(body.String)
		}
		out = append(out, c)
		return nil
	}, "SELECT name, version, body, author, saved FROM upstream_connections "+condition, args...)
	return out, wrap("connections", err)
}

// Version gives the version that was saved last of all connections', 0 if there
// is none.
func (s *Store) Version(ctx context.Context) (version int64, err error) {
	err = s.db.QueryRowContext(ctx, "SELECT COALESCE(MAX(version), 0) FROM upstream_connections").Scan(&version)
	return version, wrap("version", err)
}

// Watch calls changed for each news that a connection was saved, in any process,
// and once at the beginning, until the context ends. PostgreSQL tells it at once
// (NOTIFY), and is asked every 30 seconds all the same, since news can be lost with
// the line that they come by; SQLite is asked every second. Several saves may be
// one call. changed is never called twice at once. If it gives an error, it is
// called again at the next look.
func (s *Store) Watch(ctx context.Context, changed func(context.Context) error) {
	wake, pause := make(chan struct{}, 1), pollSQLite
	if s.postgres != "" {
		pause = pollPostgres
		go s.listen(ctx, wake)
	}
	seen := int64(-1)
	for {
		if version, err := s.Version(ctx); err == nil && version != seen {
			if changed(ctx) == nil {
				seen = version
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-wake:
		case <-time.After(pause):
		}
	}
}

// listen wakes for PostgreSQL's news, by a line of its own.
func (s *Store) listen(ctx context.Context, wake chan<- struct{}) {
	for ctx.Err() == nil {
		if line, err := pgx.Connect(ctx, s.postgres); err == nil {
			_, err = line.Exec(ctx, "LISTEN "+channel)
			for err == nil {
				select {
				case wake <- struct{}{}: // the first time for what came before the line was up
				default: // it will look anyway
				}
				_, err = line.WaitForNotification(ctx)
			}
			_ = line.Close(context.WithoutCancel(ctx))
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}
