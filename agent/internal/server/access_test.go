package server_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"torpor.dev/agent/internal/agenttest"
)

const (
	jsonType = "Content-Type: application/json"
	withOne  = "X-Access-Token: one"
)

func TestTokenGuardsEverythingButTheExceptions(t *testing.T) {
	a := agenttest.Start(t)
	guarded := []struct{ method, path string }{
		{"GET", "/metrics"}, {"GET", "/envs"}, {"POST", "/files/compose"}, {"POST", "/process.Process/List"},
		{"POST", "/process.Process/Start"}, {"POST", "/filesystem.Filesystem/Stat"}, {"GET", "/unknown"},
		{"POST", "/health"}, {"DELETE", "/files"}, {"GET", "/init"},
	}
	for _, g := range guarded {
		if answer := a.Do(t, g.method, g.path, "{}", jsonType); answer.StatusCode == 401 {
			t.Errorf("%s %s is closed without a token", g.method, g.path)
		}
	}
	a.Init(t, `{"accessToken":"one"}`)
	for _, g := range guarded {
		for _, header := range []string{"X-Access-Token: wrong", "X-Access-Token: ", "X-Other: one"} {
			answer := a.Do(t, g.method, g.path, "{}", jsonType, header)
			body, _ := io.ReadAll(answer.Body)
			if answer.StatusCode != 401 || !strings.Contains(string(body), `{"code":401,"message":"unauthorized access, please provide a valid access token or method signing if supported"}`) {
				t.Errorf("%s %s with %q: %s %s", g.method, g.path, header, answer.Status, body)
			}
		}
		if answer := a.Do(t, g.method, g.path, "{}", jsonType, withOne); answer.StatusCode == 401 {
			t.Errorf("%s %s is closed to the token", g.method, g.path)
		}
	}
	if answer := a.Do(t, "GET", "/health", ""); answer.StatusCode != 204 {
		t.Errorf("health: %s", answer.Status)
	}
}

func TestInitNeedsTheInstalledToken(t *testing.T) {
	for _, test := range []struct {
		name, body string
		headers    []string
		status     int
		now        string // the token afterwards
	}{
		{"nobody", `{"accessToken":"two"}`, nil, 401, "one"},
		{"a wrong header", `{"accessToken":"two"}`, []string{"X-Access-Token: two"}, 401, "one"},
		{"nothing at all", `{}`, nil, 401, "one"},
		{"an empty body", ``, nil, 401, "one"},
		{"no JSON", `{`, []string{withOne}, 400, "one"},
		{"the header re-keys", `{"accessToken":"two"}`, []string{withOne}, 204, "two"},
		{"the body is enough", `{"accessToken":"one","extra":{}}`, nil, 204, "one"},
		{"an absent token stays", `{"envVars":{}}`, []string{withOne}, 204, "one"},
		{"an empty token opens, if allowed", `{"accessToken":""}`, []string{withOne}, 204, ""},
		{"an empty token does not open by itself", `{"accessToken":""}`, nil, 401, "one"},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := agenttest.Start(t)
			a.Init(t, `{"accessToken":"one"}`)
			if answer := a.Do(t, "POST", "/init", test.body, test.headers...); answer.StatusCode != test.status {
				t.Errorf("got %s", answer.Status)
			}
			for _, token := range []string{"", "one", "two"} {
				answer := a.Do(t, "GET", "/envs", "", "X-Access-Token: "+token)
				if open := answer.StatusCode == 200; open != (token == test.now || test.now == "") {
					t.Errorf("token %q: %s", token, answer.Status)
				}
			}
		})
	}
}

func TestPagesOfEveryOriginMayCall(t *testing.T) {
	a := agenttest.Start(t)
	a.Init(t, `{"accessToken":"one"}`)
	answer := a.Do(t, "OPTIONS", "/process.Process/Start", "", "Origin: https://page.example",
		"Access-Control-Request-Method: POST", "Access-Control-Request-Headers: x-access-token,authorization")
	header := answer.Header
	if answer.StatusCode != 204 || header.Get("Access-Control-Allow-Origin") != "*" || header.Get("Access-Control-Max-Age") != "7200" ||
		header.Get("Access-Control-Allow-Headers") != "x-access-token,authorization" || !strings.Contains(header.Get("Access-Control-Allow-Methods"), "PATCH") {
		t.Errorf("got %s %v", answer.Status, header)
	}
	if answer := a.Do(t, "GET", "/envs", ""); answer.StatusCode != 401 || answer.Header.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("got %s %v", answer.Status, answer.Header)
	}
}

func TestHTTP2WithoutTLSIsSpoken(t *testing.T) {
	a := agenttest.Start(t)
	protocols := &http.Protocols{}
	protocols.SetUnencryptedHTTP2(true)
	client := &http.Client{Transport: &http.Transport{Protocols: protocols}}
	answer, err := client.Get(a.URL + "/health")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.ProtoMajor != 2 || answer.StatusCode != 204 {
		t.Errorf("got %s %s", answer.Proto, answer.Status)
	}
	client.CloseIdleConnections()
}
