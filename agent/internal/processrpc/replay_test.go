package processrpc_test

import (
	"testing"

	"connectrpc.com/connect"

	"torpor.dev/agent/internal/agenttest"
	"torpor.dev/agent/internal/processrpc"
	wire "torpor.dev/agent/proto/process"
)

func TestLateClientGetsWhatItMissedIfItAsks(t *testing.T) {
	a := agenttest.Start(t)
	f := follow(t, a, request("echo out; exit 3"))
	f.end()
	for asked, want := range map[string]struct{ offset, stdout string }{"": {"", ""}, "all": {"0", "out\n"}, "2": {"2", "t\n"}, "999": {"4", ""}} {
		header, late := connectAt(t, a, f.pid, asked)
		if end := late.end(); end.GetExitCode() != 3 || late.stdout.String() != want.stdout {
			t.Errorf("%q: got %v, %q", asked, end, late.stdout.String())
		}
		if got := header(processrpc.OffsetHeader); got != want.offset {
			t.Errorf("%q: the offset is %q", asked, got)
		}
	}
}

func TestDroppedOutputIsTold(t *testing.T) {
	a := agenttest.Start(t)
	a.Init(t, `{"outputBufferBytes":1000}`)
	f := follow(t, a, request("head -c 100000 /dev/zero; echo end"))
	f.end()
	header, late := connectAt(t, a, f.pid, "all")
	late.end()
	if dropped := header(processrpc.DroppedHeader); dropped == "0" || dropped != header(processrpc.OffsetHeader) {
		t.Errorf("dropped %q, from %q", dropped, header(processrpc.OffsetHeader))
	}
}

func TestOffsetThatMakesNoSenseIsRefused(t *testing.T) {
	a := agenttest.Start(t)
	f := follow(t, a, request("true"))
	f.end()
	for _, asked := range []string{"-1", "some", "1.5"} {
		stream, err := a.Process.Connect(t.Context(), connectRequest(f.pid, asked))
		if err == nil && !stream.Receive() {
			err = stream.Err()
		}
		if connect.CodeOf(err) != connect.CodeInvalidArgument {
			t.Errorf("%q: got %v", asked, err)
		}
	}
}

func connectAt(t *testing.T, a *agenttest.Agent, id uint32, offset string) (header func(string) string, late *followed) {
	t.Helper()
	stream, err := a.Process.Connect(t.Context(), connectRequest(id, offset))
	if err != nil {
		t.Fatal(err)
	}
	late = started(t, typed[wire.ConnectResponse, *wire.ConnectResponse]{stream})
	return stream.ResponseHeader().Get, late
}

func connectRequest(id uint32, offset string) *connect.Request[wire.ConnectRequest] {
	r := connect.NewRequest(&wire.ConnectRequest{Process: pid(id)})
	if offset != "" {
		r.Header().Set(processrpc.OffsetHeader, offset)
	}
	return r
}
