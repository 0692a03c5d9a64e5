// Package sqlstore keeps what an auth server has to remember in a database that
// all its replicas share: a file of SQLite on one machine, or PostgreSQL on many.
//
//	store, err := sqlstore.Open(ctx, "auth.db", nil)                 // SQLite
//	store, err := sqlstore.Open(ctx, "postgres://host/auth", nil)    // PostgreSQL
//	go store.SweepEvery(ctx, time.Minute)
//
// Most users need [Open] and give the [Store] to module login, whose Store
// interface it has by [Store.Spend]. Hosts that are auth servers themselves find
// more of what they need here:
//
//   - records that expire, some of them good for one use: codes, refresh tokens,
//     sessions ([Store.Put], [Store.Get], [Store.Take], [Store.Revoke]),
//   - keys that rotate ([Store.Keys]),
//   - connections, with their history ([Store.SaveConnection], [Store.Watch]).
//
// # What it promises
//
// Single use is one atomic statement each (INSERT ... ON CONFLICT DO NOTHING, or
// UPDATE ... WHERE NOT taken): of all callers, in all processes, one wins. When a
// call returns, what it has written survives the end of the process; whether it
// survives a loss of power is the database's configuration, whose default is yes.
//
// Names of records are secrets (codes, tokens), so only their SHA-256 hashes are
// stored. Bodies and keys are stored as they are: whoever reads the database can
// sign in the server's name.
//
// An error is never an answer: a caller who hears one must not go on as if it had
// won. Errors begin with "sqlstore: " and hold no name and no body of a record.
package sqlstore

// This file owns the database: which one, its tables, and the way to it. It must
// not know what the tables are for.

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // driver pgx
	_ "modernc.org/sqlite"             // driver sqlite
)

// A Store is a database. It is safe for concurrent use, and so are several in
// several processes over the same database. The zero value is not usable; see
// Open.
type Store struct {
	db       *sql.DB
	postgres string // URL; "" for SQLite
	now      func() time.Time
}

// sweepGrace is for how long rows stay after their time: the clock of the replica
// that sweeps may be ahead of the others'.
const sweepGrace = 5 * time.Minute

// busyTimeout is how long SQLite waits for another process's write to end.
const busyTimeout = 30 * time.Second

// The tables. Both databases understand these lines. Times are Unix milliseconds
// in UTC.
const schema = `
CREATE TABLE IF NOT EXISTS upstream_spent (
	id TEXT PRIMARY KEY, expires BIGINT NOT NULL);
CREATE INDEX IF NOT EXISTS upstream_spent_expires ON upstream_spent (expires);
CREATE TABLE IF NOT EXISTS upstream_records (
	id TEXT PRIMARY KEY, family TEXT NOT NULL, body TEXT NOT NULL, taken INTEGER NOT NULL, expires BIGINT NOT NULL);
CREATE INDEX IF NOT EXISTS upstream_records_expires ON upstream_records (expires);
CREATE TABLE IF NOT EXISTS upstream_keys (
	id TEXT PRIMARY KEY, use TEXT NOT NULL, body TEXT NOT NULL, created BIGINT NOT NULL, expires BIGINT NOT NULL);
CREATE TABLE IF NOT EXISTS upstream_connections (
	version BIGINT PRIMARY KEY, name TEXT NOT NULL, body TEXT, author TEXT NOT NULL, saved BIGINT NOT NULL);
CREATE INDEX IF NOT EXISTS upstream_connections_name ON upstream_connections (name, version);
`

// Open opens a database and makes the tables that it lacks, whose names begin
// with upstream_. source is a URL that begins with postgres:// or postgresql://,
// or the path of SQLite's file, which is made where there is none; ":memory:" is
// a database that ends with the Store. now may be nil, for time.Now.
func Open(ctx context.Context, source string, now func() time.Time) (*Store, error) {
	if now == nil {
		now = time.Now
	}
	s := &Store{now: now}
	var err error
	if IsPostgres(source) {
		s.postgres = source
		if s.db, err = sql.Open("pgx", source); err == nil {
			s.db.SetMaxOpenConns(16)
			s.db.SetMaxIdleConns(16)
			s.db.SetConnMaxIdleTime(time.Minute)
		}
	} else {
		if s.db, err = sql.Open("sqlite", sqliteName(source)); err == nil {
			// SQLite has one writer at a time. In one process they queue here, where
			// it is fair; between processes, in SQLite.
			s.db.SetMaxOpenConns(1)
		}
	}
	if err != nil {
		return nil, errors.New("sqlstore: the address of the database cannot be read") // the driver's words would hold its password
	}
	if err := s.prepare(ctx); err != nil {
		_ = s.db.Close()
		return nil, err
	}
	return s, nil
}

// IsPostgres reports whether Open would take a source for PostgreSQL's.
func IsPostgres(source string) bool {
	return strings.HasPrefix(source, "postgres://") || strings.HasPrefix(source, "postgresql://")
}

// sqliteName gives a file with the settings that go with it.
func sqliteName(path string) string {
	settings := url.Values{"_pragma": {
		fmt.Sprintf("busy_timeout(%d)", busyTimeout.Milliseconds()), // first: the next one may have to wait
		"journal_mode(WAL)", "synchronous(FULL)",
	}}
	if path == ":memory:" {
		return path
	}
	if absolute, err := filepath.Abs(path); err == nil {
		path = absolute
	}
	return (&url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: settings.Encode()}).String()
}

// prepare makes the tables. Two processes may do so at once, and PostgreSQL's IF
// NOT EXISTS does not bear that by itself.
func (s *Store) prepare(ctx context.Context) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return wrap("open", err)
	}
	defer tx.Rollback()
	if s.postgres != "" {
		const own = 0x7570_7374_7265_616d // any number that nobody else takes
		if _, err := tx.ExecContext(ctx, fmt.Sprintf("SELECT pg_advisory_xact_lock(%d)", own)); err != nil {
			return wrap("open", err)
		}
	}
	for _, statement := range strings.Split(schema, ";") {
		if strings.TrimSpace(statement) == "" {
			continue
		}
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return wrap("open", err)
		}
	}
	return wrap("open", tx.Commit())
}

// Close ends all calls under way.
func (s *Store) Close() error { return wrap("close", s.db.Close()) }

// Sweep deletes what has been too old for a while.
func (s *Store) Sweep(ctx context.Context) error {
	until := s.now().Add(-sweepGrace).UnixMilli()
	for _, table := range []string{"upstream_spent", "upstream_records", "upstream_keys"} {
		if _, err := s.db.ExecContext(ctx, "DELETE FROM "+table+" WHERE expires <= $1", until); err != nil {
			return wrap("sweep", err)
		}
	}
	return nil
}

// SweepEvery sweeps until the context ends. What fails is tried again the next
// time.
func (s *Store) SweepEvery(ctx context.Context, pause time.Duration) {
	ticker := time.NewTicker(pause)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			_ = s.Sweep(ctx)
		}
	}
}

// wrap gives an error its first word. Drivers' errors of statements hold no
// values, but for PostgreSQL's DETAIL, which Error does not print.
func wrap(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("sqlstore: %s: %w", what, err)
}

// hash gives the name under which something is stored.
func hash(kind, id string) string {
	sum := sha256.Sum256([]byte(kind + "\x00" + id))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
