package fetchscript

// This file owns how a script's XML is read.

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"

	"example.com/upstream/internal/strictjson"
)

// Bounds of a document. An element takes a hundred times the memory of "<a/>",
// and it is the program's.
const (
	maxXML   = mebibyte // bytes
	maxNodes = 20000    // elements and attributes
)

// An element is one of XML as the prelude wants it.
type element struct {
	Name       string      `json:"name"`
	Attributes [][2]string `json:"attributes"`
	Text       string      `json:"text"`
	Children   []*element  `json:"children"`

	words []byte // Text as it grows: joining texts takes the square of their number
}

// parseXML reads a document. It knows no entities but XML's own five, and
// refuses a DTD: both let a document grow.
func parseXML(s string, stopped func() bool) (string, error) {
	const deepest = strictjson.MaxDepth / 4
	if len(s) > maxXML {
		return "", fmt.Errorf("XML: longer than %d bytes", maxXML)
	}
	nodes := 0
	d := xml.NewDecoder(strings.NewReader(s))
	top := &element{}
	open := []*element{top}
	for tokens := 1; ; tokens++ {
		if tokens%1000 == 0 && stopped() {
			return "", errEnded
		}
		token, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			line, column := d.InputPos()
			return "", fmt.Errorf("XML: line %d, column %d: not well-formed", line, column)
		}
		last := open[len(open)-1]
		switch t := token.(type) {
		case xml.StartElement:
			e := &element{Name: qualified(t.Name), Attributes: [][2]string{}, Children: []*element{}}
			for _, a := range t.Attr {
				e.Attributes = append(e.Attributes, [2]string{qualified(a.Name), a.Value})
			}
			last.Children = append(last.Children, e)
			if nodes += 1 + len(t.Attr); nodes > maxNodes {
				return "", fmt.Errorf("XML: more than %d elements and attributes", maxNodes)
			}
			if open = append(open, e); len(open) > deepest {
				return "", errors.New("XML: too many levels")
			}
		case xml.EndElement:
			if len(open) == 1 || qualified(t.Name) != last.Name {
				return "", errors.New("XML: an end tag without its start")
			}
			last.Text, last.words = string(last.words), nil
			open = open[:len(open)-1]
		case xml.CharData:
			last.words = append(last.words, t...)
		case xml.Directive:
			if !bytes.HasPrefix(t, []byte("DOCTYPE html")) {
				return "", errors.New("XML: a document type definition is not read")
			}
		}
	}
	if len(open) != 1 || len(top.Children) != 1 {
		return "", errors.New("XML: there has to be one element")
	}
	out, err := json.Marshal(top.Children[0])
	return string(out), err
}

func qualified(n xml.Name) string {
	if n.Space == "" {
		return n.Local
	}
	return n.Space + ":" + n.Local
}
