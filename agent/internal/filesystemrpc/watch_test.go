package filesystemrpc_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"

	"torpor.dev/agent/internal/agenttest"
	wire "torpor.dev/agent/proto/filesystem"
)

// patience bounds waiting for what should come soon.
const patience = 20 * time.Second

func TestChangesAreStreamedWithTheirEntries(t *testing.T) {
	a := agenttest.Start(t)
	stream := watchDir(t, a, &wire.WatchDirRequest{Path: "~", Recursive: true, IncludeEntry: true})
	dir := filepath.Join(a.Home, "sub")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "f"), []byte("content"), 0o644); err != nil {
		t.Fatal(err)
	}
	if event := next(t, stream); event.GetName() != "sub" || event.GetType() != wire.EventType_EVENT_TYPE_CREATE || event.GetEntry().GetType() != wire.FileType_FILE_TYPE_DIRECTORY {
		t.Errorf("got %v", event)
	}
	if event := next(t, stream); event.GetName() != "sub/f" || event.GetType() != wire.EventType_EVENT_TYPE_CREATE || event.GetEntry().GetPath() != dir+"/f" {
		t.Errorf("got %v", event)
	}
	if err := os.Remove(filepath.Join(dir, "f")); err != nil {
		t.Fatal(err)
	}
	for {
		event := next(t, stream)
		if event.GetType() == wire.EventType_EVENT_TYPE_WRITE {
			continue
		}
		if event.GetType() != wire.EventType_EVENT_TYPE_REMOVE || event.GetEntry() != nil {
			t.Errorf("got %v", event)
		}
		return
	}
}

func TestWatchStreamKeepsAliveAndEndsInTime(t *testing.T) {
	a := agenttest.Start(t)
	r := connect.NewRequest(&wire.WatchDirRequest{Path: "."})
	r.Header().Set("Keepalive-Ping-Interval", "1")
	r.Header().Set("Connect-Timeout-Ms", "1500")
	stream, err := a.Filesystem.WatchDir(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	alive := false
	for stream.Receive() {
		alive = alive || stream.Msg().GetKeepalive() != nil
	}
	if !alive || connect.CodeOf(stream.Err()) != connect.CodeDeadlineExceeded {
		t.Errorf("kept alive: %v, then %v", alive, stream.Err())
	}
}

func TestEventsAreCollectedUntilTheyAreFetched(t *testing.T) {
	a := agenttest.Start(t)
	created, err := a.Filesystem.CreateWatcher(t.Context(), connect.NewRequest(&wire.CreateWatcherRequest{Path: a.Home}))
	if err != nil {
		t.Fatal(err)
	}
	id := created.Msg.GetWatcherId()
	if !strings.HasPrefix(id, "w") {
		t.Errorf("the id is %q", id)
	}
	if err := os.WriteFile(filepath.Join(a.Home, "f"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	var events []*wire.FilesystemEvent
	for end := time.Now().Add(patience); len(events) == 0 && time.Now().Before(end); time.Sleep(time.Millisecond) {
		events = fetch(t, a, id)
	}
	if len(events) != 1 || events[0].GetName() != "f" {
		t.Errorf("got %v", events)
	}
	if events := fetch(t, a, id); len(events) != 0 {
		t.Errorf("told twice: %v", events)
	}
	if _, err := a.Filesystem.RemoveWatcher(t.Context(), connect.NewRequest(&wire.RemoveWatcherRequest{WatcherId: id})); err != nil {
		t.Fatal(err)
	}
	_, again := a.Filesystem.RemoveWatcher(t.Context(), connect.NewRequest(&wire.RemoveWatcherRequest{WatcherId: id}))
	_, fetched := a.Filesystem.GetWatcherEvents(t.Context(), connect.NewRequest(&wire.GetWatcherEventsRequest{WatcherId: id}))
	for _, err := range []error{again, fetched} {
		if connect.CodeOf(err) != connect.CodeNotFound || !strings.Contains(err.Error(), "watcher with id "+id+" not found") {
			t.Errorf("got %v", err)
		}
	}
}

func TestWatchersAreBounded(t *testing.T) {
	a := agenttest.Start(t)
	for i := range 101 {
		_, err := a.Filesystem.CreateWatcher(t.Context(), connect.NewRequest(&wire.CreateWatcherRequest{Path: a.Home}))
		if code := connect.CodeOf(err); err != nil && (i < 100 || code != connect.CodeResourceExhausted) {
			if code == connect.CodeResourceExhausted {
				t.Skipf("the system allows only %d", i)
			}
			t.Fatalf("%d: %v", i, err)
		} else if err == nil && i == 100 {
			t.Error("one too many was made")
		}
	}
}

func TestWatchRefusals(t *testing.T) {
	a := agenttest.Start(t)
	if err := os.WriteFile(filepath.Join(a.Home, "f"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]struct {
		code connect.Code
		text string
	}{
		"/nonexistent": {connect.CodeNotFound, "/nonexistent"},
		"f":            {connect.CodeInvalidArgument, "path " + a.Home + "/f not a directory"},
	} {
		stream, err := a.Filesystem.WatchDir(t.Context(), connect.NewRequest(&wire.WatchDirRequest{Path: path}))
		if err == nil && !stream.Receive() {
			err = stream.Err()
		}
		if connect.CodeOf(err) != want.code || !strings.Contains(err.Error(), want.text) {
			t.Errorf("%s: got %v", path, err)
		}
	}
}

func watchDir(t *testing.T, a *agenttest.Agent, request *wire.WatchDirRequest) *connect.ServerStreamForClient[wire.WatchDirResponse] {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	stream, err := a.Filesystem.WatchDir(ctx, connect.NewRequest(request))
	if err != nil {
		t.Fatal(err)
	}
	if !stream.Receive() || stream.Msg().GetStart() == nil {
		t.Fatalf("no start event: %v, %v", stream.Msg(), stream.Err())
	}
	return stream
}

func next(t *testing.T, stream *connect.ServerStreamForClient[wire.WatchDirResponse]) *wire.FilesystemEvent {
	t.Helper()
	if !stream.Receive() {
		t.Fatal(stream.Err())
	}
	return stream.Msg().GetFilesystem()
}

func fetch(t *testing.T, a *agenttest.Agent, id string) []*wire.FilesystemEvent {
	t.Helper()
	answer, err := a.Filesystem.GetWatcherEvents(t.Context(), connect.NewRequest(&wire.GetWatcherEventsRequest{WatcherId: id}))
	if err != nil {
		t.Fatal(err)
	}
	return answer.Msg.GetEvents()
}
