// Package agenttest boots a whole agent in-process, for tests that speak its wire.
package agenttest

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"connectrpc.com/connect"

	"torpor.dev/agent/internal/journal"
	"torpor.dev/agent/internal/machine"
	"torpor.dev/agent/internal/process"
	"torpor.dev/agent/internal/server"
	"torpor.dev/agent/internal/users"
	"torpor.dev/agent/proto/filesystem/filesystemconnect"
	"torpor.dev/agent/proto/process/processconnect"
)

// The user that every test agent has besides root.
const (
	UID = 12345
	GID = 12346
	// ExtraGID is a supplementary group of the user.
	ExtraGID = 12347
)

// Agent is a running agent whose users, homes and system files are in temporary directories.
type Agent struct {
	URL      string
	Home     string // of `user`, the default user
	RootHome string
	System   string // the root below which the machine's own files are written

	Process    processconnect.ProcessClient
	Filesystem filesystemconnect.FilesystemClient
}

// There can be only one reaper in a test binary: it waits for every child.
var reaper = sync.OnceValues(process.NewReaper)

// Start boots an agent that ends with the test. Its clients use JSON, as the SDKs do.
func Start(t testing.TB, options ...connect.ClientOption) *Agent {
	t.Helper()
	r, err := reaper()
	if err != nil {
		t.Fatal(err)
	}
	a := &Agent{Home: dir(t), RootHome: dir(t), System: dir(t)}
	if err := os.Chown(a.Home, UID, GID); err != nil {
		t.Fatal(err)
	}
	passwd := fmt.Sprintf("root:x:0:0:root:%s:/bin/sh\nuser:x:%d:%d::%s:/bin/sh\nhomeless:x:77:77::/nonexistent:/bin/sh\n", a.RootHome, UID, GID, a.Home)
	group := fmt.Sprintf("root:x:0:\nuser:x:%d:\nextra:x:%d:user\n", GID, ExtraGID)
	etc := dir(t)
	write(t, filepath.Join(etc, "passwd"), passwd)
	write(t, filepath.Join(etc, "group"), group)
	notes := &journal.Journal{}
	served := httptest.NewUnstartedServer(nil)
	served.Config = server.New(server.Parts{
		Database:  users.New(filepath.Join(etc, "passwd"), filepath.Join(etc, "group")),
		Processes: process.NewTable(r, notes),
		Journal:   notes,
		Machine:   machine.New(a.System, func(string) error { return nil }),
	})
	served.Start()
	t.Cleanup(func() {
		served.CloseClientConnections()
		served.Close()
	})
	a.URL = served.URL
	options = append([]connect.ClientOption{connect.WithProtoJSON()}, options...)
	a.Process = processconnect.NewProcessClient(served.Client(), a.URL, options...)
	a.Filesystem = filesystemconnect.NewFilesystemClient(served.Client(), a.URL, options...)
	return a
}

// Do sends a request with headers given as "Name: value".
func (a *Agent) Do(t testing.TB, method, path, body string, headers ...string) *http.Response {
	t.Helper()
	return a.Stream(t, method, path, strings.NewReader(body), headers...)
}

// Stream is Do with a body of any length.
func (a *Agent) Stream(t testing.TB, method, path string, body io.Reader, headers ...string) *http.Response {
	t.Helper()
	r, err := http.NewRequest(method, a.URL+path, body)
	if err != nil {
		t.Fatal(err)
	}
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		r.Header.Set(name, value)
	}
	// The transport must not undo a compression behind the test's back.
	client := &http.Client{Transport: &http.Transport{DisableCompression: true, DisableKeepAlives: true}}
	answer, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { answer.Body.Close() })
	return answer
}

// Init calls /init and expects it to succeed.
func (a *Agent) Init(t testing.TB, body string, headers ...string) {
	t.Helper()
	if answer := a.Do(t, http.MethodPost, "/init", body, headers...); answer.StatusCode != http.StatusNoContent {
		t.Fatalf("init: %s", answer.Status)
	}
}

// dir makes a temporary directory that every user may enter.
func dir(t testing.TB) string {
	t.Helper()
	path := t.TempDir()
	for _, each := range []string{path, filepath.Dir(path)} {
		if err := os.Chmod(each, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

func write(t testing.TB, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}
