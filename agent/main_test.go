package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"connectrpc.com/connect"

	wire "torpor.dev/agent/proto/process"
	"torpor.dev/agent/proto/process/processconnect"
)

// patience bounds waiting for an event that should come soon.
const patience = 20 * time.Second

func TestVersionIsThatOfTheProtocol(t *testing.T) {
	out, err := exec.Command(build(t), "--version").Output()
	if err != nil || string(out) != "0.6.13\n" {
		t.Errorf("got %q, %v", out, err)
	}
}

func TestBinaryIsSmall(t *testing.T) {
	info, err := os.Stat(build(t))
	if err != nil || info.Size() > 15<<20 {
		t.Errorf("got %d bytes, %v", info.Size(), err)
	}
}

func TestFirstProcessReapsOrphansAndIsNotEndedBySignals(t *testing.T) {
	agent, url := serve(t, &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID})
	for range 3 {
		command(t, url, "for i in 1 2 3; do (sleep 0.05 >/dev/null 2>&1 &); done")
	}
	until(t, "orphans stay", func() bool { return children(t, agent.Process.Pid) == "" })
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGHUP, syscall.SIGINT, syscall.SIGPIPE} {
		if err := agent.Process.Signal(sig); err != nil {
			t.Fatal(err)
		}
	}
	command(t, url, "true")
}

func TestAgentOfADeveloperEndsWhenAsked(t *testing.T) {
	agent, _ := serve(t, nil)
	if err := agent.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	_ = agent.Wait()
	if status, ok := agent.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGTERM {
		t.Errorf("got %v", agent.ProcessState)
	}
}

func TestSignalsThatTheAgentCatchesEndItsProcesses(t *testing.T) {
	_, url := serve(t, &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID})
	for _, sig := range []string{"TERM", "HUP", "PIPE", "INT"} {
		if end := command(t, url, "kill -"+sig+" $$"); end.GetExited() || !strings.HasPrefix(end.GetStatus(), "signal: ") {
			t.Errorf("%s: got %v", sig, end)
		}
	}
}

// What is bounded is the peak, whatever passes through: the agent's memory is part of every image.
func TestMemoryStaysSmallWhatever(t *testing.T) {
	agent, url := serve(t, nil)
	path := filepath.Join(t.TempDir(), "huge")
	const size = 400 << 20
	answer, err := http.Post(url+"/files?username=root&path="+path, "application/octet-stream", io.LimitReader(zeros{}, size))
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%v, %v", answer, err)
	}
	answer.Body.Close()
	if answer, err = http.Get(url + "/files?username=root&path=" + path); err != nil {
		t.Fatal(err)
	}
	if n, err := io.Copy(io.Discard, answer.Body); n != size || err != nil {
		t.Errorf("got %d bytes back, %v", n, err)
	}
	answer.Body.Close()
	for range 30 {
		command(t, url, "head -c 3000000 /dev/zero")
	}
	if peak := peakMemory(t, agent.Process.Pid); peak > 80<<20 {
		t.Errorf("it took %d MiB", peak>>20)
	} else {
		t.Logf("it took %d MiB", peak>>20)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func peakMemory(t *testing.T, pid int) (bytes int64) {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(status), "VmHWM:")
	if _, err := fmt.Sscan(after, &bytes); err != nil {
		t.Fatal(err)
	}
	return bytes << 10
}

func build(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if out, err := exec.Command("./build.sh", dir).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return filepath.Join(dir, "torpor-agent")
}

// serve runs the binary until the test ends.
func serve(t *testing.T, attributes *syscall.SysProcAttr) (agent *exec.Cmd, url string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("this needs root")
	}
	address := freeAddress(t)
	agent = exec.Command(build(t), "--listen", address)
	agent.SysProcAttr = attributes
	if err := agent.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = agent.Process.Kill()
		_ = agent.Wait()
	})
	url = "http://" + address
	until(t, "the agent does not answer", func() bool {
		answer, err := http.Get(url + "/health")
		if err != nil {
			return false
		}
		answer.Body.Close()
		return answer.StatusCode == http.StatusNoContent
	})
	return agent, url
}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

func command(t *testing.T, url, script string) *wire.ProcessEvent_EndEvent {
	t.Helper()
	client := processconnect.NewProcessClient(http.DefaultClient, url)
	stream, err := client.Start(t.Context(), connect.NewRequest(&wire.StartRequest{
		Process: &wire.ProcessConfig{Cmd: "/bin/sh", Args: []string{"-c", script}},
	}))
	if err != nil {
		t.Fatal(err)
	}
	var end *wire.ProcessEvent_EndEvent
	for stream.Receive() {
		end = stream.Msg().GetEvent().GetEnd()
	}
	if stream.Err() != nil || end == nil {
		t.Fatalf("%s: no end, %v", script, stream.Err())
	}
	return end
}

// children lists the children of all threads of a process.
func children(t *testing.T, pid int) string {
	t.Helper()
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil || len(tasks) == 0 {
		t.Skip("the kernel does not list children")
	}
	var all strings.Builder
	for _, task := range tasks {
		file, err := os.Open(task)
		if err != nil {
			continue
		}
		_, _ = io.Copy(&all, file)
		file.Close()
	}
	return strings.TrimSpace(all.String())
}

func until(t *testing.T, complaint string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		if holds() {
			return
		}
	}
	t.Fatal(complaint)
}
