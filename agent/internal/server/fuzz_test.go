package server_test

import (
	"net/http"
	"strings"
	"testing"

	"torpor.dev/agent/internal/agenttest"
)

// Whatever comes as a message, the agent answers by the rules of the wire. Nothing is started: the methods only look for
// processes and directories.
func FuzzEnvelopes(f *testing.F) {
	a := agenttest.Start(f)
	a.Init(f, `{"envVars":{"A":"1"}}`)
	paths := []string{"/process.Process/Connect", "/process.Process/StreamInput", "/process.Process/List", "/filesystem.Filesystem/Stat"}
	types := []string{"application/connect+json", "application/connect+proto", "application/json", "application/proto", "application/grpc-web+json", ""}
	for i := range paths {
		f.Add(uint8(i), uint8(i), framed(`{"process":{"pid":1}}`))
		f.Add(uint8(i), uint8(2), `{"path":"/nonexistent"}`)
		f.Add(uint8(i), uint8(1), "\x00\xff\xff\xff\xff")
		f.Add(uint8(i), uint8(0), "\x02\x00\x00\x00\x02{}")
		f.Add(uint8(i), uint8(0), "\x01\x00\x00\x00\x01\x1f")
	}
	f.Fuzz(func(t *testing.T, path, kind uint8, body string) {
		answer := a.Do(t, http.MethodPost, paths[int(path)%len(paths)], body, "Content-Type: "+types[int(kind)%len(types)], "Connect-Timeout-Ms: 2000")
		defer answer.Body.Close()
		if answer.StatusCode == http.StatusInternalServerError {
			t.Errorf("got %s", answer.Status)
		}
		if probe := a.Do(t, http.MethodGet, "/health", ""); probe.StatusCode != http.StatusNoContent {
			t.Errorf("afterwards: %s", probe.Status)
		}
	})
}

func FuzzInit(f *testing.F) {
	a := agenttest.Start(f)
	f.Add(`{"accessToken":"x"}`)
	f.Add(`{"envVars":{"A":null},"timestamp":"2026-01-01T00:00:00Z","nameservers":[""]}`)
	f.Add(`{"sandboxId":"../../x","hostname":"a\nb","rekey":true}`)
	a.Init(f, `{"accessToken":"installed"}`)
	f.Fuzz(func(t *testing.T, body string) {
		answer := a.Do(t, http.MethodPost, "/init", body)
		if strings.Contains(body, "installed") {
			t.Skip()
		}
		if answer.StatusCode != http.StatusUnauthorized && answer.StatusCode != http.StatusBadRequest {
			t.Errorf("got %s", answer.Status)
		}
	})
}
