package httpapi

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"torpor.dev/engine/internal/protocol"
)

// fake answers like an engine that has one execution, "a".
type fake struct{ ended chan string }

func (fake) known(id string) error {
	switch id {
	case "a":
		return nil
	case "bug":
		panic("a bug")
	case "disk":
		return errors.New("no space left on device")
	}
	return protocol.Errorf(protocol.NotFound, "There is no such execution.")
}

func (f fake) Boot(r protocol.Boot) (protocol.Started, error) {
	return protocol.Started{PID: 7}, f.known(r.Execution)
}
func (f fake) Restore(r protocol.Restore) (protocol.Started, error) {
	return protocol.Started{PID: 7}, f.known(r.Execution)
}
func (f fake) WaitRestored(r protocol.Target) (protocol.Empty, error) {
	return protocol.Empty{}, f.known(r.Execution)
}
func (f fake) Freeze(r protocol.Target) (protocol.Empty, error) {
	return protocol.Empty{}, f.known(r.Execution)
}
func (f fake) Thaw(r protocol.Target) (protocol.Empty, error) {
	return protocol.Empty{}, f.known(r.Execution)
}
func (f fake) Capture(r protocol.Capture) (protocol.Captured, error) {
	return protocol.Captured{Bytes: 5, Extents: 1}, f.known(r.Execution)
}
func (f fake) CaptureFiles(r protocol.Capture) (protocol.Captured, error) {
	return protocol.Captured{Bytes: 3, Extents: 2}, f.known(r.Execution)
}
func (f fake) Destroy(r protocol.Target) (protocol.Empty, error) {
	return protocol.Empty{}, f.known(r.Execution)
}
func (f fake) List(protocol.Empty) (protocol.Executions, error) {
	return protocol.Executions{Executions: []protocol.Execution{}}, nil
}
func (f fake) Stats(r protocol.Target) (protocol.Stats, error) {
	return protocol.Stats{}, f.known(r.Execution)
}
func (f fake) Space(r protocol.Space) (protocol.Taken, error) {
	return protocol.Taken{Bytes: 4, AllocatedBytes: 3, SharedBytes: 2, Extents: 1}, f.known(r.Execution)
}

// Flush, Prefetch and Compact go on until nobody wants them any more, which is told through ended.
func (f fake) Flush(ctx context.Context, r protocol.Target) (protocol.Empty, error) {
	return protocol.Empty{}, f.untilEnded(ctx, r.Execution)
}
func (f fake) Prefetch(ctx context.Context, r protocol.Prefetch) (protocol.Prefetched, error) {
	return protocol.Prefetched{}, f.untilEnded(ctx, r.Execution)
}
func (f fake) Compact(ctx context.Context, r protocol.Compact) (protocol.Compacted, error) {
	return protocol.Compacted{}, f.untilEnded(ctx, "a")
}
func (f fake) untilEnded(ctx context.Context, execution string) error {
	if err := f.known(execution); err != nil {
		return err
	}
	<-ctx.Done()
	f.ended <- execution
	return ctx.Err()
}

func (f fake) Version(protocol.Empty) (protocol.Version, error) {
	return protocol.Version{Version: "v"}, nil
}

func serve(t *testing.T) (*httptest.Server, *Hub) {
	return serveEnding(t, nil)
}

func serveEnding(t *testing.T, ended chan string) (*httptest.Server, *Hub) {
	hub := NewHub()
	server := httptest.NewServer(New(fake{ended}, hub, slog.New(slog.NewJSONHandler(io.Discard, nil))))
	t.Cleanup(server.Close)
	t.Cleanup(hub.Close)
	return server, hub
}

func TestAnswers(t *testing.T) {
	server, _ := serve(t)
	cases := []struct {
		method, body string
		status       int
		part         string
	}{
		{"boot", `{"execution":"a","bundle":"/b","overlayDirectory":"/o","diskBytes":9}`, 200, `{"pid":7}`},
		{"restore", `{"execution":"a","bundle":"/b","overlayDirectory":"/o","diskBytes":9,"image":"/i"}`, 200, `{"pid":7}`},
		{"capture", `{"execution":"a","directory":"/d","direct":true}`, 200, `{"bytes":5,"extents":1}`},
		{"captureFiles", `{"execution":"a","directory":"/d","direct":true}`, 200, `{"bytes":3,"extents":2}`},
		{"boot", `{"execution":"a","bundle":"/b","overlayDirectory":"/o","diskBytes":9,"files":"/f"}`, 200, `{"pid":7}`},
		{"freeze", `{"execution":"a"}`, 200, `{}`},
		{"space", `{"execution":"a"}`, 200, `{"bytes":4,"allocatedBytes":3,"sharedBytes":2,"extents":1}`},
		{"space", `{"execution":"a","directory":"/d"}`, 400, `"kind":"invalid"`},
		{"flush", `{"execution":"b"}`, 404, `"kind":"not_found"`},
		{"prefetch", `{"execution":"a","keepFreeBytes":-1}`, 400, `"kind":"invalid"`},
		{"list", `{}`, 200, `{"executions":[]}`},
		{"version", `{}`, 200, `"version":"v"`},
		{"version", `{}`, 200, `"waitRestored"`},
		{"freeze", `{"execution":"b"}`, 404, `"kind":"not_found"`},
		{"freeze", `{"execution":"disk"}`, 507, `"kind":"no_space"`},
		{"freeze", `{"execution":"bug"}`, 500, `"kind":"internal"`},
		{"freeze", `{"execution":"A"}`, 400, `"kind":"invalid"`},
		{"freeze", `{"execution":"a","x":1}`, 400, `"kind":"invalid"`},
		{"freeze", `{"execution":1}`, 400, `"kind":"invalid"`},
		{"freeze", `{"execution":"a"} {}`, 400, `"kind":"invalid"`},
		{"freeze", ``, 400, `"kind":"invalid"`},
		{"freeze", `{"execution":"` + strings.Repeat("a", maxBody) + `"}`, 400, `"kind":"invalid"`},
		{"nothing", `{}`, 404, `"kind":"not_found"`},
	}
	for _, c := range cases {
		response, err := http.Post(server.URL+"/v1/"+c.method, "application/json", strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		answer, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil || response.StatusCode != c.status || !strings.Contains(string(answer), c.part) {
			t.Errorf("%s %.60s: %d %s %v", c.method, c.body, response.StatusCode, answer, err)
		}
	}
}

func TestWhatNobodyWaitsForAnyMoreIsGivenUp(t *testing.T) {
	ended := make(chan string, 1)
	server, _ := serveEnding(t, ended)
	for method, body := range map[string]string{
		"flush": `{"execution":"a"}`, "prefetch": `{"execution":"a","keepFreeBytes":1}`, "compact": `{"directory":"/d"}`,
	} {
		ctx, cancel := context.WithCancel(context.Background())
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, server.URL+"/v1/"+method, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(20*time.Millisecond, cancel)
		if _, err := http.DefaultClient.Do(request); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", method, err)
		}
		select {
		case <-ended:
		case <-time.After(60 * time.Second):
			t.Errorf("%s goes on", method)
		}
	}
}

func TestEventsReachEveryListener(t *testing.T) {
	server, hub := serve(t)
	var streams []*bufio.Scanner
	for range 2 {
		response, err := http.Get(server.URL + "/v1/events")
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		lines := bufio.NewScanner(response.Body)
		if !lines.Scan() || lines.Text() != `{"type":"ready"}` {
			t.Fatalf("first line: %q", lines.Text())
		}
		streams = append(streams, lines)
	}
	zero := 0
	hub.Publish(protocol.Event{Type: protocol.Exit, Execution: "a", Status: &zero})
	hub.Close()
	for _, lines := range streams {
		if !lines.Scan() || lines.Text() != `{"type":"exit","execution":"a","status":0}` {
			t.Errorf("second line: %q", lines.Text())
		}
		if lines.Scan() {
			t.Errorf("the stream goes on with %q", lines.Text())
		}
	}
}

func TestASlowListenerIsCutOff(t *testing.T) {
	hub := NewHub()
	events, leave := hub.Listen()
	defer leave()
	for range backlog + 1 {
		hub.Publish(protocol.Event{Type: protocol.Exit})
	}
	received := 0
	for range events {
		received++
	}
	if received != backlog {
		t.Errorf("received %d", received)
	}
}
