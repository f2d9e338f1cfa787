// Package journal keeps what has happened in the sandbox, as far as the agent knows, for the platform's logs.
package journal

import (
	"io"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

const (
	maxEntries = 2000
	// maxBytes bounds the texts of one entry.
	maxBytes = 4 << 10
)

// Level is how much an entry matters.
type Level string

// The levels of the agent.
const (
	Info  Level = "info"
	Error Level = "error"
)

// Fields are details of an entry: texts, numbers and truth values.
type Fields map[string]any

// Entry is one thing that happened. Sequences grow by one, so a gap says that entries were dropped.
type Entry struct {
	Sequence  uint64    `json:"sequence"`
	Timestamp time.Time `json:"timestamp"`
	Level     Level     `json:"level"`
	Message   string    `json:"message"`
	Fields    Fields    `json:"fields"`
}

// Journal keeps the last entries. A nil *Journal keeps none. It is safe for concurrent use.
type Journal struct {
	mu      sync.Mutex
	entries []Entry // a ring once it is full
	oldest  int
	last    uint64
}

// Add notes what happened; long texts are cut. The fields must not be changed afterwards.
func (j *Journal) Add(level Level, message string, fields Fields) {
	if j == nil {
		return
	}
	left := maxBytes
	entry := Entry{Timestamp: time.Now().UTC(), Level: level, Message: cut(message, &left), Fields: Fields{}}
	for name, value := range fields {
		if text, ok := value.(string); ok {
			value = cut(text, &left)
		}
		entry.Fields[name] = value
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.last++
	entry.Sequence = j.last
	if len(j.entries) < maxEntries {
		j.entries = append(j.entries, entry)
		return
	}
	j.entries[j.oldest] = entry
	j.oldest = (j.oldest + 1) % maxEntries
}

// After returns up to limit entries that follow a sequence, the oldest first.
func (j *Journal) After(sequence uint64, limit int) []Entry {
	found := []Entry{}
	if j == nil {
		return found
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	for i := range j.entries {
		entry := j.entries[(j.oldest+i)%len(j.entries)]
		if entry.Sequence > sequence && len(found) < limit {
			found = append(found, entry)
		}
	}
	return found
}

// Clear forgets the entries, which are those of another sandbox. The sequences go on.
func (j *Journal) Clear() {
	if j == nil {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.entries, j.oldest = nil, 0
}

// Writer copies the lines of a log into the journal, as errors: the agent's log has nothing else.
func (j *Journal) Writer(to io.Writer, prefix string) io.Writer {
	return writer(func(line []byte) (int, error) {
		j.Add(Error, strings.TrimPrefix(strings.TrimSpace(string(line)), prefix), nil)
		return to.Write(line)
	})
}

type writer func(line []byte) (int, error)

func (w writer) Write(line []byte) (int, error) { return w(line) }

// cut takes no more of a text than is left, and no half character.
func cut(text string, left *int) string {
	if len(text) > *left {
		end := *left
		for end > 0 && !utf8.RuneStart(text[end]) {
			end--
		}
		text = text[:end]
	}
	*left -= len(text)
	return text
}
