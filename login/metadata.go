package login

// This file owns where the metadata comes from: fetched, kept, refreshed, and
// never followed when it drifts. It must not know what a document means: see
// document.go.

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"example.com/upstream/internal/endpoint"
)

const (
	defaultRefresh = time.Hour
	retryAfter     = time.Minute      // a refresh that failed
	firstRetry     = 5 * time.Second  // the first fetch, while logins wait for it
	fetchTimeout   = 10 * time.Second // of a refresh, which holds up one login
)

// A MetadataEvent tells of the metadata of a connection what somebody should
// know. It is for a log, or an alarm.
type MetadataEvent struct {
	Connection string
	Kind       MetadataEventKind
	Changes    []Change // of MetadataDrift
	Metadata   []byte   // of MetadataFirst and MetadataChanged: the document in force from now on
	Err        error    // of MetadataUnavailable; its text is fit for a log
}

// A MetadataEventKind says what happened.
type MetadataEventKind string

// The kinds of events.
const (
	MetadataFirst       MetadataEventKind = "first"       // had for the first time; keep it for Options.Pin
	MetadataChanged     MetadataEventKind = "changed"     // and followed
	MetadataDrift       MetadataEventKind = "drift"       // changed, and not followed: the one before stays in force
	MetadataUnavailable MetadataEventKind = "unavailable" // cannot be had, or is not to be believed; the one before, if any, stays in force
)

// A source gives the metadata of one connection. It is safe for concurrent use.
type source struct {
	urls     []string // where to look: the second if the first answers 404
	expected []string // issuers
	tenants  []string
	anyHTTP  bool
	every    time.Duration
	now      func() time.Time
	tell     func(MetadataEvent)

	// use makes a snapshot of a document, or says why it cannot be used.
	use func(*document) (*snapshot, error)

	turn    chan struct{} // holds a token while nobody fetches
	current atomic.Pointer[snapshot]

	// Of who has the token.
	due    atomic.Int64 // when current is looked for anew, Unix nanoseconds
	fault  error        // of the first fetch, until retry
	retry  time.Time
	drifts []Change // that have been told
}

// get gives what is in force. Only the first fetch is waited for: later on, one
// login at a time refreshes, and the others go on with what there is.
func (s *source) get(ctx context.Context) (*snapshot, error) {
	if current := s.current.Load(); current != nil {
		if len(s.urls) == 0 || s.now().UnixNano() < s.due.Load() {
			return current, nil
		}
		select {
		case <-s.turn:
			defer func() { s.turn <- struct{}{} }()
			if s.now().UnixNano() >= s.due.Load() {
				s.refresh(ctx, current.doc)
			}
		default:
		}
		return s.current.Load(), nil
	}
	select {
	case <-s.turn:
		defer func() { s.turn <- struct{}{} }()
	case <-ctx.Done():
		return nil, &hidden{"the metadata cannot be had: " + endpoint.Reason(ctx.Err()), ctx.Err()}
	}
	if current := s.current.Load(); current != nil {
		return current, nil
	}
	if s.now().Before(s.retry) {
		return nil, s.fault // so that logins do not queue for an IdP that is down
	}
	first, err := s.fetch(ctx)
	var made *snapshot
	if err == nil {
		made, err = s.use(first)
	}
	if err != nil {
		if ctx.Err() == nil { // else it says nothing of the IdP
			s.fault, s.retry = err, s.now().Add(firstRetry)
			s.tell(MetadataEvent{Kind: MetadataUnavailable, Err: err})
		}
		return nil, err
	}
	s.install(made)
	s.tell(MetadataEvent{Kind: MetadataFirst, Metadata: slices.Clone(first.raw)})
	return made, nil
}

func (s *source) install(next *snapshot) {
	s.current.Store(next)
	s.due.Store(s.now().Add(s.every).UnixNano())
}

// refresh follows a new document, unless it drifts. Whatever goes wrong, what was
// in force stays so: requirements that were read once never go away by themselves.
func (s *source) refresh(ctx context.Context, old *document) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	s.due.Store(s.now().Add(min(retryAfter, s.every)).UnixNano())
	next, err := s.fetch(ctx)
	if err != nil {
		s.tell(MetadataEvent{Kind: MetadataUnavailable, Err: err})
		return
	}
	s.due.Store(s.now().Add(s.every).UnixNano())
	if changes := old.drift(next); len(changes) > 0 {
		if !slices.Equal(changes, s.drifts) { // tell it once
			s.drifts = changes
			s.tell(MetadataEvent{Kind: MetadataDrift, Changes: slices.Clone(changes)})
		}
		return
	}
	s.drifts = nil
	if string(next.raw) == string(old.raw) {
		return
	}
	made, err := s.use(next)
	if err != nil {
		s.tell(MetadataEvent{Kind: MetadataUnavailable, Err: err})
		return
	}
	s.install(made)
	s.tell(MetadataEvent{Kind: MetadataChanged, Metadata: slices.Clone(next.raw)})
}

// fetch gets a document and checks whose it is.
func (s *source) fetch(ctx context.Context) (*document, error) {
	var body []byte
	for i, address := range s.urls {
		status, answer, err := get(ctx, address)
		switch {
		case err != nil:
			return nil, &hidden{"the metadata cannot be had: " + endpoint.Reason(err), err}
		case status == http.StatusNotFound && i+1 < len(s.urls):
			continue
		case 300 <= status && status <= 399:
			return nil, fmt.Errorf("the metadata cannot be had: status %d: it redirects, which is never followed; correct discovery_url", status)
		case status != http.StatusOK:
			return nil, fmt.Errorf("the metadata cannot be had: status %d", status)
		}
		body = answer
		break
	}
	d, err := readDocument(body, s.anyHTTP)
	if err == nil {
		err = d.issuedFor(s.expected, s.tenants)
	}
	if err != nil {
		return nil, &hidden{"the metadata is not to be believed: " + err.Error(), err}
	}
	return d, nil
}

// get asks with the host's client, without a redirect and for at most 1 MiB.
func get(ctx context.Context, address string) (int, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return 0, nil, endpoint.Cause(err)
	}
	req.Header.Set("Accept", "application/json")
	resp, err := endpoint.Client(ctx).Do(req)
	if err != nil {
		return 0, nil, endpoint.Cause(err)
	}
	body, err := io.ReadAll(resp.Body) // in memory already, with its end
	return resp.StatusCode, body, err
}

var errNoMetadata = errors.New("the connection has no metadata: it has its endpoints of its own")
