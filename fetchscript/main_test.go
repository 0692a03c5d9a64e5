package fetchscript_test

import (
	"os"
	"testing"

	"example.com/upstream/fetchscript"
)

// isolation lets the tests start this binary as a child.
var isolation *fetchscript.Isolation

func TestMain(m *testing.M) {
	isolation = fetchscript.Isolated() // does not return in a child
	os.Exit(m.Run())
}
