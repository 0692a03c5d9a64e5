//go:build go1.27

package strictjson

// This file is what becomes of the checker when go.mod's floor is Go 1.27: the
// standard library's encoding/json/jsontext refuses doubled names and invalid
// UTF-8 by itself. FuzzCheck holds the two equal, so that the change is known
// to change nothing. What goes away then is check.go but for Error: jsontext
// tells place and pointer of a fault (SyntacticError.ByteOffset, JSONPointer);
// the words for what a newcomer wrote instead of JSON stay ours, and so does
// tree.go, since jsontext has no edits.

import (
	"bytes"
	"encoding/json/jsontext"
	"io"
	"unicode/utf8"
)

func init() { twin = jsontextAccepts }

func jsontextAccepts(data []byte) bool {
	if !utf8.Valid(data) { // AllowInvalidUTF8 is for half a surrogate pair that is escaped, which we let pass
		return false
	}
	d := jsontext.NewDecoder(bytes.NewBuffer(data), jsontext.AllowInvalidUTF8(true))
	for first := true; first || d.StackDepth() > 0; first = false {
		if _, err := d.ReadToken(); err != nil || d.StackDepth() > MaxDepth {
			return false
		}
	}
	_, err := d.ReadToken()
	return err == io.EOF
}
