package processrpc_test

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"connectrpc.com/connect"

	"torpor.dev/agent/internal/agenttest"
	wire "torpor.dev/agent/proto/process"
)

func TestHundredMegabytesArriveWhole(t *testing.T) {
	if testing.Short() {
		t.Skip("this takes seconds")
	}
	const line, lines = "%099d\n", 1_000_000
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	f := followIn(withoutDeadline{ctx}, t, agenttest.Start(t), request(fmt.Sprintf(`awk 'BEGIN { for (i = 0; i < %d; i++) printf "%%099d\n", i }'`, lines)))
	started, next, pending, rested := time.Now(), 0, "", false
	for f.stream.Receive() {
		text := pending + string(f.stream.Msg().GetEvent().GetData().GetStdout())
		for len(text) >= 100 {
			if want := fmt.Sprintf(line, next); text[:100] != want {
				t.Fatalf("line %d is %q", next, text[:100])
			}
			text, next = text[100:], next+1
		}
		pending = text
		if next > lines/2 && !rested {
			time.Sleep(300 * time.Millisecond) // a client that is slow loses nothing
			rested = true
		}
	}
	if next != lines || f.stream.Err() != nil {
		t.Errorf("got %d lines, %v", next, f.stream.Err())
	}
	t.Logf("%.0f MB/s", 100/time.Since(started).Seconds())
}

func TestFiftyProcessesAtOnce(t *testing.T) {
	a := agenttest.Start(t)
	var all sync.WaitGroup
	for i := range 50 {
		f := follow(t, a, request(fmt.Sprintf("j=0; while [ $j -lt 500 ]; do echo %d-$j; j=$((j+1)); done; exit %d", i, i)))
		all.Go(func() {
			if err := f.rest(); err != nil || f.last.GetExitCode() != int32(i) {
				t.Errorf("%d: %v, %v", i, f.last, err)
			}
			lines := strings.Fields(f.stdout.String())
			for j, line := range lines {
				if line != strconv.Itoa(i)+"-"+strconv.Itoa(j) {
					t.Errorf("%d: line %d is %q", i, j, line)
					break
				}
			}
			if len(lines) != 500 {
				t.Errorf("%d: %d lines", i, len(lines))
			}
		})
	}
	all.Wait()
}

func TestBusyTerminalDoesNotHoldOthersUp(t *testing.T) {
	a := agenttest.Start(t)
	busy := follow(t, a, onTerminal("cat /dev/zero | tr '\\0' x"))
	busy.awaitOutput("xxx")
	started := time.Now()
	for range 20 {
		follow(t, a, request("true")).end()
	}
	if spent := time.Since(started); spent > 5*time.Second {
		t.Errorf("20 commands took %v", spent)
	}
	signal := &wire.SendSignalRequest{Process: pid(busy.pid), Signal: wire.Signal_SIGNAL_SIGKILL}
	if _, err := a.Process.SendSignal(t.Context(), connect.NewRequest(signal)); err != nil {
		t.Fatal(err)
	}
	busy.end()
}

func TestStreamedInputArrivesInOrder(t *testing.T) {
	eachCodec(t, func(t *testing.T, a *agenttest.Agent) {
		f := follow(t, a, request("head -n 1000"))
		stream := a.Process.StreamInput(t.Context())
		send := func(message *wire.StreamInputRequest) {
			if err := stream.Send(message); err != nil {
				t.Fatal(err)
			}
		}
		send(&wire.StreamInputRequest{Event: &wire.StreamInputRequest_Start{Start: &wire.StreamInputRequest_StartEvent{Process: pid(f.pid)}}})
		var want strings.Builder
		for i := range 1000 {
			line := strconv.Itoa(i) + "\n"
			want.WriteString(line)
			input := &wire.ProcessInput{Input: &wire.ProcessInput_Stdin{Stdin: []byte(line)}}
			send(&wire.StreamInputRequest{Event: &wire.StreamInputRequest_Data{Data: &wire.StreamInputRequest_DataEvent{Input: input}}})
			send(&wire.StreamInputRequest{Event: &wire.StreamInputRequest_Keepalive{Keepalive: &wire.StreamInputRequest_KeepAlive{}}})
		}
		if _, err := stream.CloseAndReceive(); err != nil {
			t.Fatal(err)
		}
		f.end()
		if f.stdout.String() != want.String() {
			t.Errorf("got %d bytes", f.stdout.Len())
		}
	})
}

func TestStreamedInputNeedsAProcess(t *testing.T) {
	a := agenttest.Start(t)
	for code, message := range map[connect.Code]*wire.StreamInputRequest{
		connect.CodeNotFound:        {Event: &wire.StreamInputRequest_Start{Start: &wire.StreamInputRequest_StartEvent{Process: pid(999999999)}}},
		connect.CodeInvalidArgument: {Event: &wire.StreamInputRequest_Data{Data: &wire.StreamInputRequest_DataEvent{}}},
	} {
		stream := a.Process.StreamInput(t.Context())
		_ = stream.Send(message)
		if _, err := stream.CloseAndReceive(); connect.CodeOf(err) != code {
			t.Errorf("got %v, want %v", err, code)
		}
	}
}
