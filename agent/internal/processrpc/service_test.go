package processrpc_test

import (
	"context"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"

	"torpor.dev/agent/internal/agenttest"
	wire "torpor.dev/agent/proto/process"
)

const patience = 20 * time.Second

// Both codecs run through everything: JSON is what the SDKs speak, proto what other clients may.
func eachCodec(t *testing.T, test func(t *testing.T, a *agenttest.Agent)) {
	t.Run("json", func(t *testing.T) { test(t, agenttest.Start(t)) })
	t.Run("proto", func(t *testing.T) { test(t, agenttest.Start(t, connect.WithCodec(protoCodec{}))) })
}

func TestCommandIsFollowedFromStartToEnd(t *testing.T) {
	eachCodec(t, func(t *testing.T, a *agenttest.Agent) {
		f := follow(t, a, request("echo out; echo err >&2; exit 3"))
		if f.pid == 0 {
			t.Error("no start event came first")
		}
		end := f.end()
		if f.stdout.String() != "out\n" || f.stderr.String() != "err\n" {
			t.Errorf("got %q, %q", f.stdout.String(), f.stderr.String())
		}
		if end.GetExitCode() != 3 || !end.GetExited() || end.GetStatus() != "exit status 3" || end.GetError() != "exit status 3" {
			t.Errorf("got %v", end)
		}
	})
}

func TestSuccessCarriesNoError(t *testing.T) {
	end := follow(t, agenttest.Start(t), request("true")).end()
	if end.Error != nil || end.GetStatus() != "exit status 0" {
		t.Errorf("got %v", end)
	}
}

func TestDefaultUserBringsHomeAndNames(t *testing.T) {
	a := agenttest.Start(t)
	f := follow(t, a, request(`pwd; echo "$HOME $USER $LOGNAME"; id -u; id -G`))
	f.end()
	want := a.Home + "\n" + a.Home + " user user\n12345\n12346 12347\n"
	if f.stdout.String() != want {
		t.Errorf("got %q, want %q", f.stdout.String(), want)
	}
}

func TestLaterEnvironmentWins(t *testing.T) {
	a := agenttest.Start(t)
	a.Init(t, `{"envVars":{"A":"global","B":"global","HOME":"/elsewhere"},"sandboxId":"i1","templateId":"t1"}`)
	r := request(`echo "$A $B $C $HOME $E2B_SANDBOX $E2B_SANDBOX_ID $E2B_TEMPLATE_ID"`)
	r.Msg.Process.Envs = map[string]string{"B": "own", "C": "own"}
	f := follow(t, a, r)
	f.end()
	if got := f.stdout.String(); got != "global own own /elsewhere true i1 t1\n" {
		t.Errorf("got %q", got)
	}
}

func TestWorkdirRules(t *testing.T) {
	a := agenttest.Start(t)
	for cwd, want := range map[string]string{"": a.Home, "~": a.Home, "/usr": "/usr", "/usr/../": "/"} {
		r := request("pwd")
		r.Msg.Process.Cwd = &cwd
		f := follow(t, a, r)
		f.end()
		if got := strings.TrimSpace(f.stdout.String()); got != want {
			t.Errorf("%q: got %q, want %q", cwd, got, want)
		}
	}
	a.Init(t, `{"defaultWorkdir":"/usr"}`)
	f := follow(t, a, request("pwd"))
	f.end()
	if got := f.stdout.String(); got != "/usr\n" {
		t.Errorf("default workdir: got %q", got)
	}
}

func TestUserWithoutHomeStartsAtTheRoot(t *testing.T) {
	r := request("pwd")
	r.Header().Set("Authorization", basic("homeless"))
	f := follow(t, agenttest.Start(t), r)
	f.end()
	if got := f.stdout.String(); got != "/\n" {
		t.Errorf("got %q", got)
	}
}

func TestStartRefusals(t *testing.T) {
	missing, none := "/nonexistent/dir", ""
	for _, test := range []struct {
		name   string
		change func(*connect.Request[wire.StartRequest])
		code   connect.Code
		text   string
	}{
		{"unknown user", func(r *connect.Request[wire.StartRequest]) { r.Header().Set("Authorization", basic("ghost")) }, connect.CodeUnauthenticated, "invalid username: 'ghost'"},
		{"missing cwd", func(r *connect.Request[wire.StartRequest]) { r.Msg.Process.Cwd = &missing }, connect.CodeInvalidArgument, "cwd '/nonexistent/dir' does not exist"},
		{"missing command", func(r *connect.Request[wire.StartRequest]) { r.Msg.Process.Cmd = "/nonexistent/cmd" }, connect.CodeInvalidArgument, "/nonexistent/cmd"},
		{"bad variable", func(r *connect.Request[wire.StartRequest]) {
			r.Msg.Process.Envs = map[string]string{"A=B": "x"}
		}, connect.CodeInvalidArgument, "A=B"},
		{"NUL in an argument", func(r *connect.Request[wire.StartRequest]) { r.Msg.Process.Args = []string{"\x00"} }, connect.CodeInvalidArgument, "invalid argument"},
		{"another user's home", func(r *connect.Request[wire.StartRequest]) { none = "~ghost"; r.Msg.Process.Cwd = &none }, connect.CodeInvalidArgument, "~ghost"},
		{"no process", func(r *connect.Request[wire.StartRequest]) { r.Msg.Process = nil }, connect.CodeInvalidArgument, "process is missing"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := request("true")
			test.change(r)
			stream, err := agenttest.Start(t).Process.Start(t.Context(), r)
			if err == nil {
				for stream.Receive() {
				}
				err = stream.Err()
			}
			if connect.CodeOf(err) != test.code || !strings.Contains(err.Error(), test.text) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestTimeoutKillsTheProcessAndIsReported(t *testing.T) {
	a := agenttest.Start(t)
	// The client's own timer must not be what ends the call, so the header is set by hand.
	r := request("echo $$; sleep 1000")
	r.Header().Set("Connect-Timeout-Ms", "300")
	f := follow(t, a, r)
	err := f.rest()
	if connect.CodeOf(err) != connect.CodeDeadlineExceeded {
		t.Errorf("got %v", err)
	}
	if _, err := a.Process.SendSignal(t.Context(), connect.NewRequest(&wire.SendSignalRequest{Process: pid(f.pid), Signal: wire.Signal_SIGNAL_SIGKILL})); connect.CodeOf(err) != connect.CodeNotFound {
		t.Errorf("the process survived: %v", err)
	}
}

func TestProcessSurvivesItsClientAndCanBeFollowedAgain(t *testing.T) {
	a := agenttest.Start(t)
	ctx, leave := context.WithCancel(t.Context())
	f := followIn(ctx, t, a, request("read x; echo got $x"))
	leave()
	if err := f.rest(); connect.CodeOf(err) != connect.CodeCanceled {
		t.Fatalf("got %v", err)
	}
	again := connectTo(t, a, pid(f.pid))
	input := &wire.ProcessInput{Input: &wire.ProcessInput_Stdin{Stdin: []byte("it\n")}}
	if _, err := a.Process.SendInput(t.Context(), connect.NewRequest(&wire.SendInputRequest{Process: pid(f.pid), Input: input})); err != nil {
		t.Fatal(err)
	}
	if end := again.end(); again.pid != f.pid || again.stdout.String() != "got it\n" || end.GetExitCode() != 0 {
		t.Errorf("got %d %q %v", again.pid, again.stdout.String(), end)
	}
}

func TestEndIsToldToThoseWhoComeLate(t *testing.T) {
	a := agenttest.Start(t)
	f := follow(t, a, request("exit 5"))
	f.end()
	late := connectTo(t, a, pid(f.pid))
	if end := late.end(); late.pid != f.pid || end.GetExitCode() != 5 {
		t.Errorf("got %d %v", late.pid, end)
	}
}

func TestSilenceIsFilledWithKeepalives(t *testing.T) {
	r := request("read x")
	r.Header().Set("Keepalive-Ping-Interval", "1")
	a := agenttest.Start(t)
	f := follow(t, a, r)
	if !f.stream.Receive() || f.stream.Msg().GetEvent().GetKeepalive() == nil {
		t.Errorf("got %v, %v", f.stream.Msg(), f.stream.Err())
	}
	if _, err := a.Process.CloseStdin(t.Context(), connect.NewRequest(&wire.CloseStdinRequest{Process: pid(f.pid)})); err != nil {
		t.Error(err)
	}
	f.end()
}

func TestListShowsWhatWasAskedFor(t *testing.T) {
	a := agenttest.Start(t)
	tag, cwd := "job", "~"
	r := request("read x")
	r.Msg.Tag, r.Msg.Process.Cwd, r.Msg.Process.Envs = &tag, &cwd, map[string]string{"A": "1"}
	f := follow(t, a, r)
	listed := list(t, a)
	if len(listed) != 1 || listed[0].GetPid() != f.pid || listed[0].GetTag() != "job" {
		t.Fatalf("got %v", listed)
	}
	config := listed[0].GetConfig()
	if config.GetCmd() != "/bin/sh" || config.GetCwd() != "~" || len(config.GetEnvs()) != 1 {
		t.Errorf("got %v", config)
	}
	byTag := &wire.ProcessSelector{Selector: &wire.ProcessSelector_Tag{Tag: "job"}}
	signal := &wire.SendSignalRequest{Process: byTag, Signal: wire.Signal_SIGNAL_SIGTERM}
	if _, err := a.Process.SendSignal(t.Context(), connect.NewRequest(signal)); err != nil {
		t.Fatal(err)
	}
	if end := f.end(); end.GetExited() || end.GetExitCode() != -1 || end.GetError() != "signal: terminated" {
		t.Errorf("got %v", end)
	}
	if listed := list(t, a); len(listed) != 0 {
		t.Errorf("still listed: %v", listed)
	}
}

func TestUnknownProcessesAreNotFound(t *testing.T) {
	a := agenttest.Start(t)
	tag := &wire.ProcessSelector{Selector: &wire.ProcessSelector_Tag{Tag: "ghost"}}
	_, byPID := a.Process.SendSignal(t.Context(), connect.NewRequest(&wire.SendSignalRequest{Process: pid(999999999)}))
	_, byTag := a.Process.SendInput(t.Context(), connect.NewRequest(&wire.SendInputRequest{Process: tag}))
	for err, text := range map[error]string{byPID: "process with pid 999999999 not found", byTag: "process with tag ghost not found"} {
		if connect.CodeOf(err) != connect.CodeNotFound || !strings.Contains(err.Error(), text) {
			t.Errorf("got %v", err)
		}
	}
}

func TestInputToAProcessWithoutStdinIsRefused(t *testing.T) {
	a := agenttest.Start(t)
	r, no := request("sleep 1000"), false
	r.Msg.Stdin = &no
	f := follow(t, a, r)
	input := &wire.ProcessInput{Input: &wire.ProcessInput_Stdin{Stdin: []byte("x")}}
	_, err := a.Process.SendInput(t.Context(), connect.NewRequest(&wire.SendInputRequest{Process: pid(f.pid), Input: input}))
	if connect.CodeOf(err) != connect.CodeInternal {
		t.Errorf("got %v", err)
	}
	_, err = a.Process.SendSignal(t.Context(), connect.NewRequest(&wire.SendSignalRequest{Process: pid(f.pid), Signal: 2}))
	if connect.CodeOf(err) != connect.CodeUnimplemented {
		t.Errorf("SIGINT: got %v", err)
	}
	if _, err := a.Process.SendSignal(t.Context(), connect.NewRequest(&wire.SendSignalRequest{Process: pid(f.pid), Signal: 9})); err != nil {
		t.Error(err)
	}
	if end := f.end(); end.GetStatus() != "signal: killed" {
		t.Errorf("got %v", end)
	}
}

func TestBigOutputArrivesWholeAndInOrder(t *testing.T) {
	eachCodec(t, func(t *testing.T, a *agenttest.Agent) {
		f := follow(t, a, request("i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done"))
		f.end()
		lines := strings.Split(strings.TrimSpace(f.stdout.String()), "\n")
		if len(lines) != 20000 || lines[0] != "line 0" || lines[19999] != "line 19999" {
			t.Errorf("got %d lines, last %q", len(lines), lines[len(lines)-1])
		}
	})
}

func basic(user string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"))
}
