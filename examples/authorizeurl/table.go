package main

// This file prints an explanation as a table for a terminal.

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"example.com/upstream"
)

// In characters. The URL above the table has all values in full.
const (
	maxCell    = 24
	tableWidth = 100
	minReason  = 24 // even where that makes the table wider
)

func printTable(w io.Writer, e *upstream.Explanation) error {
	rows := [][]string{{"PARAMETER", "VALUE", "SENT", "LAYER", "FROM", "REASON"}}
	for _, d := range e.Parameters {
		sent := "no"
		if d.Sent {
			sent = "yes"
		}
		rows = append(rows, []string{cell(d.Name), cell(d.Value), sent, d.Layer, d.Source, visible(d.Reason)})
	}
	reason := len(rows[0]) - 1 // the last column, which takes the room that is left
	widths := make([]int, reason)
	left := tableWidth
	for i := range widths {
		for _, row := range rows {
			widths[i] = max(widths[i], utf8.RuneCountInString(row[i]))
		}
		left -= widths[i] + 2
	}

	var b strings.Builder
	b.WriteByte('\n')
	for _, row := range rows {
		for i, text := range wrap(row[reason], max(left, minReason)) {
			line := ""
			for j, width := range widths {
				if i > 0 {
					row[j] = "" // the row goes on with its reason alone
				}
				line += fmt.Sprintf("%-*s  ", width, row[j])
			}
			b.WriteString(strings.TrimRight(line+text, " ") + "\n")
		}
	}
	unmapped := "none"
	if len(e.Unmapped) > 0 {
		unmapped = strings.Join(e.Unmapped, ", ")
	}
	fmt.Fprintf(&b, "\nIncoming but not mapped: %s\n", unmapped)
	_, err := io.WriteString(w, b.String())
	return err
}

// cell makes a text fit for the table.
func cell(s string) string {
	s = visible(s)
	if utf8.RuneCountInString(s) > maxCell {
		s = string([]rune(s)[:maxCell-1]) + "…"
	}
	return s
}

// visible escapes what a terminal could obey instead of showing: control
// characters, and those that turn the direction of writing.
func visible(s string) string {
	var b strings.Builder
	for _, r := range s {
		if strconv.IsPrint(r) {
			b.WriteRune(r)
		} else {
			b.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
		}
	}
	return b.String()
}

// wrap breaks a text at spaces into lines of at most width characters, longer
// words excepted. There is at least one line.
func wrap(s string, width int) []string {
	lines := []string{""}
	for word := range strings.FieldsSeq(s) {
		last := &lines[len(lines)-1]
		switch {
		case *last == "":
			*last = word
		case utf8.RuneCountInString(*last)+1+utf8.RuneCountInString(word) <= width:
			*last += " " + word
		default:
			lines = append(lines, word)
		}
	}
	return lines
}
