package process

import (
	"errors"
	"strings"
	"syscall"
	"testing"

	"torpor.dev/agent/internal/users"
)

func TestTerminalIsOneOfTheUser(t *testing.T) {
	spec := onTerminal(`test -t 0 && test -t 1 && test -t 2 && echo all; tty -s </dev/tty && echo controls; stat -c %u $(tty); stty size; exit 3`)
	spec.User = users.User{Name: "user", UID: 12345, GID: 12346}
	r := start(t, newTable(t), spec)
	stdout, stderr := r.outputs()
	if stdout != "all\r\ncontrols\r\n12345\r\n24 80\r\n" || stderr != "" || r.End().ExitCode != 3 {
		t.Errorf("got %q, %q, %+v", stdout, stderr, r.End())
	}
}

func TestTypingAndResizingReachTheTerminal(t *testing.T) {
	r := start(t, newTable(t), onTerminal(`trap 'stty size' WINCH; echo ready; until read x; do :; done; echo "got $x"; stty size`))
	r.expect("ready")
	if err := r.Resize(Size{Columns: 132, Rows: 50}); err != nil {
		t.Fatal(err)
	}
	r.expect("50 132")
	if err := r.WriteTerminal(t.Context(), []byte("it\n")); err != nil {
		t.Fatal(err)
	}
	r.expect("got it")
	r.expect("50 132")
	if err := r.WriteStdin(t.Context(), nil); !errors.Is(err, ErrTerminal) {
		t.Errorf("stdin: %v", err)
	}
	if err := r.CloseStdin(); !errors.Is(err, ErrTerminal) {
		t.Errorf("closing: %v", err)
	}
}

func TestControlCharactersAreSignalsAndTheEnd(t *testing.T) {
	for typed, script := range map[string]string{
		"\x03": `trap 'echo told; exit' INT; echo ready; while :; do sleep 0.02; done`,
		"\x04": `echo ready; cat; echo told`,
	} {
		r := start(t, newTable(t), onTerminal(script))
		r.expect("ready")
		if err := r.WriteTerminal(t.Context(), []byte(typed)); err != nil {
			t.Fatal(err)
		}
		r.expect("told")
	}
}

func TestKillReachesTheJobsOfAShell(t *testing.T) {
	r := start(t, newTable(t), onTerminal(`set -m; sleep 1000 & echo "job $!"; wait`))
	job := strings.TrimPrefix(r.expect("job "), "job ")
	if err := r.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if end := r.wait(); end.Status != "signal: killed" {
		t.Errorf("got %+v", end)
	}
	gone(t, strings.TrimSpace(job))
}

func TestTerminalIsClosedAfterItsShell(t *testing.T) {
	r := start(t, newTable(t), onTerminal(`trap '' HUP; sleep 1000 & echo "job $!"; exit 0`))
	job := strings.TrimPrefix(r.expect("job "), "job ")
	if end := r.wait(); end.ExitCode != 0 {
		t.Errorf("got %+v", end)
	}
	if err := r.Resize(Size{}); err != nil {
		t.Errorf("resizing what has ended: %v", err)
	}
	if err := r.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	gone(t, strings.TrimSpace(job))
}

func TestBigOutputOfATerminalIsComplete(t *testing.T) {
	r := start(t, newTable(t), onTerminal(`stty -onlcr; head -c 3000000 /dev/zero | tr '\0' x; echo end`))
	if stdout, _ := r.outputs(); len(stdout) != 3000004 || !strings.HasSuffix(stdout, "end\n") {
		t.Errorf("got %d bytes", len(stdout))
	}
}

func TestPipesHaveNoTerminal(t *testing.T) {
	r := start(t, newTable(t), shell("sleep 1000"))
	if err := r.Resize(Size{}); !errors.Is(err, ErrNoTerminal) {
		t.Errorf("resizing: %v", err)
	}
	if err := r.WriteTerminal(t.Context(), nil); !errors.Is(err, ErrNoTerminal) {
		t.Errorf("typing: %v", err)
	}
}

func onTerminal(script string) Spec {
	spec := shell(script)
	spec.Terminal = &Size{Columns: 80, Rows: 24}
	return spec
}

// expect waits for a line that starts so.
func (r *run) expect(prefix string) string {
	r.t.Helper()
	for {
		if line := strings.TrimRight(r.line(), "\r"); strings.HasPrefix(line, prefix) || strings.HasSuffix(line, prefix) {
			return line
		}
	}
}
