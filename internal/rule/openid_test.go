package rule

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestR2WhatOpenIDConnectRestricts(t *testing.T) {
	for text, ok := range map[string]bool{"": true, "0": true, "123456789": true, "-1": false, "1.5": false, "1 ": false, ":": false, "/": false, "١": false} {
		assert.Equal(t, ok, Seconds(text), text)
	}
	for text, ok := range map[string]bool{
		"": true, "none": true, " none ": true, "login consent": true, "nonesuch login": true,
		"none login": false, "login  none": false, "none none": false, "a b none": false,
	} {
		assert.Equal(t, !ok, NoneAmongOthers(text), text)
	}
}
