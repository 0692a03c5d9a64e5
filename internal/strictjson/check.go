// Package strictjson reads JSON without guessing and edits it without loss.
//
// encoding/json takes the last of two members of the same name and matches
// struct fields by Unicode case folding, so that {"sub":"a","ſub":"b"} reads
// as "b". Here names match to the byte, a doubled name is an error, and a
// value keeps its text until somebody asks for it.
//
// [Check] comes first; everything else takes only text that Check accepted.
// The package knows nothing of connections or profiles.
//
// What Check promises to the rest (tree.go), which therefore has no error to
// return:
//
//   - the text is one value, so that its first byte that is not white space tells its type;
//   - all strings and brackets are closed, so that the end of a value is found by
//     counting brackets outside of strings, without a grammar (skipValue);
//   - names in one object differ after decoding, so that the first member of a name
//     is the only one (RFC 8259 section 4 leaves that open, and parsers disagree);
//   - no recursion goes deeper than [MaxDepth];
//   - the text is UTF-8, so that nothing is replaced on the way to a Go string but
//     half a surrogate pair, which only an escape can write.
//
// Parts of an accepted text are accepted too: values are handed on as slices of the
// text, and split further only by whoever looks inside.
package strictjson

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/bits"
	"strings"
	"unicode/utf8"
)

// MaxDepth is how many objects and arrays may stand inside one another. It bounds
// the stack of a recursive reader, ours and those of whom we hand the text to.
const MaxDepth = 64

// An Error is the first thing that is wrong with a JSON text. It has two places:
// line and column for whoever has the file open, the pointer for whoever sees a
// form, or made the text by a program and never saw its lines.
type Error struct {
	Pointer      string // RFC 6901: the value or member at fault, "" for the whole text
	Line, Column int    // from 1; the column counts bytes
	Message      string // never repeats the text

	Doubled bool // a member stands twice in one object

	whole bool // it is about the whole text, wherever it was found: the pointer stays ""
}

// Error gives the place and the message, without a prefix of any package.
func (e *Error) Error() string {
	return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Message)
}

// Check accepts exactly one JSON value (RFC 8259) in valid UTF-8, no object of
// which holds a name twice and which is at most [MaxDepth] levels deep. The
// error is an [*Error].
//
// The checker itself knows one offset, pos. Line and column are counted from it
// once there is a fault, and the pointer is put together on the way out of the
// recursion (inside), so that a text without a fault pays for neither.
func Check(data []byte) error { return CheckNames(data, nil) }

// CheckNames is [Check], which gives each the decoded names of the outermost object
// besides, as it comes by them: what it gave counts for nothing where there is an
// error. It allocates nothing for a text of few names without escapes.
func CheckNames(data []byte, each func(name []byte)) error {
	c := checker{data: data}
	err := c.document(each)
	if err == nil {
		return nil
	}
	// No line end before pos gives -1, so that the first line counts from 1, too.
	before := data[:c.pos]
	err.Line = 1 + bytes.Count(before, []byte{'\n'})
	err.Column = c.pos - bytes.LastIndexByte(before, '\n')
	return err
}

type checker struct {
	data []byte
	pos  int // the next byte; in a fault, the byte to blame
}

// document is the whole text. UTF-8 is checked first and at once, since the standard
// library does so many bytes at a time; where it breaks is looked for only then. A
// decoder would put U+FFFD in the place of a bad byte (RFC 8259 section 8.1 has
// UTF-8 alone), and two client ids would be one.
func (c *checker) document(each func(name []byte)) *Error {
	if !utf8.Valid(c.data) {
		for c.pos < len(c.data) {
			r, n := utf8.DecodeRune(c.data[c.pos:])
			if r == utf8.RuneError && n == 1 {
				break
			}
			c.pos += n
		}
		return fault("invalid UTF-8")
	}
	var names [16][]byte // as many as most texts have open at once
	if err := c.value(1, names[:0], each); err != nil {
		return err
	}
	c.space()
	if c.pos < len(c.data) {
		return fault("text after the end of the JSON value")
	}
	return nil
}

func fault(message string) *Error { return &Error{Message: message} }

// inside says that the fault lies in the member or element of that name. It is said
// by the innermost first, so that the pointer grows to the left.
func (e *Error) inside(name string) *Error {
	if !e.whole {
		e.Pointer = Pointer(name) + e.Pointer
	}
	return e
}

func (c *checker) space() { c.pos = skipSpace(c.data, c.pos) }

// peek gives the byte that is next, or 0 at the end. No 0 stands in valid JSON,
// so that no caller has to ask for the end besides.
func (c *checker) peek() byte {
	if c.pos < len(c.data) {
		return c.data[c.pos]
	}
	return 0
}

func (c *checker) unexpected(want string) *Error {
	if c.pos >= len(c.data) {
		return fault("the JSON text ends where " + want + " should be")
	}
	thing, remedy := c.stands()
	return fault("found " + thing + " where " + want + " should be" + remedy)
}

// stands names what stands at the place of a fault, and how to mend it: the
// mistakes of people who write JSON by hand. It goes by bytes alone, and never
// repeats one, since the text may hold a secret. There is a byte at the place.
//
// What explains the whole text goes before what explains one byte: the first key of
// a YAML file is a word without quotes, too, and quotes would not mend it. A word of
// another language (True, None) goes before any other word. A string comes last,
// since it is right in itself, and only what is before it can be wrong.
func (c *checker) stands() (thing, remedy string) {
	rest := c.data[c.pos:]
	word := rest[:min(len(rest), 5)]
	for i, b := range word {
		if letter := 'a' <= b|0x20 && b|0x20 <= 'z'; !letter && (i == 0 || b != '_') {
			word = word[:i]
			break
		}
	}
	start := len(bytes.TrimSpace(c.data[:c.pos])) == 0
	switch before := bytes.TrimRight(c.data[:c.pos], " \t\r\n"); {
	case bytes.HasPrefix(rest, []byte("\ufeff")):
		return "a byte order mark", "; save the file as UTF-8 without one"
	case bytes.HasPrefix(bytes.TrimSpace(c.data), []byte("---")), start && len(word) > 0 && bytes.Contains(firstLine(rest), []byte(":")):
		return "what may be YAML", "; JSON begins with a brace and has its names in double quotes"
	case bytes.HasPrefix(rest, []byte("//")) || bytes.HasPrefix(rest, []byte("/*")) || rest[0] == '#':
		return "a comment", "; JSON has none, remove it"
	case rest[0] == '\'':
		return "a single quote", "; JSON has double quotes alone"
	case (rest[0] == '}' || rest[0] == ']') && bytes.HasSuffix(before, []byte(",")):
		return "the end after a comma", "; remove the comma before it"
	case bytes.EqualFold(word, []byte("true")) || bytes.EqualFold(word, []byte("false")) || bytes.EqualFold(word, []byte("none")):
		return "a word", "; JSON has true, false and null, in lower case"
	case len(word) > 0:
		return "a word without quotes", "; put double quotes around it"
	case rest[0] == '"':
		return "a string", "; is the comma or colon before it missing?"
	}
	return "something else", ""
}

func firstLine(text []byte) []byte {
	line, _, _ := bytes.Cut(text, []byte("\n"))
	return line
}

// value is any value; depth counts it, so that the outermost is at 1. Depth is
// refused before the value is entered, at its bracket: the recursion of a hostile
// text ends at MaxDepth, however long the text is. open are the names of the objects
// around it; each gets those of the value itself, if it is an object.
func (c *checker) value(depth int, open [][]byte, each func(name []byte)) *Error {
	c.space()
	switch b := c.peek(); {
	case b == '{' || b == '[':
		if depth > MaxDepth {
			return &Error{Message: fmt.Sprintf("deeper than %d levels", MaxDepth), whole: true}
		}
		if b == '{' {
			return c.object(depth, open, each)
		}
		return c.array(depth, open)
	case b == '"':
		_, err := c.text()
		return err
	case b == '-' || '0' <= b && b <= '9':
		return c.number()
	}
	// That a word ends where it should is for the caller to find, who wants a comma, a
	// bracket or the end there: "truer" fails at its r.
	for _, word := range []string{"true", "false", "null"} {
		if bytes.HasPrefix(c.data[c.pos:], []byte(word)) {
			c.pos += len(word)
			return nil
		}
	}
	return c.unexpected("a value")
}

// object goes round once for each member. The comma before a member belongs to its
// round, and behind a comma there has to be a name: so a brace that closes is looked
// for at the top alone, and none is taken behind a comma.
//
//	{ "a" : 1 , "b" : {"c" : 2} }
//	  ^       ^                 ^    where the loop's condition looks
//
// The names of all open objects are one stack, so that an object costs no
// allocation. Here at the inner value 2, where open is [a b]: each object appends its
// own, in the room behind those of the objects around, which it cannot shorten.
//
//	names = [a b c]
//
// They are handed down, as each is, and not kept in the checker: what is stored there
// would have to be on the heap.
func (c *checker) object(depth int, open [][]byte, each func(name []byte)) *Error {
	own := open[len(open):]
	var many map[string]struct{} // from 16 names on, so that a long object stays linear
	c.pos++                      // {
	for c.space(); c.peek() != '}'; c.space() {
		if len(own) > 0 {
			if c.peek() != ',' {
				return c.unexpected("a comma or a closing brace")
			}
			c.pos++
			c.space()
		}
		start := c.pos
		if c.peek() != '"' {
			return c.unexpected("a member name")
		}
		escaped, err := c.text()
		if err != nil {
			return err
		}
		// Compared as decoded: "a" and "\u0061" are one name (RFC 8259 section 8.3).
		name := c.data[start+1 : c.pos-1]
		if escaped {
			name = []byte(Text(c.data[start:c.pos]))
		}
		if twice(name, own, &many) {
			c.pos = start
			err := fault("this member stands twice in one object")
			err.Doubled = true
			return err.inside(string(name))
		}
		own = append(own, name)
		if each != nil {
			each(name)
		}
		c.space()
		if c.peek() != ':' {
			return c.unexpected("a colon")
		}
		c.pos++
		if err := c.value(depth+1, own, nil); err != nil {
			return err.inside(string(name))
		}
	}
	c.pos++ // }
	return nil
}

// twice reports whether an object with these names already has that name. A few
// are compared one by one, which is faster than a map and makes no garbage: at most
// 120 comparisons an object, of which a connection has about five. Beyond that a text
// of 1 MiB, with some 130,000 members, would take eight thousand million; Go seeds its
// maps, so that nobody can choose names that collide.
func twice(name []byte, names [][]byte, many *map[string]struct{}) bool {
	if len(names) < 16 {
		for _, n := range names {
			if bytes.Equal(n, name) {
				return true
			}
		}
		return false
	}
	if *many == nil { // those that were compared one by one go in as well
		*many = make(map[string]struct{}, 2*len(names))
		for _, n := range names {
			(*many)[string(n)] = struct{}{}
		}
	}
	if _, ok := (*many)[string(name)]; ok {
		return true
	}
	(*many)[string(name)] = struct{}{}
	return false
}

// array differs from object in where the closing bracket after a comma is refused:
// by value, which has no value that begins with one. So the fault names the element
// that is missing (/1 in [0,]), as it would if the text ended there.
func (c *checker) array(depth int, open [][]byte) *Error {
	c.pos++ // [
	for i := 0; ; i++ {
		c.space()
		if c.peek() == ']' {
			c.pos++
			return nil
		}
		if i > 0 {
			if c.peek() != ',' {
				return c.unexpected("a comma or a closing bracket")
			}
			c.pos++
		}
		if err := c.value(depth+1, open, nil); err != nil {
			return err.inside(fmt.Sprint(i))
		}
	}
}

// text checks a string (RFC 8259 section 7); UTF-8 has been checked for the whole
// document. A control character has to be escaped, but DEL is none to JSON. Half a
// surrogate pair (\ud800) is let pass, as section 8.2 allows: Text makes
// U+FFFD of it, as encoding/json does, and two names that differ in such halves alone
// are one name and refused as doubled.
func (c *checker) text() (escaped bool, _ *Error) {
	for c.pos++; ; c.pos++ {
		if c.pos = skipPlain(c.data, c.pos); c.pos == len(c.data) {
			return false, c.unexpected("the end of a string")
		}
		switch b := c.data[c.pos]; {
		case b == '"':
			c.pos++
			return escaped, nil
		case b < 0x20:
			return false, fault("a control character in a string")
		case b == '\\':
			escaped = true
			c.pos++
			if c.peek() == 'u' {
				for range 4 {
					c.pos++
					if !isHex(c.peek()) {
						return false, fault(`\u wants four hexadecimal digits`)
					}
				}
			} else if strings.IndexByte(`"\/bfnrt`, c.peek()) < 0 {
				return false, fault("an escape that JSON does not have")
			}
		}
	}
}

// skipPlain gives the first byte from pos on that does not stand for itself in a string.
// It looks at eight at a time: what is less than another number, or nothing, is less than
// nothing when that or one is taken away. This borrows from the bytes above, so that the
// lowest that is found is right.
func skipPlain(data []byte, pos int) int {
	const ones = 0x0101010101010101
	for ; pos+8 <= len(data); pos += 8 {
		w := binary.LittleEndian.Uint64(data[pos:])
		found := (w - ' '*ones) | ((w ^ '"'*ones) - ones) | ((w ^ '\\'*ones) - ones)
		if found &= 0x80 * ones &^ w; found != 0 {
			return pos + bits.TrailingZeros64(found)>>3
		}
	}
	for pos < len(data) && plain[data[pos]] {
		pos++
	}
	return pos
}

// plain are the bytes that stand for themselves in a string. Never written.
var plain = func() (t [256]bool) {
	for b := range t {
		t[b] = ' ' <= b && b != '"' && b != '\\'
	}
	return t
}()

func isHex(b byte) bool {
	return '0' <= b && b <= '9' || 'a' <= b|0x20 && b|0x20 <= 'f'
}

// number holds a number to the grammar of RFC 8259 section 6, and no more: it is
// kept as text, so that neither its size nor its precision matters here. A user id
// above 2^53 stays the number that it is.
//
//	sign   whole number    fraction   exponent
//	 -     0                  .5        e+7
//	       1234567890         .25       E7
//
// 01 is a whole number 0, and fails at the 1 for whoever wants a comma there.
func (c *checker) number() *Error {
	if c.peek() == '-' {
		c.pos++
	}
	if c.peek() == '0' {
		c.pos++ // nothing may follow a leading zero but a fraction or an exponent
	} else if !c.digits() {
		return c.unexpected("a digit")
	}
	if c.peek() == '.' {
		c.pos++
		if !c.digits() {
			return c.unexpected("a digit")
		}
	}
	if c.peek()|0x20 == 'e' {
		c.pos++
		if c.peek() == '+' || c.peek() == '-' {
			c.pos++
		}
		if !c.digits() {
			return c.unexpected("a digit")
		}
	}
	return nil
}

func (c *checker) digits() bool {
	start := c.pos
	for c.pos < len(c.data) && c.data[c.pos]-'0' <= 9 {
		c.pos++
	}
	return c.pos > start
}
