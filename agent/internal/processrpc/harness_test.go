package processrpc_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	"torpor.dev/agent/internal/agenttest"
	wire "torpor.dev/agent/proto/process"
)

// protoCodec puts the binary codec back, which the test agent's clients replace by JSON.
type protoCodec struct{}

func (protoCodec) Name() string { return "proto" }

func (protoCodec) Marshal(message any) ([]byte, error) { return proto.Marshal(message.(proto.Message)) }

func (protoCodec) Unmarshal(data []byte, message any) error {
	return proto.Unmarshal(data, message.(proto.Message))
}

func request(script string) *connect.Request[wire.StartRequest] {
	return connect.NewRequest(&wire.StartRequest{Process: &wire.ProcessConfig{Cmd: "/bin/sh", Args: []string{"-c", script}}})
}

func pid(id uint32) *wire.ProcessSelector {
	return &wire.ProcessSelector{Selector: &wire.ProcessSelector_Pid{Pid: id}}
}

func list(t *testing.T, a *agenttest.Agent) []*wire.ProcessInfo {
	t.Helper()
	answer, err := a.Process.List(t.Context(), connect.NewRequest(&wire.ListRequest{}))
	if err != nil {
		t.Fatal(err)
	}
	return answer.Msg.GetProcesses()
}

// events is what the streams of Start and Connect have in common.
type events interface {
	Receive() bool
	Msg() eventful
	Err() error
}

type eventful interface{ GetEvent() *wire.ProcessEvent }

// typed makes a stream of either message one of events.
type typed[M any, P interface {
	*M
	eventful
}] struct {
	*connect.ServerStreamForClient[M]
}

func (s typed[M, P]) Msg() eventful { return P(s.ServerStreamForClient.Msg()) }

// followed is a process as one client sees it.
type followed struct {
	t              *testing.T
	stream         events
	pid            uint32
	stdout, stderr strings.Builder
	terminal       strings.Builder
	stop           context.CancelFunc
	last           *wire.ProcessEvent_EndEvent
}

func follow(t *testing.T, a *agenttest.Agent, r *connect.Request[wire.StartRequest]) *followed {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	// A deadline of the client would bound the process.
	f := followIn(withoutDeadline{ctx}, t, a, r)
	f.stop = cancel
	return f
}

func followIn(ctx context.Context, t *testing.T, a *agenttest.Agent, r *connect.Request[wire.StartRequest]) *followed {
	t.Helper()
	stream, err := a.Process.Start(ctx, r)
	if err != nil {
		t.Fatal(err)
	}
	return started(t, typed[wire.StartResponse, *wire.StartResponse]{stream})
}

func connectTo(t *testing.T, a *agenttest.Agent, selector *wire.ProcessSelector) *followed {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	stream, err := a.Process.Connect(ctx, connect.NewRequest(&wire.ConnectRequest{Process: selector}))
	if err != nil {
		t.Fatal(err)
	}
	return started(t, typed[wire.ConnectResponse, *wire.ConnectResponse]{stream})
}

func started(t *testing.T, stream events) *followed {
	t.Helper()
	if !stream.Receive() || stream.Msg().GetEvent().GetStart() == nil {
		t.Fatalf("no start event: %v, %v", stream.Msg(), stream.Err())
	}
	return &followed{t: t, stream: stream, pid: stream.Msg().GetEvent().GetStart().GetPid()}
}

// rest reads until the stream ends and returns its error.
func (f *followed) rest() error {
	for f.receive() {
	}
	return f.stream.Err()
}

func (f *followed) receive() bool {
	if !f.stream.Receive() {
		return false
	}
	event := f.stream.Msg().GetEvent()
	f.stdout.Write(event.GetData().GetStdout())
	f.stderr.Write(event.GetData().GetStderr())
	f.terminal.Write(event.GetData().GetPty())
	if event.GetEnd() != nil {
		f.last = event.GetEnd()
	}
	return true
}

// awaitOutput reads until a text has come.
func (f *followed) awaitOutput(text string) {
	f.t.Helper()
	for !strings.Contains(f.stdout.String()+f.terminal.String(), text) {
		if !f.receive() {
			f.t.Fatalf("%q does not come: %v", text, f.stream.Err())
		}
	}
}

func (f *followed) end() *wire.ProcessEvent_EndEvent {
	f.t.Helper()
	if err := f.rest(); err != nil {
		f.t.Fatal(err)
	}
	if f.last == nil {
		f.t.Fatal("the stream ended without an end event")
	}
	return f.last
}

type withoutDeadline struct{ context.Context }

func (withoutDeadline) Deadline() (time.Time, bool) { return time.Time{}, false }
