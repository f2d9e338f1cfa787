package server_test

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"torpor.dev/agent/internal/agenttest"
)

func TestCapturedSandboxBecomesAnother(t *testing.T) {
	a := agenttest.Start(t)
	a.Init(t, `{"sandboxId":"i1","templateId":"t1","accessToken":"one","hostname":"i1","envVars":{"A":"1"}}`)
	first := life(t, a)
	a.Init(t, `{"sandboxId":"i2","accessToken":"two","hostname":"i2","envVars":{"B":"2"}}`, withOne)
	second := life(t, a)
	if second["sandboxId"] != "i2" || second["templateId"] != "t1" || len(second["generation"]) != 32 || second["generation"] == first["generation"] {
		t.Errorf("from %v to %v", first, second)
	}
	if _, err := time.Parse(time.RFC3339, second["at"]); err != nil {
		t.Error(err)
	}
	for name, want := range map[string]string{"run/e2b/.E2B_SANDBOX_ID": "i2", "run/e2b/.E2B_TEMPLATE_ID": "t1", "etc/hostname": "i2\n"} {
		if got, err := os.ReadFile(filepath.Join(a.System, name)); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if answer := a.Do(t, "GET", "/envs", "", withOne); answer.StatusCode != 401 {
		t.Errorf("the old token: %s", answer.Status)
	}
	answer := a.Do(t, "GET", "/envs", "", "X-Access-Token: two")
	if body, _ := io.ReadAll(answer.Body); strings.Contains(string(body), `"A"`) || !strings.Contains(string(body), `"E2B_SANDBOX_ID":"i2"`) {
		t.Errorf("got %s", body)
	}
}

func TestSameSandboxKeepsItsLifeUnlessAskedNotTo(t *testing.T) {
	a := agenttest.Start(t)
	a.Init(t, `{"sandboxId":"i1","hostname":"box"}`)
	first := life(t, a)
	a.Init(t, `{"sandboxId":"i1","envVars":{}}`)
	a.Init(t, `{}`)
	if again := life(t, a); again["generation"] != first["generation"] {
		t.Error("a new generation")
	}
	if err := os.Remove(filepath.Join(a.System, "etc/hostname")); err != nil {
		t.Fatal(err)
	}
	a.Init(t, `{"rekey":true,"hostname":"box"}`)
	if again := life(t, a); again["generation"] == first["generation"] || again["sandboxId"] != "i1" {
		t.Errorf("got %v", again)
	}
	if _, err := os.Stat(filepath.Join(a.System, "etc/hostname")); err != nil {
		t.Error(err)
	}
}

func TestOfManyCallersWithTheOldTokenOneRekeys(t *testing.T) {
	a := agenttest.Start(t)
	a.Init(t, `{"accessToken":"one"}`)
	var admitted atomic.Int32
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			body := `{"accessToken":"new` + string(rune('a'+i)) + `"}`
			if a.Do(t, "POST", "/init", body, withOne).StatusCode == 204 {
				admitted.Add(1)
			}
		})
	}
	all.Wait()
	if admitted.Load() != 1 {
		t.Errorf("%d were admitted", admitted.Load())
	}
}

func TestHooksRunInOrderBeforeTheAnswer(t *testing.T) {
	a := agenttest.Start(t)
	a.Init(t, `{"sandboxId":"i1","envVars":{"GLOBAL":"g"}}`)
	log := filepath.Join(t.TempDir(), "log")
	hook(t, a, "20-second", `echo "second $(id -u) $GLOBAL" >>`+log, 0o755)
	hook(t, a, "10-first", `echo "$TORPOR_SANDBOX_ID $TORPOR_PREVIOUS_SANDBOX_ID $TORPOR_GENERATION" >>`+log+`; exit 3`, 0o755)
	hook(t, a, "15-not-executable", `echo never >>`+log, 0o644)
	a.Init(t, `{"sandboxId":"i2"}`)
	got, err := os.ReadFile(log)
	if want := "i2 i1 " + life(t, a)["generation"] + "\nsecond 0 g\n"; err != nil || string(got) != want {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
}

func TestStreamsOfTheOldLifeAreEndedAndTheirProcessesLive(t *testing.T) {
	a := agenttest.Start(t)
	a.Init(t, `{"sandboxId":"i1"}`)
	stream := open(t, a, `{"process":{"cmd":"/bin/sh","args":["-c","read x"]}}`)
	a.Init(t, `{"sandboxId":"i2"}`)
	if _, err := io.Copy(io.Discard, stream); err == nil {
		t.Error("the stream ended as if it were complete")
	}
	if got := text(t, a, "POST", "/process.Process/List", "{}"); !strings.Contains(got, "read x") {
		t.Errorf("got %s", got)
	}
	text(t, a, "POST", "/process.Process/SendSignal", `{"process":{"pid":`+pidIn(t, a)+`},"signal":9}`)
}

// open starts a process and reads its start event.
func open(t *testing.T, a *agenttest.Agent, request string) io.Reader {
	t.Helper()
	answer := a.Do(t, "POST", "/process.Process/Start", framed(request), "Content-Type: application/connect+json")
	body := bufio.NewReader(answer.Body)
	if _, err := body.ReadBytes('}'); err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%s, %v", answer.Status, err)
	}
	return body
}

func pidIn(t *testing.T, a *agenttest.Agent) string {
	t.Helper()
	var listed struct{ Processes []struct{ PID json.Number } }
	if err := json.Unmarshal([]byte(text(t, a, "POST", "/process.Process/List", "{}")), &listed); err != nil || len(listed.Processes) != 1 {
		t.Fatalf("%v, %v", listed, err)
	}
	return listed.Processes[0].PID.String()
}

func hook(t *testing.T, a *agenttest.Agent, name, script string, mode os.FileMode) {
	t.Helper()
	directory := filepath.Join(a.System, "etc/torpor/rekey.d")
	if err := os.MkdirAll(directory, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(directory, name), []byte("#!/bin/sh\n"+script+"\n"), mode); err != nil {
		t.Fatal(err)
	}
}

func life(t *testing.T, a *agenttest.Agent) map[string]string {
	t.Helper()
	path := filepath.Join(a.System, "run/torpor/identity")
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o644 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	told := map[string]string{}
	if err := json.Unmarshal(content, &told); err != nil {
		t.Fatal(err)
	}
	return told
}
