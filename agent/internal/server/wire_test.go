package server_test

import (
	"encoding/binary"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"torpor.dev/agent/internal/agenttest"
)

func TestInitIsInEffectWhenItAnswers(t *testing.T) {
	a := agenttest.Start(t)
	if got := text(t, a, "GET", "/envs", ""); got != "{}\n" {
		t.Errorf("before: %q", got)
	}
	a.Init(t, `{"envVars":{"A":"1","B":"2"},"sandboxId":"i1","templateId":"t1","hostname":"box","nameservers":["10.0.0.1"],"timestamp":"2026-01-02T03:04:05.678Z","defaultUser":"root","lifecycleID":"unknown"}`)
	a.Init(t, `{"envVars":{"A":"3"}}`)
	var env map[string]string
	if err := json.Unmarshal([]byte(text(t, a, "GET", "/envs", "")), &env); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"A": "3", "E2B_SANDBOX": "true", "E2B_SANDBOX_ID": "i1", "E2B_TEMPLATE_ID": "t1"}
	if len(env) != len(want) {
		t.Errorf("got %v", env)
	}
	for name, value := range want {
		if env[name] != value {
			t.Errorf("%s is %q", name, env[name])
		}
	}
	for name, content := range map[string]string{"run/e2b/.E2B_SANDBOX_ID": "i1", "etc/hostname": "box\n", "etc/resolv.conf": "nameserver 10.0.0.1\n"} {
		if got, err := os.ReadFile(filepath.Join(a.System, name)); err != nil || string(got) != content {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	// The default user is root now, so relative paths are root's.
	if got := text(t, a, "POST", "/filesystem.Filesystem/MakeDir", `{"path":"made"}`); !strings.Contains(got, a.RootHome+"/made") {
		t.Errorf("got %s", got)
	}
}

func TestInitRefusesWhatCannotBe(t *testing.T) {
	a := agenttest.Start(t)
	for _, body := range []string{`{"envVars":{"A=B":"x"}}`, `{"envVars":{"":"x"}}`, `{"envVars":{"A":"\u0000"}}`, `{"timestamp":"yesterday"}`, `{"outputBufferBytes":-1}`, `{"outputBufferBytes":99999999999}`, `[]`} {
		if answer := a.Do(t, "POST", "/init", body); answer.StatusCode != 400 {
			t.Errorf("%s: %s", body, answer.Status)
		}
	}
}

func TestUnknownEndpointsAnswerInJSON(t *testing.T) {
	a := agenttest.Start(t)
	for method, path := range map[string]string{"GET": "/nope", "PUT": "/files", "POST": "/freeze"} {
		answer := a.Do(t, method, path, "")
		body, _ := io.ReadAll(answer.Body)
		if answer.StatusCode != 404 || !strings.HasPrefix(string(body), `{"code":404,"message":"`) {
			t.Errorf("%s %s: %s %s", method, path, answer.Status, body)
		}
	}
}

// The bytes an SDK sends and expects, without a Connect library in between.
func TestStreamsAreEnvelopesOfJSON(t *testing.T) {
	a := agenttest.Start(t)
	request := `{"process":{"cmd":"/bin/sh","args":["-c","printf hi; exit 2"],"unknownField":1},"stdin":false}`
	answer := a.Do(t, "POST", "/process.Process/Start", framed(request), "Content-Type: application/connect+json", "Connect-Protocol-Version: 1")
	if answer.StatusCode != 200 || answer.Header.Get("Content-Type") != "application/connect+json" {
		t.Fatalf("got %s %v", answer.Status, answer.Header)
	}
	var frames []string
	for {
		var prefix [5]byte
		if _, err := io.ReadFull(answer.Body, prefix[:]); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		frame := make([]byte, binary.BigEndian.Uint32(prefix[1:]))
		if _, err := io.ReadFull(answer.Body, frame); err != nil {
			t.Fatal(err)
		}
		frames = append(frames, strings.ReplaceAll(string(frame), " ", ""))
	}
	if len(frames) != 4 || !strings.HasPrefix(frames[0], `{"event":{"start":{"pid":`) || frames[1] != `{"event":{"data":{"stdout":"aGk="}}}` || frames[3] != "{}" {
		t.Fatalf("got %v", frames)
	}
	var last struct {
		Event struct{ End map[string]any }
	}
	if err := json.Unmarshal([]byte(frames[2]), &last); err != nil {
		t.Fatal(err)
	}
	if end := last.Event.End; end["exitCode"] != 2.0 || end["exited"] != true || end["status"] != "exitstatus2" || end["error"] != "exitstatus2" {
		t.Errorf("got %v", end)
	}
}

func TestUnaryErrorsHaveStatusAndCode(t *testing.T) {
	a := agenttest.Start(t)
	answer := a.Do(t, "POST", "/filesystem.Filesystem/Stat", `{"path":"/nonexistent"}`, jsonType)
	body, _ := io.ReadAll(answer.Body)
	if answer.StatusCode != 404 || !strings.HasPrefix(string(body), `{"code":"not_found","message":"`) {
		t.Errorf("got %s %s", answer.Status, body)
	}
	// 64 bit numbers travel as strings.
	if got := strings.ReplaceAll(text(t, a, "POST", "/filesystem.Filesystem/Stat", `{"path":"/"}`), " ", ""); !strings.Contains(got, `"size":"`) || !strings.Contains(got, `"type":"FILE_TYPE_DIRECTORY"`) {
		t.Errorf("got %s", got)
	}
}

// framed puts a message into its envelope.
func framed(message string) string {
	return string(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(message)))) + message
}

func text(t *testing.T, a *agenttest.Agent, method, path, body string) string {
	t.Helper()
	answer := a.Do(t, method, path, body, jsonType)
	content, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != 200 {
		t.Fatalf("%s: %s %s %v", path, answer.Status, content, err)
	}
	return string(content)
}
