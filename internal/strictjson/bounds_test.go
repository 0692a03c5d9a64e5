package strictjson

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// The first and the last of each range, and what stands beside them.
func TestC4Bounds(t *testing.T) {
	for _, b := range "09afAF" {
		assert.NoError(t, Check(fmt.Appendf(nil, `"\u000%c"`, b)))
	}
	for _, b := range "/:`g@G" {
		assert.ErrorContains(t, Check(fmt.Appendf(nil, `"\u000%c"`, b)), "four hexadecimal digits")
	}
	for _, s := range []string{"0", "-0", "9", "10", "19", "90.09", "1e0", "1E+9", "0.9e-09"} {
		assert.NoError(t, Check([]byte(s)), s)
	}
	for _, s := range []string{"00", "-", "1.", ".1", "1e", "1e+", "1/", "1:", "+1", "0x1", "01"} {
		assert.Error(t, Check([]byte(s)), s)
	}
	for _, b := range "azAZ" {
		assert.ErrorContains(t, Check(fmt.Appendf(nil, `[%c_x]`, b)), "a word without quotes")
	}
	for _, b := range "`{@[_" {
		if err := Check(fmt.Appendf(nil, `{"a": %c}`, b)); err != nil {
			assert.NotContains(t, err.Error(), "a word")
		}
	}
	assert.ErrorContains(t, Check([]byte(`{"a": none_}`)), "a word without quotes")
	assert.ErrorContains(t, Check([]byte("\"\x1f\"")), "a control character")
	assert.NoError(t, Check([]byte("\"\x20\x7f\"")))
	// A name stands twice, wherever among few or many.
	for n := 1; n < 40; n++ {
		var names []string
		for i := range n {
			names = append(names, fmt.Sprintf(`"%d":{"0":0}`, i))
		}
		assert.NoError(t, Check([]byte("{"+strings.Join(names, ",")+"}")))
		for i := range n {
			err := Check([]byte("{" + strings.Join(names, ",") + fmt.Sprintf(`,"%d":0}`, i)))
			if assert.Error(t, err) {
				assert.Equal(t, fmt.Sprintf("/%d", i), err.(*Error).Pointer)
				assert.True(t, err.(*Error).Doubled)
			}
		}
	}
}

// The end of what stands for itself is found wherever it is, and whatever stands beside it.
func TestC4SkipPlain(t *testing.T) {
	for a := range 256 {
		for b := range 256 {
			for _, before := range []int{0, 1, 6, 7, 8, 15} {
				text := []byte(strings.Repeat("~", before) + string([]byte{byte(a), byte(b)}) + strings.Repeat("\x80", a%9) + `"`)
				want := 0
				for text[want] >= ' ' && text[want] != '"' && text[want] != '\\' {
					want++
				}
				if got := skipPlain(text, 0); got != want {
					t.Fatalf("%d of %q, want %d", got, text, want)
				}
			}
		}
	}
	assert.Equal(t, 9, skipPlain([]byte("abcdefghi"), 2))
	assert.Equal(t, 8, skipPlain([]byte("abcdefgh"), 0))
}

// Names of a small object are compared one by one: a map of them would be made for
// each object of each connection.
func TestP1SmallObjectsAreCheap(t *testing.T) {
	text := []byte(`{"a":0,"b":0,"c":0,"d":0,"e":0,"f":0,"g":0,"h":0,"i":0,"j":0,"k":0,"l":0,"m":0,"n":0,"o":0}`)
	assert.LessOrEqual(t, testing.AllocsPerRun(10, func() { _ = Check(text) }), 6.0)
}

func TestC5Pointers(t *testing.T) {
	for text, want := range map[string]string{
		`{"a": [1, {"b/~": tru}]}`: "/a/1/b~1~0", `{"a": {"b": [0, 1,]}}`: "/a/b/2", `{"a": 1, "b"`: "", `[[1 2]]`: "/0", `x`: "", `{} x`: "",
		`{"a":` + strings.Repeat("[", MaxDepth) + `}`: "",
	} {
		err := Check([]byte(text))
		if assert.Error(t, err, text) {
			assert.Equal(t, want, err.(*Error).Pointer, text)
		}
	}
	for at, text := range map[string]string{"1:1": "", "1:5": `{"a"`, "2:1": "{\n", "1:4": `[1 2]`, "3:2": "[1,\n\n ?]", "1:3": `"\x"`} {
		err := Check([]byte(text))
		if assert.Error(t, err, text) {
			assert.Equal(t, at, fmt.Sprintf("%d:%d", err.(*Error).Line, err.(*Error).Column), text)
		}
	}
}

// What Check would refuse means nothing here, but nothing panics, at whatever
// byte it ends.
func TestNothingPanicsOnTextThatIsCutOff(t *testing.T) {
	const text = ` { "a\"\\" : [ 1 , "x]" , { } ] , "b" : { "c" : null } } `
	for end := range len(text) + 1 {
		cut := []byte(text[:end])
		cut = cut[:end:end]
		assert.NotPanics(t, func() {
			members, _ := Members(cut)
			for _, m := range members {
				_, _ = Elements(m.Value)
			}
			_, _ = Elements(cut[min(end, 12):])
			_ = Text(cut[min(end, 3):])
			_ = IsText(cut)
			_ = Apply(cut, []Edit{{[]string{"b", "c"}, []byte("1")}})
		}, text[:end])
	}
	assert.False(t, IsText(nil))
	assert.Empty(t, Text([]byte(`"`)))
	assert.Equal(t, "", Text([]byte(`""`)))
	assert.Equal(t, "\n", Text([]byte(`"\n"`)))
	for _, s := range []string{"1]", "true}", "null,", "12 ", "-1:", "1\n", "1\r", "1\t"} {
		assert.Equal(t, len(s)-1, skipValue([]byte(s), 0), s)
	}
	assert.Equal(t, "/a~1b~0", Pointer("a/b~"))
}
