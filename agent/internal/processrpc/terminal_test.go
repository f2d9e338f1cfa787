package processrpc_test

import (
	"strings"
	"testing"

	"connectrpc.com/connect"

	"torpor.dev/agent/internal/agenttest"
	wire "torpor.dev/agent/proto/process"
)

func TestTerminalIsTypedIntoAndResized(t *testing.T) {
	eachCodec(t, func(t *testing.T, a *agenttest.Agent) {
		f := follow(t, a, onTerminal(`echo "$TERM $(stty size)"; read x; echo "$x $(stty size)"; exit 4`))
		f.awaitOutput("xterm-256color 24 80")
		size := &wire.PTY{Size: &wire.PTY_Size{Cols: 100, Rows: 30}}
		if _, err := a.Process.Update(t.Context(), connect.NewRequest(&wire.UpdateRequest{Process: pid(f.pid), Pty: size})); err != nil {
			t.Fatal(err)
		}
		typeInto(t, a, f.pid, "typed\n")
		if end := f.end(); end.GetExitCode() != 4 || !strings.HasSuffix(f.terminal.String(), "typed 30 100\r\n") || f.stdout.Len() > 0 {
			t.Errorf("got %v %q", end, f.terminal.String())
		}
	})
}

func TestTermIsThatOfTheClientIfItTellsOne(t *testing.T) {
	r := onTerminal(`echo "$TERM"`)
	r.Msg.Process.Envs = map[string]string{"TERM": "vt100"}
	f := follow(t, agenttest.Start(t), r)
	f.end()
	if got := f.terminal.String(); got != "vt100\r\n" {
		t.Errorf("got %q", got)
	}
}

func TestTerminalCanBeConnectedToAgain(t *testing.T) {
	a := agenttest.Start(t)
	f := follow(t, a, onTerminal(`echo first; read x; echo "second $x"`))
	f.awaitOutput("first")
	f.stop()
	again := connectTo(t, a, pid(f.pid))
	typeInto(t, a, f.pid, "x\n")
	again.end()
	if got := again.terminal.String(); strings.Contains(got, "first") || !strings.Contains(got, "second x") {
		t.Errorf("got %q", got)
	}
}

func TestInputOfTheWrongKindIsRefused(t *testing.T) {
	a := agenttest.Start(t)
	terminal, pipes := follow(t, a, onTerminal("sleep 1000")), follow(t, a, request("sleep 1000"))
	stdin := &wire.ProcessInput{Input: &wire.ProcessInput_Stdin{Stdin: []byte("x")}}
	typed := &wire.ProcessInput{Input: &wire.ProcessInput_Pty{Pty: []byte("x")}}
	size := &wire.PTY{Size: &wire.PTY_Size{Cols: 1, Rows: 1}}
	_, stdinToTerminal := a.Process.SendInput(t.Context(), connect.NewRequest(&wire.SendInputRequest{Process: pid(terminal.pid), Input: stdin}))
	_, typedIntoPipes := a.Process.SendInput(t.Context(), connect.NewRequest(&wire.SendInputRequest{Process: pid(pipes.pid), Input: typed}))
	_, nothing := a.Process.SendInput(t.Context(), connect.NewRequest(&wire.SendInputRequest{Process: pid(pipes.pid)}))
	_, sized := a.Process.Update(t.Context(), connect.NewRequest(&wire.UpdateRequest{Process: pid(pipes.pid), Pty: size}))
	_, closed := a.Process.CloseStdin(t.Context(), connect.NewRequest(&wire.CloseStdinRequest{Process: pid(terminal.pid)}))
	for name, test := range map[string]struct {
		err  error
		code connect.Code
	}{
		"stdin to a terminal":     {stdinToTerminal, connect.CodeInternal},
		"typing into pipes":       {typedIntoPipes, connect.CodeInternal},
		"no input":                {nothing, connect.CodeInvalidArgument},
		"resizing pipes":          {sized, connect.CodeInternal},
		"the end of a terminal's": {closed, connect.CodeUnknown},
	} {
		if connect.CodeOf(test.err) != test.code {
			t.Errorf("%s: got %v", name, test.err)
		}
	}
	for _, f := range []*followed{terminal, pipes} {
		signal := &wire.SendSignalRequest{Process: pid(f.pid), Signal: wire.Signal_SIGNAL_SIGKILL}
		if _, err := a.Process.SendSignal(t.Context(), connect.NewRequest(signal)); err != nil {
			t.Error(err)
		}
		f.end()
	}
}

func onTerminal(script string) *connect.Request[wire.StartRequest] {
	r := request(script)
	r.Msg.Pty = &wire.PTY{Size: &wire.PTY_Size{Cols: 80, Rows: 24}}
	return r
}

func typeInto(t *testing.T, a *agenttest.Agent, id uint32, text string) {
	t.Helper()
	input := &wire.ProcessInput{Input: &wire.ProcessInput_Pty{Pty: []byte(text)}}
	if _, err := a.Process.SendInput(t.Context(), connect.NewRequest(&wire.SendInputRequest{Process: pid(id), Input: input})); err != nil {
		t.Fatal(err)
	}
}
