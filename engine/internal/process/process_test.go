package process

import (
	"os/exec"
	"strings"
	"testing"
	"time"
)

func sleeper(t *testing.T) (*exec.Cmd, *Process) {
	t.Helper()
	command := exec.Command("sleep", "60")
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = command.Process.Kill(); _ = command.Wait() })
	p, err := Open(command.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	return command, p
}

func TestAKilledProcessIsSeenToEnd(t *testing.T) {
	_, p := sleeper(t)
	if !p.Alive() || p.WaitFor(time.Millisecond) {
		t.Fatal("it does not live")
	}
	ended := make(chan bool)
	go func() { ended <- p.Wait() }()
	if err := p.Kill(); err != nil {
		t.Fatal(err)
	}
	if !<-ended || p.Alive() || !p.WaitFor(0) {
		t.Error("the end is not seen before the process is reaped")
	}
	if err := p.Kill(); err != nil {
		t.Errorf("killing it again: %v", err)
	}
}

func TestCloseEndsAWait(t *testing.T) {
	_, p := sleeper(t)
	ended := make(chan bool)
	go func() { ended <- p.Wait() }()
	time.Sleep(10 * time.Millisecond)
	p.Close()
	if <-ended {
		t.Error("a living process is said to have ended")
	}
}

func TestCommandLines(t *testing.T) {
	cases := []struct {
		line, execution string
		ours            bool
	}{
		{"runsc-sandbox --root=/r boot --bundle=/b a", "a", true},
		{"runsc-gofer --root=/r gofer --bundle /b a", "a", true},
		{"/x/gvisor-sentry-prewarmer /x/gvisor_sentry runsc-sandbox --root=/r boot a", "a", true},
		{"runsc-sandbox --root=/other boot a", "", false},
		{"runsc-sandbox --root=/r2 boot a", "", false},
		{"vi --root=/r a", "", false},
		{"", "", false},
	}
	for _, c := range cases {
		execution, ours := parseCommandLine([]byte(strings.ReplaceAll(c.line, " ", "\x00")+"\x00"), "/r")
		if execution != c.execution || ours != c.ours {
			t.Errorf("%q: %q %v", c.line, execution, ours)
		}
	}
}
