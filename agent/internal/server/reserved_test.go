package server_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"torpor.dev/agent/internal/agenttest"
)

type logs struct {
	Entries []struct {
		Sequence  uint64
		Timestamp time.Time
		Level     string
		Message   string
		Fields    map[string]any
	}
	Next uint64
}

func TestLogsTellOfProcesses(t *testing.T) {
	a := agenttest.Start(t)
	io.Copy(io.Discard, open(t, a, `{"process":{"cmd":"/bin/sh","args":["-c","exit 3"]},"tag":"job"}`))
	told := read(t, a, 0)
	if len(told.Entries) != 2 || told.Next != 2 {
		t.Fatalf("got %+v", told)
	}
	first, second := told.Entries[0], told.Entries[1]
	if first.Message != "process started" || first.Level != "info" || first.Fields["command"] != "/bin/sh -c exit 3" || first.Fields["user"] != "user" || first.Fields["tag"] != "job" || first.Fields["pid"] == nil {
		t.Errorf("got %+v", first)
	}
	if second.Message != "process ended" || second.Fields["exitCode"] != 3.0 || second.Fields["pid"] != first.Fields["pid"] || time.Since(second.Timestamp) > time.Minute {
		t.Errorf("got %+v", second)
	}
	if again := read(t, a, told.Next); len(again.Entries) != 0 || again.Next != told.Next {
		t.Errorf("got %+v", again)
	}
	a.Init(t, `{"sandboxId":"i2"}`)
	if ours := read(t, a, 0); len(ours.Entries) != 1 || ours.Entries[0].Message != "sandbox started" || ours.Next != 3 {
		t.Errorf("got %+v", ours)
	}
	for _, query := range []string{"after=x", "limit=0", "limit=-1", "after=1.5"} {
		if answer := a.Do(t, "GET", "/logs?"+query, ""); answer.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: %s", query, answer.Status)
		}
	}
}

func TestReservedPathsNeedTheToken(t *testing.T) {
	a := agenttest.Start(t)
	a.Init(t, `{"accessToken":"one"}`)
	for method, path := range map[string]string{"GET": "/logs", "POST": "/oom"} {
		if answer := a.Do(t, method, path, ""); answer.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s: %s", path, answer.Status)
		}
	}
}

func TestFullMemoryCostsTheBiggestProcess(t *testing.T) {
	a := agenttest.Start(t)
	if answer := a.Do(t, "POST", "/oom", ""); answer.StatusCode != http.StatusNotFound {
		t.Errorf("with no process: %s", answer.Status)
	}
	stream := open(t, a, `{"process":{"cmd":"/bin/sh","args":["-c","x=$(head -c 30000000 /dev/zero | tr '\\0' x); echo full; read y"]}}`)
	until(t, stream, "ZnVsbAo=") // full
	for query, status := range map[string]int{"least=1000000000": http.StatusNotFound, "least=much": http.StatusBadRequest} {
		if answer := a.Do(t, "POST", "/oom?"+query, ""); answer.StatusCode != status {
			t.Errorf("%s: %s", query, answer.Status)
		}
	}
	answer := a.Do(t, "POST", "/oom?least=10000000", "")
	var victim struct {
		PID      int
		Command  string
		RSSBytes int64
	}
	if err := json.NewDecoder(answer.Body).Decode(&victim); err != nil || answer.StatusCode != 200 || victim.RSSBytes < 30_000_000 || !strings.Contains(victim.Command, "read y") {
		t.Errorf("got %s %+v, %v", answer.Status, victim, err)
	}
	rest, err := io.ReadAll(stream)
	if err != nil || !strings.Contains(string(rest), `"error":"killed: the sandbox ran out of memory"`) || !strings.Contains(string(rest), `"status":"signal: killed"`) {
		t.Errorf("got %s, %v", rest, err)
	}
}

func until(t *testing.T, stream io.Reader, text string) {
	t.Helper()
	var seen strings.Builder
	buffer := make([]byte, 1)
	for !strings.Contains(seen.String(), text) {
		if _, err := io.ReadFull(stream, buffer); err != nil {
			t.Fatalf("%v after %q", err, seen.String())
		}
		seen.Write(buffer)
	}
}

func read(t *testing.T, a *agenttest.Agent, after uint64) logs {
	t.Helper()
	var told logs
	answer := a.Do(t, "GET", "/logs?after="+strconv.FormatUint(after, 10), "")
	if err := json.NewDecoder(answer.Body).Decode(&told); err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%s, %v", answer.Status, err)
	}
	return told
}
