package process

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"torpor.dev/agent/internal/users"
)

func TestExitIsReported(t *testing.T) {
	for _, test := range []struct {
		script string
		want   End
	}{
		{"exit 0", End{ExitCode: 0, Exited: true, Status: "exit status 0"}},
		{"exit 7", End{ExitCode: 7, Exited: true, Status: "exit status 7"}},
		{"kill -9 $$", End{ExitCode: -1, Status: "signal: killed"}},
		{"kill -15 $$", End{ExitCode: -1, Status: "signal: terminated"}},
	} {
		if got := start(t, newTable(t), shell(test.script)).drained(); got != test.want {
			t.Errorf("%s: got %+v", test.script, got)
		}
	}
}

func TestProcessRunsAsItsUserWithExactlyItsEnvironment(t *testing.T) {
	spec := shell(`id -u; id -g; id -G; pwd; env | grep A_VALUE`)
	spec.User = users.User{Name: "user", UID: 12345, GID: 12346, Groups: []uint32{12347}}
	spec.Dir = "/usr"
	spec.Env["A"] = "A_VALUE"
	t.Setenv("OF_THE_AGENT", "A_VALUE")
	stdout, stderr := start(t, newTable(t), spec).outputs()
	if stdout != "12345\n12346\n12346 12347\n/usr\nA=A_VALUE\n" {
		t.Errorf("got %q %q", stdout, stderr)
	}
}

func TestCommandIsFoundInPath(t *testing.T) {
	spec := shell("")
	spec.Command, spec.Args = "echo", []string{"found"}
	if stdout, _ := start(t, newTable(t), spec).outputs(); stdout != "found\n" {
		t.Errorf("got %q", stdout)
	}
}

func TestStartFailuresNameWhatFailed(t *testing.T) {
	plain := t.TempDir() + "/plain"
	if err := os.WriteFile(plain, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		command, dir, want string
	}{
		{"/bin/sh", "/nonexistent/dir", "cwd '/nonexistent/dir' does not exist"},
		{"/bin/sh", plain, "is not a directory"},
		{"/nonexistent/command", "/", "/nonexistent/command"},
		{"no-such-command-anywhere", "/", "no-such-command-anywhere"},
		{plain, "/", plain},
		{"", "/", "empty"},
	} {
		spec := shell("")
		spec.Command, spec.Dir = test.command, test.dir
		_, _, err := newTable(t).Start(spec)
		if _, ok := errors.AsType[*StartError](err); !ok || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%q in %q: got %v", test.command, test.dir, err)
		}
	}
}

func TestFailedStartsLeaveNoDescriptorsBehind(t *testing.T) {
	table := newTable(t)
	spec := shell("")
	spec.Command, spec.Stdin = "/nonexistent/command", true
	_, _, _ = table.Start(spec)
	before := descriptors(t)
	for range 20 {
		_, _, _ = table.Start(spec)
	}
	if after := descriptors(t); after > before+2 {
		t.Errorf("from %d to %d descriptors", before, after)
	}
}

func TestSignalReachesTheWholeGroup(t *testing.T) {
	r := start(t, newTable(t), shell("sleep 1000 & echo $!; wait"))
	child := r.line()
	if err := r.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if end := r.wait(); end.Status != "signal: killed" {
		t.Errorf("got %+v", end)
	}
	gone(t, child)
}

func TestSignalReachesChildrenThatHoldTheOutputAfterTheirParent(t *testing.T) {
	r := start(t, newTable(t), shell("sleep 1000 & echo $!"))
	child := r.line()
	gone(t, strconv.Itoa(r.PID()))
	select {
	case <-r.Done():
		t.Fatal("over although a child holds the output")
	default:
	}
	if err := r.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if end := r.wait(); !end.Exited {
		t.Errorf("got %+v", end)
	}
	gone(t, child)
}

func TestDeadlineKillsTheGroup(t *testing.T) {
	spec := shell("sleep 1000 & echo $!; wait")
	spec.Deadline = time.Now().Add(200 * time.Millisecond)
	r := start(t, newTable(t), spec)
	child := r.line()
	if end := r.wait(); end.Exited || !r.TimedOut() {
		t.Errorf("got %+v, timed out %v", end, r.TimedOut())
	}
	gone(t, child)
}

func TestOrphansAreReaped(t *testing.T) {
	// The shell in the middle ends at once, so its child becomes the agent's.
	r := start(t, newTable(t), shell("(sleep 0.05 >/dev/null 2>&1 & echo $!)"))
	orphan := r.line()
	r.wait()
	gone(t, orphan)
}

func TestManyProcessesAtOnceKeepTheirOwnStatus(t *testing.T) {
	table := newTable(t)
	var all sync.WaitGroup
	for i := range 100 {
		all.Go(func() {
			p, subscription, err := table.Start(shell("exit " + strconv.Itoa(i)))
			if err != nil {
				t.Error(err)
				return
			}
			defer subscription.Close()
			<-p.Done()
			if p.End().ExitCode != i {
				t.Errorf("%d: got %+v", i, p.End())
			}
		})
	}
	all.Wait()
}

func TestTableForgetsEndedProcessesAfterAWhile(t *testing.T) {
	table := newTable(t)
	table.retention = 50 * time.Millisecond
	tag := "job"
	spec := shell("read x")
	spec.Stdin, spec.Tag = true, &tag
	r := start(t, table, spec)
	if live := table.Live(); len(live) != 1 || live[0].PID() != r.PID() {
		t.Errorf("live: %v", live)
	}
	if found, err := table.FindLive(Selector{Tag: &tag}); err != nil || found.PID() != r.PID() {
		t.Errorf("by tag: %v %v", found, err)
	}
	if err := r.CloseStdin(); err != nil {
		t.Fatal(err)
	}
	r.wait()
	if _, err := table.FindLive(Selector{PID: r.PID()}); err == nil {
		t.Error("an ended process is alive")
	}
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if _, err := table.Find(Selector{PID: r.PID()}); err != nil {
			return
		}
	}
	t.Error("the process is never forgotten")
}

func (r *run) drained() End {
	r.outputs()
	return r.End()
}

func descriptors(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}
