package main

// This file owns the server's own keys: made when they are needed, the same on
// all replicas, and changed every month. It must not know what they sign or seal.

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"slices"
	"time"

	jose "github.com/go-jose/go-jose/v4"

	"example.com/upstream/fapi"
)

const (
	keyPeriod   = 30 * 24 * time.Hour // then there is a new one
	keyOverlap  = 24 * time.Hour      // for which the old one is still good: longer than any token or login lives
	keysRefresh = time.Minute
)

const keySize = 32 // bytes, of those that are no key pairs

// A keyring is the keys that are good just now, the newest first.
type keyring struct {
	signing []jose.JSONWebKey
	cookies [][]byte
}

// refreshKeys reads the keys, and makes those that are due.
func (s *Server) refreshKeys(ctx context.Context) error {
	signing, err := s.keyPairs(ctx, "signing")
	if err != nil {
		return err
	}
	client, err := s.keyPairs(ctx, "client")
	if err != nil {
		return err
	}
	if err := s.refreshSigner(client); err != nil {
		return err
	}
	cookies, err := s.Store.Keys(ctx, "cookies", keyPeriod, keyPeriod+keyOverlap, func() ([]byte, error) {
		key := make([]byte, keySize)
		_, err := rand.Read(key)
		return key, err
	})
	if err != nil {
		return err
	}
	next := &keyring{}
	for _, key := range signing {
		next.signing = append(next.signing, key.jwk)
	}
	for _, key := range cookies {
		next.cookies = append(next.cookies, key.Body)
	}
	if now := s.keys.Load(); now == nil || !slices.EqualFunc(now.cookies, next.cookies, bytes.Equal) || now.signing[0].KeyID != next.signing[0].KeyID {
		s.keys.Store(next) // else what was made with them need not be made again
	}
	return nil
}

// A keyPair is for ES256: an RSA signature costs more than all else in a login.
type keyPair struct {
	jwk     jose.JSONWebKey
	created time.Time
}

func (s *Server) keyPairs(ctx context.Context, use string) (pairs []keyPair, err error) {
	keys, err := s.Store.Keys(ctx, use, keyPeriod, keyPeriod+keyOverlap, func() ([]byte, error) {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return nil, err
		}
		return x509.MarshalPKCS8PrivateKey(key)
	})
	if err != nil {
		return nil, err
	}
	for _, key := range keys {
		private, err := x509.ParsePKCS8PrivateKey(key.Body)
		if err != nil {
			return nil, err
		}
		jwk := jose.JSONWebKey{Key: private, Algorithm: string(jose.ES256), Use: "sig"}
		thumbprint, err := jwk.Thumbprint(crypto.SHA256)
		if err != nil {
			return nil, err
		}
		jwk.KeyID = base64.RawURLEncoding.EncodeToString(thumbprint)
		pairs = append(pairs, keyPair{jwk, key.Created})
	}
	return pairs, nil
}

// refreshSigner gives module fapi the keys that this server has as a client of
// IdPs. A new one does not sign before they can have read it.
func (s *Server) refreshSigner(pairs []keyPair) error {
	var set fapi.Keys
	for i, pair := range pairs {
		key, err := fapi.NewKey(pair.jwk.Key.(fapi.PrivateKey), pair.jwk.Algorithm, pair.jwk.KeyID)
		switch {
		case err != nil:
			return err
		case i == 0 && len(pairs) > 1 && s.Now().Sub(pair.created) < keyOverlap/2:
			set.Next = append(set.Next, key)
		case set.Current == nil:
			set.Current = append(set.Current, key)
		default:
			set.Previous = append(set.Previous, key)
		}
	}
	if s.signer == nil {
		signer, err := fapi.NewKeySet(set)
		s.signer = signer
		return err
	}
	return s.signer.Replace(set)
}

// opKey is a key as op wants it.
type opKey struct {
	jose.JSONWebKey
	material any // private to sign with, public to publish
}

func (k opKey) ID() string  { return k.KeyID }
func (k opKey) Key() any    { return k.material }
func (k opKey) Use() string { return k.JSONWebKey.Use }
func (k opKey) Algorithm() jose.SignatureAlgorithm {
	return jose.SignatureAlgorithm(k.JSONWebKey.Algorithm)
}
func (k opKey) SignatureAlgorithm() jose.SignatureAlgorithm { return k.Algorithm() }
