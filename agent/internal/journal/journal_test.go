package journal

import (
	"bytes"
	"log"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestOldestEntriesAreDropped(t *testing.T) {
	j := &Journal{}
	for range maxEntries + 7 {
		j.Add(Info, "happened", nil)
	}
	entries := j.After(0, maxEntries+10)
	if len(entries) != maxEntries || entries[0].Sequence != 8 || entries[maxEntries-1].Sequence != maxEntries+7 {
		t.Errorf("got %d, from %d", len(entries), entries[0].Sequence)
	}
	if some := j.After(100, 5); len(some) != 5 || some[0].Sequence != 101 {
		t.Errorf("got %v", some)
	}
	if none := j.After(maxEntries+7, 5); len(none) != 0 {
		t.Errorf("got %v", none)
	}
}

func TestLongTextsAreCutBetweenCharacters(t *testing.T) {
	j := &Journal{}
	j.Add(Info, "m", Fields{"command": strings.Repeat("ü", maxBytes), "pid": 7})
	entry := j.After(0, 1)[0]
	command, _ := entry.Fields["command"].(string)
	if len(command) > maxBytes || len(command) < maxBytes-10 || !utf8.ValidString(command) || entry.Fields["pid"] != 7 {
		t.Errorf("got %d bytes, %v", len(command), entry.Fields["pid"])
	}
}

func TestClearedJournalGoesOnCounting(t *testing.T) {
	j := &Journal{}
	j.Add(Info, "old", nil)
	j.Clear()
	j.Add(Info, "new", nil)
	if entries := j.After(0, 10); len(entries) != 1 || entries[0].Message != "new" || entries[0].Sequence != 2 {
		t.Errorf("got %v", entries)
	}
}

func TestLogIsCopied(t *testing.T) {
	j, to := &Journal{}, &bytes.Buffer{}
	log.New(j.Writer(to, "agent: "), "agent: ", 0).Print("failed")
	if entries := j.After(0, 10); len(entries) != 1 || entries[0].Message != "failed" || entries[0].Level != Error || to.String() != "agent: failed\n" {
		t.Errorf("got %v, %q", entries, to)
	}
}

func TestNoJournalKeepsNothing(t *testing.T) {
	var j *Journal
	j.Add(Info, "happened", nil)
	j.Clear()
	if entries := j.After(0, 10); len(entries) != 0 {
		t.Errorf("got %v", entries)
	}
}
