// Package report writes what torpor-oci has to say: one JSON object per line.
package report

import (
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"time"

	"torpor.dev/oci/internal/fault"
)

// progressInterval bounds the progress lines of one layer.
const progressInterval = 500 * time.Millisecond

// Reporter writes lines; it is safe for concurrent use.
type Reporter struct {
	mutex    sync.Mutex
	encoder  *json.Encoder
	lastSeen map[string]time.Time
}

// New makes a Reporter that writes to out.
func New(out io.Writer) *Reporter {
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	return &Reporter{encoder: encoder, lastSeen: map[string]time.Time{}}
}

type logLine struct {
	Type    string `json:"type"`
	Level   string `json:"level"`
	Message string `json:"message"`
}

// Info writes a line for the user's build log.
func (r *Reporter) Info(format string, arguments ...any) { r.log("info", format, arguments) }

// Warn writes a line for the user's build log about something they may stumble over.
func (r *Reporter) Warn(format string, arguments ...any) { r.log("warn", format, arguments) }

func (r *Reporter) log(level, format string, arguments []any) {
	r.write(logLine{"log", level, fmt.Sprintf(format, arguments...)})
}

// Progress says how many of a layer's bytes are done. Lines in between are left out; the last one never is.
func (r *Reporter) Progress(phase, layer string, done, total int64) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	now, key := time.Now(), phase+layer
	if done < total && now.Sub(r.lastSeen[key]) < progressInterval {
		return
	}
	r.lastSeen[key] = now
	_ = r.encoder.Encode(struct {
		Type  string `json:"type"`
		Phase string `json:"phase"`
		Layer string `json:"layer"`
		Done  int64  `json:"done"`
		Total int64  `json:"total"`
	}{"progress", phase, layer, done, total})
}

// Result writes the one line of a command that has succeeded; fields is a struct that is not empty.
func (r *Reporter) Result(fields any) {
	encoded, err := json.Marshal(fields)
	if err != nil {
		r.Error(err)
		return
	}
	r.write(json.RawMessage(append([]byte(`{"type":"result",`), encoded[1:]...)))
}

// Error writes the one line of a command that has failed.
func (r *Reporter) Error(err error) {
	known := fault.From(err)
	line := struct {
		Type    string     `json:"type"`
		Kind    fault.Kind `json:"kind"`
		Message string     `json:"message"`
		Cause   string     `json:"cause,omitempty"`
	}{Type: "error", Kind: known.Kind, Message: known.Message}
	if known.Cause != nil {
		line.Cause = known.Cause.Error()
	}
	r.write(line)
}

// write ignores a reader that has gone: the exit code still tells, and the caller ends this process when it has lost interest.
func (r *Reporter) write(line any) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	_ = r.encoder.Encode(line)
}
