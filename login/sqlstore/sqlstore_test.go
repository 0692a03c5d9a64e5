package sqlstore_test

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/upstream/internal/pgtest"
	"example.com/upstream/login/sqlstore"
)

// racerSource makes the test's program a racer over a database.
const racerSource = "SQLSTORE_TEST_RACER"

func TestMain(m *testing.M) {
	if source := os.Getenv(racerSource); source != "" {
		if err := race(source, os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// A clock can be put forward.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }

// onEach runs a test over both databases. open gives one more handle to the one
// of the test.
func onEach(t *testing.T, test func(t *testing.T, source string, open func(*clock) *sqlstore.Store)) {
	for name, source := range map[string]func(testing.TB) string{
		"SQLite":     func(t testing.TB) string { return filepath.Join(t.TempDir(), "a b?c#d%.db") }, // nothing of a path is syntax
		"PostgreSQL": pgtest.Start,
	} {
		t.Run(name, func(t *testing.T) {
			source := source(t)
			test(t, source, func(c *clock) *sqlstore.Store {
				s, err := sqlstore.Open(t.Context(), source, c.now)
				require.NoError(t, err)
				t.Cleanup(func() { assert.NoError(t, s.Close()) })
				return s
			})
		})
	}
}

func TestL1Spend(t *testing.T) {
	onEach(t, func(t *testing.T, _ string, open func(*clock) *sqlstore.Store) {
		c := &clock{}
		a, b := open(c), open(c)
		spend := func(s *sqlstore.Store, id string) bool {
			first, err := s.Spend(t.Context(), id, c.now().Add(time.Minute))
			require.NoError(t, err)
			return first
		}
		assert.True(t, spend(a, "x"))
		assert.False(t, spend(a, "x"))
		assert.False(t, spend(b, "x"), "at the other replica")
		assert.True(t, spend(b, "X"), "names differ by case, too")
		assert.True(t, spend(b, "x "))
		assert.True(t, spend(b, ""))
		c.ahead.Add(int64(time.Minute))
		require.NoError(t, b.Sweep(t.Context()))
		assert.False(t, spend(a, "x"), "other clocks may be behind")
		c.ahead.Add(int64(time.Hour))
		require.NoError(t, b.Sweep(t.Context()))
		assert.True(t, spend(a, "x"), "forgotten, as the login is too old by then")

		ctx, stop := context.WithCancel(t.Context())
		stop()
		first, err := a.Spend(ctx, "y", c.now().Add(time.Minute))
		assert.Error(t, err)
		assert.False(t, first, "an error is no win")
	})
}

func TestRecords(t *testing.T) {
	onEach(t, func(t *testing.T, _ string, open func(*clock) *sqlstore.Store) {
		c := &clock{}
		a, b := open(c), open(c)
		ctx := t.Context()
		until := c.now().Add(time.Hour)
		r := sqlstore.Record{Kind: "code", ID: "secret", Group: "login 1", Body: []byte(`{"ü":"'"}`), Expires: time.UnixMilli(c.now().Add(time.Minute).UnixMilli())}
		require.NoError(t, a.Put(ctx, r))
		assert.Error(t, b.Put(ctx, r), "a name is given once")
		got, err := b.Get(ctx, "code", "secret")
		require.NoError(t, err)
		assert.Equal(t, r, got)
		for _, other := range [][2]string{{"token", "secret"}, {"code", "Secret"}, {"", "codesecret"}, {"code", ""}} {
			_, err = b.Get(ctx, other[0], other[1])
			assert.ErrorIs(t, err, sqlstore.ErrNotFound, other)
		}

		got, err = a.Take(ctx, "code", "secret", until)
		require.NoError(t, err)
		r.Expires = time.Time{}
		assert.Equal(t, r, got)
		c.ahead.Add(int64(2 * time.Minute)) // a replay is told after the code's own time as well
		for _, s := range []*sqlstore.Store{a, b} {
			got, err = s.Take(ctx, "code", "secret", until)
			assert.ErrorIs(t, err, sqlstore.ErrTaken)
			assert.Equal(t, sqlstore.Record{Group: "login 1"}, got)
			_, err = s.Get(ctx, "code", "secret")
			assert.ErrorIs(t, err, sqlstore.ErrTaken)
		}
		_, err = a.Take(ctx, "code", "never was", until)
		assert.ErrorIs(t, err, sqlstore.ErrNotFound)

		// What is revoked is so before it is there as well, and no more than that.
		for _, group := range []string{"login 1", "login 2", ""} {
			require.NoError(t, a.Put(ctx, sqlstore.Record{Kind: "token", ID: "before " + group, Group: group, Body: []byte("{}"), Expires: until}))
		}
		require.NoError(t, a.Revoke(ctx, "login 1", until))
		require.NoError(t, b.Revoke(ctx, "login 1", until), "twice is no fault")
		require.NoError(t, b.Put(ctx, sqlstore.Record{Kind: "token", ID: "after", Group: "login 1", Body: []byte("{}"), Expires: until}))
		for id, want := range map[string]error{"before login 1": sqlstore.ErrNotFound, "after": sqlstore.ErrNotFound, "before login 2": nil, "before ": nil} {
			_, err = b.Get(ctx, "token", id)
			assert.ErrorIs(t, err, want, id)
		}
		_, err = b.Take(ctx, "code", "secret", until)
		assert.ErrorIs(t, err, sqlstore.ErrNotFound, "nothing is left to revoke")

		require.NoError(t, a.Delete(ctx, "token", "before login 2"))
		require.NoError(t, a.Delete(ctx, "token", "before login 2"))
		_, err = b.Get(ctx, "token", "before login 2")
		assert.ErrorIs(t, err, sqlstore.ErrNotFound)
		c.ahead.Add(int64(time.Hour))
		_, err = b.Get(ctx, "token", "before ")
		assert.ErrorIs(t, err, sqlstore.ErrNotFound, "too old")
		_, err = b.Take(ctx, "token", "before ", until)
		assert.ErrorIs(t, err, sqlstore.ErrNotFound, "too old")
	})
}

// The database holds no name of a record: codes and tokens are secrets.
func TestNamesAreHashed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "names.db")
	s, err := sqlstore.Open(t.Context(), path, nil)
	require.NoError(t, err)
	require.NoError(t, s.Put(t.Context(), sqlstore.Record{Kind: "code", ID: "planted-code", Body: []byte("{}"), Expires: time.Now().Add(time.Hour)}))
	_, err = s.Spend(t.Context(), "planted-state", time.Now().Add(time.Hour))
	require.NoError(t, err)
	require.NoError(t, s.Close())
	files, err := filepath.Glob(path + "*")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		content, err := os.ReadFile(file)
		require.NoError(t, err)
		assert.NotContains(t, string(content), "planted")
	}
}

func TestKeys(t *testing.T) {
	onEach(t, func(t *testing.T, _ string, open func(*clock) *sqlstore.Store) {
		c := &clock{}
		a, b := open(c), open(c)
		var made atomic.Int64
		keys := func(s *sqlstore.Store, use string) []sqlstore.Key {
			keys, err := s.Keys(t.Context(), use, 24*time.Hour, 60*time.Hour, func() ([]byte, error) {
				return []byte(fmt.Sprint("key ", made.Add(1))), nil
			})
			require.NoError(t, err)
			return keys
		}
		first := keys(a, "signing")
		require.Len(t, first, 1)
		assert.Equal(t, first, keys(b, "signing"), "replicas share it")
		assert.NotEqual(t, first, keys(b, "cookies"), "another use")

		c.ahead.Add(int64(24 * time.Hour))
		var wait sync.WaitGroup
		all := make([][]sqlstore.Key, 8)
		for i := range all {
			wait.Go(func() { all[i] = keys([]*sqlstore.Store{a, b}[i%2], "signing") })
		}
		wait.Wait()
		for _, got := range all {
			require.Len(t, got, 2)
			assert.Equal(t, all[0], got, "however many ask at once")
			assert.Equal(t, first[0], got[1], "the newest comes first")
		}
		c.ahead.Add(int64(48 * time.Hour))
		last := keys(b, "signing")
		require.Len(t, last, 2, "the first is too old by now, and nobody asked on the day between")
		assert.Equal(t, all[0][0], last[1])

		_, err := a.Keys(t.Context(), "signing", time.Hour, time.Minute, nil)
		assert.ErrorContains(t, err, "no less")
		_, err = a.Keys(t.Context(), "other", time.Hour, time.Hour, func() ([]byte, error) { return nil, io.ErrUnexpectedEOF })
		assert.ErrorIs(t, err, io.ErrUnexpectedEOF)
	})
}

func TestConnections(t *testing.T) {
	onEach(t, func(t *testing.T, _ string, open func(*clock) *sqlstore.Store) {
		c := &clock{}
		a, b := open(c), open(c)
		ctx := t.Context()
		names := func() (out []string) {
			all, err := b.Connections(ctx)
			require.NoError(t, err)
			for _, connection := range all {
				out = append(out, connection.Name+string(connection.Body))
			}
			return out
		}
		assert.Empty(t, names())
		require.NoError(t, a.SaveConnection(ctx, "b", nil, "ann"), "what is not there is deleted as it is")
		require.NoError(t, a.SaveConnection(ctx, "b", []byte("{1}"), "ann"))
		require.NoError(t, a.SaveConnection(ctx, "a", []byte("{2}"), "ann"))
		require.NoError(t, b.SaveConnection(ctx, "b", []byte("{3}"), "bob"))
		require.NoError(t, b.SaveConnection(ctx, "b", []byte("{3}"), "eve"), "nothing new")
		assert.Equal(t, []string{"a{2}", "b{3}"}, names())
		version, err := a.Version(ctx)
		require.NoError(t, err)
		assert.EqualValues(t, 3, version)
		require.NoError(t, a.SaveConnection(ctx, "b", nil, "bob"))
		require.NoError(t, a.SaveConnection(ctx, "b", nil, "bob"))
		assert.Equal(t, []string{"a{2}"}, names())
		require.NoError(t, a.SaveConnection(ctx, "b", []byte("{1}"), "ann"), "back to the first")
		assert.Equal(t, []string{"a{2}", "b{1}"}, names())
		history, err := b.History(ctx, "b")
		require.NoError(t, err)
		var told []string
		for _, v := range history {
			assert.WithinDuration(t, c.now(), v.Saved, time.Hour)
			told = append(told, fmt.Sprint(v.Version, v.Author, string(v.Body), v.Body == nil))
		}
		assert.Equal(t, []string{"5ann{1}false", "4bobtrue", "3bob{3}false", "1ann{1}false"}, told)
		assert.ErrorContains(t, a.SaveConnection(ctx, "", []byte("{}"), "ann"), "needs a name")

		// Nobody's save is lost, and each has a version of its own.
		var wait sync.WaitGroup
		for i := range 8 {
			wait.Go(func() {
				assert.NoError(t, []*sqlstore.Store{a, b}[i%2].SaveConnection(ctx, fmt.Sprint("many ", i), []byte("{}"), "ann"))
			})
		}
		wait.Wait()
		assert.Len(t, names(), 10)
		version, err = a.Version(ctx)
		require.NoError(t, err)
		assert.EqualValues(t, 13, version)
	})
}

// News of a save comes to another process's handle: by NOTIFY, or by the look at
// the version.
func TestWatch(t *testing.T) {
	onEach(t, func(t *testing.T, source string, open func(*clock) *sqlstore.Store) {
		a, b := open(&clock{}), open(&clock{})
		ctx, stop := context.WithCancel(t.Context())
		calls, ended := make(chan int64), make(chan struct{})
		go func() {
			defer close(ended)
			b.Watch(ctx, func(ctx context.Context) error {
				version, err := b.Version(ctx)
				if err == nil {
					calls <- version
				}
				return err
			})
		}()
		assert.EqualValues(t, 0, <-calls, "at the beginning")
		if sqlstore.IsPostgres(source) {
			listens(t, source)
		}
		for want := range int64(3) {
			require.NoError(t, a.SaveConnection(t.Context(), "a", []byte(fmt.Sprint(want)), "ann"))
			assert.Equal(t, want+1, <-calls)
		}
		stop()
		<-ended
	})
}

// listens waits until somebody listens for the news, so that the test does not
// wait for the poll.
func listens(t *testing.T, source string) {
	db, err := sql.Open("pgx", source)
	require.NoError(t, err)
	defer db.Close()
	require.Eventually(t, func() bool {
		var n int
		err := db.QueryRow("SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN %' AND state = 'idle'").Scan(&n)
		return err == nil && n > 0
	}, time.Minute, 10*time.Millisecond)
}

// What fails is asked for again.
func TestWatch_Fails(t *testing.T) {
	s, err := sqlstore.Open(t.Context(), ":memory:", nil)
	require.NoError(t, err)
	defer s.Close()
	ctx, stop := context.WithCancel(t.Context())
	calls := 0
	s.Watch(ctx, func(context.Context) error {
		if calls++; calls == 2 {
			stop()
			return nil
		}
		return io.ErrUnexpectedEOF
	})
	assert.Equal(t, 2, calls)
}

func TestOpen(t *testing.T) {
	for name, source := range map[string]string{
		"no such folder": filepath.Join(t.TempDir(), "nowhere", "a.db"),
		"nobody there":   "postgres://ann:planted@127.0.0.1:1/x?sslmode=disable&connect_timeout=5",
		"no address":     "postgres://ann:planted@[::1/x",
		"no port":        "postgresql://ann:planted@127.0.0.1:port/x",
	} {
		_, err := sqlstore.Open(t.Context(), source, nil)
		require.Error(t, err, name)
		assert.True(t, strings.HasPrefix(err.Error(), "sqlstore: "), err)
		assert.NotContains(t, err.Error(), "planted", name)
	}
	assert.False(t, sqlstore.IsPostgres("postgres.db"))
}

func TestSweepEvery(t *testing.T) {
	c := &clock{}
	s, err := sqlstore.Open(t.Context(), ":memory:", c.now)
	require.NoError(t, err)
	defer s.Close()
	_, err = s.Spend(t.Context(), "x", c.now())
	require.NoError(t, err)
	c.ahead.Add(int64(time.Hour))
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	go s.SweepEvery(ctx, time.Millisecond)
	require.Eventually(t, func() bool {
		first, err := s.Spend(t.Context(), "x", c.now().Add(2*time.Hour))
		return err == nil && first
	}, time.Minute, time.Millisecond)
}

// 300 races of eight for one state, four runners in each of two processes, and as
// many for one record: one winner each.
func TestL1Races(t *testing.T) {
	onEach(t, func(t *testing.T, source string, open func(*clock) *sqlstore.Store) {
		store := open(&clock{})
		own, err := os.Executable()
		require.NoError(t, err)
		var in []io.Writer
		var out []*bufio.Reader
		for range 2 {
			process := exec.Command(own)
			process.Env = append(os.Environ(), racerSource+"="+source)
			process.Stderr = os.Stderr
			stdin, err := process.StdinPipe()
			require.NoError(t, err)
			stdout, err := process.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, process.Start())
			t.Cleanup(func() {
				_ = stdin.Close()
				assert.NoError(t, process.Wait())
			})
			in, out = append(in, stdin), append(out, bufio.NewReader(stdout))
		}
		for round := range 300 {
			id := fmt.Sprint("race ", round)
			require.NoError(t, store.Put(t.Context(), sqlstore.Record{Kind: "code", ID: id, Body: []byte("{}"), Expires: time.Now().Add(time.Hour)}))
			for _, w := range in {
				_, err := fmt.Fprintln(w, id)
				require.NoError(t, err)
			}
			spent, taken := 0, 0
			for _, r := range out {
				var s, g int
				_, err := fmt.Fscanln(r, &s, &g)
				require.NoError(t, err)
				spent, taken = spent+s, taken+g
			}
			require.Equal(t, 1, spent, "round %d", round)
			require.Equal(t, 1, taken, "round %d", round)
		}
	})
}

// race is one process of the races: for each line it runs four times, and tells
// how often it has won.
func race(source string, in io.Reader, out io.Writer) error {
	ctx := context.Background()
	s, err := sqlstore.Open(ctx, source, nil)
	if err != nil {
		return err
	}
	defer s.Close()
	for lines := bufio.NewScanner(in); lines.Scan(); {
		var spent, taken, failed atomic.Int64
		var wait sync.WaitGroup
		for range 4 {
			wait.Go(func() {
				first, err := s.Spend(ctx, lines.Text(), time.Now().Add(time.Hour))
				if err != nil {
					failed.Add(1)
				}
				if first {
					spent.Add(1)
				}
				if _, err := s.Take(ctx, "code", lines.Text(), time.Now().Add(time.Hour)); err == nil {
					taken.Add(1)
				}
			})
		}
		wait.Wait()
		if failed.Load() > 0 {
			return fmt.Errorf("%d of four calls failed", failed.Load())
		}
		if _, err := fmt.Fprintln(out, spent.Load(), taken.Load()); err != nil {
			return err
		}
	}
	return nil
}
