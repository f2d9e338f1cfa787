package process

import (
	"bufio"
	"bytes"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"torpor.dev/agent/internal/users"
)

// patience bounds waiting for an event that should come soon.
const patience = 20 * time.Second

// There can be only one reaper in a test binary: it waits for every child.
var sharedReaper = sync.OnceValues(NewReaper)

func newTable(t testing.TB) *Table {
	t.Helper()
	reaper, err := sharedReaper()
	if err != nil {
		t.Fatal(err)
	}
	return NewTable(reaper, nil)
}

func shell(script string) Spec {
	return Spec{
		Command: "/bin/sh", Args: []string{"-c", script}, Dir: "/",
		Env:  map[string]string{"PATH": os.Getenv("PATH")},
		User: users.User{Name: "root", Home: "/root"},
	}
}

// run is a process with its first subscription.
type run struct {
	*Process
	t       testing.TB
	first   *Subscription
	pending []byte // of stdout
}

func start(t testing.TB, table *Table, spec Spec) *run {
	t.Helper()
	p, subscription, err := table.Start(spec)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		subscription.Close()
		_ = p.Signal(syscall.SIGKILL)
	})
	return &run{Process: p, t: t, first: subscription}
}

// next waits for the next chunk; there is none once the process is over and all is read.
func (r *run) next() (Chunk, bool) {
	r.t.Helper()
	for over := false; ; {
		if chunk, found := r.first.Take(); found || over {
			return chunk, found
		}
		select {
		case <-r.first.Ready():
		case <-r.Done():
			over = true
		case <-time.After(patience):
			r.t.Fatal("neither output nor an end comes")
		}
	}
}

// outputs reads to the end.
func (r *run) outputs() (stdout, stderr string) {
	r.t.Helper()
	var collected [3]bytes.Buffer
	collected[Stdout].Write(r.pending)
	for {
		chunk, found := r.next()
		if !found {
			return collected[Stdout].String() + collected[Terminal].String(), collected[Stderr].String()
		}
		collected[chunk.Channel].Write(chunk.Data)
	}
}

// line waits for the next line of stdout or the terminal.
func (r *run) line() string {
	r.t.Helper()
	for {
		if line, rest, found := bytes.Cut(r.pending, []byte("\n")); found {
			r.pending = rest
			return string(line)
		}
		chunk, found := r.next()
		if !found {
			r.t.Fatal("the process ended without the line")
		}
		r.pending = append(r.pending, chunk.Data...)
	}
}

func (r *run) wait() End {
	r.t.Helper()
	select {
	case <-r.Done():
		return r.End()
	case <-time.After(patience):
		r.t.Fatal("the process does not end")
		return End{}
	}
}

// gone waits until a process has left the process table of the system.
func gone(t *testing.T, pid string) {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(time.Millisecond) {
		status, err := os.ReadFile("/proc/" + strings.TrimSpace(pid) + "/status")
		if err != nil {
			return
		}
		lines := bufio.NewScanner(bytes.NewReader(status))
		for lines.Scan() {
			if strings.HasPrefix(lines.Text(), "State:\tX") {
				return
			}
		}
	}
	t.Errorf("process %s is still there", pid)
}
