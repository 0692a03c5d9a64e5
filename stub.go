package upstream

import (
	"context"
	"golang.org/x/oauth2"
)

type header struct{ name, value string }

func headerProblems(h []header) []Problem { return nil }

type ProfileFetcher func(ctx context.Context, token *oauth2.Token, conn *Connection) (*Profile, error)
type Profile struct{}
