package sqlstore

// This file owns the keys that replicas share. It must not know what they are
// for, or what they look like.

import (
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"time"
)

// A Key is one that the server's replicas share.
type Key struct {
	Body    []byte
	Created time.Time // to the millisecond
}

// Keys gives the keys for a use, such as "signing", the newest first. Where there
// is none for the current period it makes one, by generate: however many replicas
// ask at once, all hear the same. every is a period's length, and keep how long a
// key is given after it was made; with the same use, all calls must have the same
// of both. So the first of the keys signs or seals, and all of them check or open.
func (s *Store) Keys(ctx context.Context, use string, every, keep time.Duration, generate func() ([]byte, error)) ([]Key, error) {
	if every <= 0 || keep < every {
		return nil, errors.New("sqlstore: keys: every must be above zero, and keep no less")
	}
	now := s.now()
	current := fmt.Sprintf("%s/%d", use, now.UnixNano()/int64(every))
	keys, found, err := s.keys(ctx, use, current, now)
	if err != nil || found {
		return keys, err
	}
	body, err := generate()
	if err != nil {
		return nil, err
	}
	_, err = s.db.ExecContext(ctx,
		"INSERT INTO upstream_keys (id, use, body, created, expires) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
		current, use, base64.StdEncoding.EncodeToString(body), now.UnixMilli(), now.Add(keep).UnixMilli())
	if err != nil {
		return nil, wrap("keys", err)
	}
	keys, _, err = s.keys(ctx, use, current, now)
	return keys, err
}

func (s *Store) keys(ctx context.Context, use, current string, now time.Time) (keys []Key, found bool, err error) {
	err = s.each(ctx, func(rows *sql.Rows) error {
		var id, body string
		var created int64
		if err := rows.Scan(&id, &body, &created); err != nil {
			return err
		}
		raw, err := base64.StdEncoding.DecodeString(body)
		if err != nil {
			return errors.New("a key cannot be read") // without what is in it
		}
		keys, found = append(keys, Key{raw, time.UnixMilli(created)}), found || id == current
		return nil
	}, "SELECT id, body, created FROM upstream_keys WHERE use = $1 AND expires > $2 ORDER BY created DESC, id DESC", use, now.UnixMilli())
	return keys, found, wrap("keys", err)
}

// each calls scan for each row of a query's answer.
func (s *Store) each(ctx context.Context, scan func(*sql.Rows) error, query string, args ...any) error {
	rows, err := s.db.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
