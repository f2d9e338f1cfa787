package test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"testing"
	"time"
)

// host is one engine process of a world.
type host struct {
	w       *world
	command *exec.Cmd
	client  *http.Client
	ended   chan struct{}
}

// start runs a host on the world's root and destroys what is left when the test ends.
func (w *world) start() *host {
	w.t.Helper()
	return w.startWith(func(*exec.Cmd) {})
}

// startWith runs one whose process differs.
func (w *world) startWith(adjust func(*exec.Cmd)) *host {
	w.t.Helper()
	log, err := os.OpenFile(w.path("host.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	w.must(err)
	defer log.Close()
	h := &host{w: w, ended: make(chan struct{})}
	h.command = exec.Command(w.binaries+"/torpor-engine", "serve", "--socket", w.socket(), "--root", w.path("root"), "--version-id", "test")
	h.command.Stderr = log
	adjust(h.command)
	w.must(h.command.Start())
	go func() {
		_ = h.command.Wait()
		close(h.ended)
	}()
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", w.socket())
	}
	h.client = &http.Client{Transport: &http.Transport{DialContext: dial, MaxIdleConnsPerHost: 32}}
	h.untilUp()
	w.t.Cleanup(func() { h.finish() })
	return h
}

func (w *world) socket() string { return w.path("s") }

func (h *host) untilUp() {
	h.w.t.Helper()
	for deadline := time.Now().Add(60 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if _, err := h.try("version", map[string]any{}); err == nil {
			return
		}
	}
	h.signal(syscall.SIGQUIT) // It leaves its stacks in the log.
	content, _ := os.ReadFile(h.w.path("host.log"))
	h.w.t.Fatalf("the host does not answer\n%s", content)
}

func (h *host) signal(signal syscall.Signal) {
	_ = h.command.Process.Signal(signal)
	select {
	case <-h.ended:
	case <-time.After(60 * time.Second):
		h.w.t.Error("the host does not end")
	}
}

func (h *host) alive() bool {
	select {
	case <-h.ended:
		return false
	default:
		return true
	}
}

// finish leaves the machine as it was; it also shows the log of a failed test.
func (h *host) finish() {
	if !h.alive() {
		return
	}
	for _, e := range h.list() {
		_, _ = h.try("destroy", map[string]any{"execution": e.Execution})
	}
	h.signal(syscall.SIGTERM)
	if code := h.command.ProcessState.ExitCode(); code != 0 {
		h.w.t.Errorf("the host ended with %d", code)
	}
	if left := h.w.processes(); len(left) > 0 {
		h.w.t.Errorf("processes are left: %v", left)
	}
	if left := h.w.groups(); len(left) > 0 {
		h.w.t.Errorf("control groups are left: %v", left)
	}
	h.w.removeGroups()
	if h.w.t.Failed() {
		content, _ := os.ReadFile(h.w.path("host.log"))
		h.w.t.Logf("host log:\n%s", content)
	}
}

type failure struct {
	Kind    string `json:"kind"`
	Message string `json:"message"`
	Detail  string `json:"detail"`
}

func (f *failure) Error() string { return f.Kind + ": " + f.Message + " " + f.Detail }

func (h *host) try(method string, body any) ([]byte, error) {
	content, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	response, err := h.client.Post("http://engine/v1/"+method, "application/json", bytes.NewReader(content))
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode == http.StatusOK {
		return answer, err
	}
	var f failure
	if err := json.Unmarshal(answer, &f); err != nil {
		return nil, fmt.Errorf("%s: %s", response.Status, answer)
	}
	return nil, &f
}

func (h *host) call(method string, body map[string]any) []byte {
	h.w.t.Helper()
	answer, err := h.try(method, body)
	if err != nil {
		h.w.t.Fatalf("%s: %v", method, err)
	}
	return answer
}

// refused makes sure that a call fails, and as which kind.
func (h *host) refused(kind, method string, body map[string]any) *failure {
	h.w.t.Helper()
	_, err := h.try(method, body)
	f, ok := err.(*failure)
	if !ok || f.Kind != kind {
		h.w.t.Fatalf("%s: %v, want %s", method, err, kind)
	}
	return f
}

type entry struct {
	Execution string `json:"execution"`
	Status    string `json:"status"`
	PID       int    `json:"pid"`
}

func (h *host) list() []entry {
	h.w.t.Helper()
	var reply struct {
		Executions []entry `json:"executions"`
	}
	h.w.must(json.Unmarshal(h.call("list", map[string]any{}), &reply))
	return reply.Executions
}

func (h *host) entry(execution string) entry {
	h.w.t.Helper()
	for _, e := range h.list() {
		if e.Execution == execution {
			return e
		}
	}
	return entry{}
}

func (h *host) expect(execution, status string) {
	h.w.t.Helper()
	if got := h.entry(execution).Status; got != status {
		h.w.t.Errorf("%s is %q, want %q", execution, got, status)
	}
}

type event struct {
	Type      string `json:"type"`
	Execution string `json:"execution"`
	Status    *int   `json:"status"`

	UsageBytes int64 `json:"usageBytes"`
	LimitBytes int64 `json:"limitBytes"`
}

// events gives the exits from now on.
func (h *host) events() <-chan event { return h.stream("exit") }

// stream opens the event stream, waits for its first line and gives the events of the types.
func (h *host) stream(types ...string) <-chan event {
	h.w.t.Helper()
	response, err := h.client.Get("http://engine/v1/events")
	h.w.must(err)
	h.w.t.Cleanup(func() { response.Body.Close() })
	events := make(chan event, 100)
	lines := bufio.NewScanner(response.Body)
	if !lines.Scan() || lines.Text() != `{"type":"ready"}` {
		h.w.t.Fatalf("the stream starts with %q", lines.Text())
	}
	go func() {
		defer close(events)
		for lines.Scan() {
			var e event
			if json.Unmarshal(lines.Bytes(), &e) == nil && slices.Contains(types, e.Type) {
				events <- e
			}
		}
	}()
	return events
}

func next(t *testing.T, events <-chan event) event {
	t.Helper()
	select {
	case e := <-events:
		return e
	case <-time.After(60 * time.Second):
		t.Fatal("nothing is told")
		return event{}
	}
}

func expectExit(t *testing.T, events <-chan event, execution string, status int) {
	t.Helper()
	select {
	case e := <-events:
		if e.Execution != execution || e.Status == nil || *e.Status != status {
			t.Errorf("exit of %q with %v, want %q with %d", e.Execution, e.Status, execution, status)
		}
	case <-time.After(60 * time.Second):
		t.Errorf("no exit of %s is reported", execution)
	}
}

func expectSilence(t *testing.T, events <-chan event, wait time.Duration) {
	t.Helper()
	select {
	case e, open := <-events:
		if open {
			t.Errorf("unexpected exit: %+v", e)
		}
	case <-time.After(wait):
	}
}

// ask speaks to the guest, unless it is frozen or gone.
func (n *network) ask(question string) (string, error) { return n.askWithin(time.Second, question) }

// askWithin takes a connection of its own for each question, and gives up soon where nobody accepts it.
func (n *network) askWithin(limit time.Duration, question string) (string, error) {
	dialer := &net.Dialer{Timeout: 200 * time.Millisecond}
	client := &http.Client{Timeout: limit, Transport: &http.Transport{DisableKeepAlives: true, DialContext: dialer.DialContext}}
	response, err := client.Get("http://" + n.endpoint() + question)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", response.Status, content)
	}
	return string(content), err
}

// hear asks until the guest answers.
func (n *network) hear(question string) string {
	n.w.t.Helper()
	var last error
	for deadline := time.Now().Add(60 * time.Second); time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
		answer, err := n.askWithin(30*time.Second, question)
		if err == nil {
			return answer
		}
		last = err
	}
	n.w.t.Fatalf("%s: %v", question, last)
	return ""
}

// second tries to start another host on the same root.
func (w *world) second(socket string) (string, error) {
	limit, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	output, err := exec.CommandContext(limit, w.binaries+"/torpor-engine", "serve", "--socket", socket, "--root", w.path("root")).CombinedOutput()
	return string(output), err
}
