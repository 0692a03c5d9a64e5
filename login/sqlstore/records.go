package sqlstore

// This file owns what expires and what is good for one use. It must not know
// what is in a record.

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

var (
	// ErrNotFound says that there is no such record, that its time is over, or
	// that its group was revoked.
	ErrNotFound = errors.New("sqlstore: unknown, revoked or too old")
	// ErrTaken says that a record was taken before.
	ErrTaken = errors.New("sqlstore: taken already")
)

// A Record is something to remember until a time.
type Record struct {
	Kind string // such as "code"
	ID   string // unique within the kind; a secret as a rule, and not stored
	// Group names what is revoked together, such as all that was issued for one
	// login; "" for a record that stands alone.
	Group string
	Body  []byte // UTF-8 without NUL, such as JSON
	// Expires is when the record is not found any more, to the millisecond.
	Expires time.Time
}

// Spend marks id as used, and reports whether it was not so before: of all calls
// with one id, in all processes, one hears true. After expires the id may be
// forgotten, never earlier. Where there is an error nobody has won.
func (s *Store) Spend(ctx context.Context, id string, expires time.Time) (first bool, err error) {
	result, err := s.db.ExecContext(ctx,
		"INSERT INTO upstream_spent (id, expires) VALUES ($1, $2) ON CONFLICT DO NOTHING", hash("", id), expires.UnixMilli())
	if err != nil {
		return false, wrap("spend", err)
	}
	rows, err := result.RowsAffected()
	return rows == 1 && err == nil, wrap("spend", err)
}

// Put keeps a record. One of the same kind and ID is an error.
func (s *Store) Put(ctx context.Context, r Record) error {
	_, err := s.db.ExecContext(ctx,
		"INSERT INTO upstream_records (id, family, body, taken, expires) VALUES ($1, $2, $3, 0, $4)",
		hash(r.Kind, r.ID), r.Group, string(r.Body), r.Expires.UnixMilli())
	return wrap("put", err)
}

// A record can be had while this holds. A revoked group is a row of the spent
// ones, so that what is put into it afterwards is revoked, too.
const alive = ` WHERE id = $1 AND expires > $2
	AND NOT EXISTS (SELECT 1 FROM upstream_spent WHERE upstream_spent.id = 'revoked ' || upstream_records.family)`

// Get gives a record, or ErrNotFound, or, for one that was taken, ErrTaken and a
// Record with its Group alone.
func (s *Store) Get(ctx context.Context, kind, id string) (Record, error) {
	r := Record{Kind: kind, ID: id}
	var expires int64
	var taken bool
	err := s.db.QueryRowContext(ctx,
		"SELECT family, body, expires, taken <> 0 FROM upstream_records"+alive, hash(kind, id), s.now().UnixMilli(),
	).Scan(&r.Group, &r.Body, &expires, &taken)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return Record{}, ErrNotFound
	case err != nil:
		return Record{}, wrap("get", err)
	case taken:
		return Record{Group: r.Group}, ErrTaken
	}
	r.Expires = time.UnixMilli(expires)
	return r, nil
}

// Take gives a record once, without its Expires: of all calls, in all processes,
// one hears no error. Until the given time the others hear ErrTaken, with a Record
// that has the Group alone, so that the caller can revoke it.
func (s *Store) Take(ctx context.Context, kind, id string, until time.Time) (Record, error) {
	r := Record{Kind: kind, ID: id}
	err := s.db.QueryRowContext(ctx,
		"UPDATE upstream_records SET taken = 1, expires = $3"+alive+" AND taken = 0 RETURNING family, body",
		hash(kind, id), s.now().UnixMilli(), until.UnixMilli(),
	).Scan(&r.Group, &r.Body)
	if !errors.Is(err, sql.ErrNoRows) {
		return r, wrap("take", err)
	}
	if r, err = s.Get(ctx, kind, id); err == nil {
		return Record{}, ErrNotFound // it was put a moment ago, and not taken here
	}
	return r, err
}

// Delete forgets a record. That there is none is no error.
func (s *Store) Delete(ctx context.Context, kind, id string) error {
	_, err := s.db.ExecContext(ctx, "DELETE FROM upstream_records WHERE id = $1", hash(kind, id))
	return wrap("delete", err)
}

// Revoke makes all records of a group unknown until the given time, which should
// be that of the one that lives longest; those that are put later are unknown as
// well. A group that was revoked stays so.
func (s *Store) Revoke(ctx context.Context, group string, until time.Time) error {
	_, err := s.db.ExecContext(ctx,
		"INSERT INTO upstream_spent (id, expires) VALUES ($1, $2) ON CONFLICT DO NOTHING", "revoked "+group, until.UnixMilli())
	return wrap("revoke", err)
}
