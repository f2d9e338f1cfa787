package server

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestRequestsInFlightAreBounded(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	handler := limited(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			entered <- struct{}{}
			<-release
		}
	}), 1)
	ask := func(method, path, contentType string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, path, strings.NewReader("{}"))
		r.Header.Set("Content-Type", contentType)
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, r)
		return answer
	}
	slow := make(chan struct{})
	go func() {
		defer close(slow)
		ask("GET", "/slow", "")
	}()
	<-entered
	if answer := ask("GET", "/files", ""); answer.Code != 429 || !strings.Contains(answer.Body.String(), `{"code":429,"message":"too many`) {
		t.Errorf("got %d %s", answer.Code, answer.Body)
	}
	if answer := ask("POST", "/process.Process/List", "application/json"); answer.Code != 429 || !strings.Contains(answer.Body.String(), `"code":"resource_exhausted"`) {
		t.Errorf("unary: got %d %s", answer.Code, answer.Body)
	}
	if answer := ask("POST", "/process.Process/Start", "application/connect+json"); answer.Code != 200 || !strings.Contains(answer.Body.String(), `"code":"resource_exhausted"`) {
		t.Errorf("stream: got %d %s", answer.Code, answer.Body)
	}
	for _, path := range []string{"/health", "/init", "/logs", "/oom"} {
		if answer := ask("GET", path, ""); answer.Code != 200 {
			t.Errorf("%s: got %d", path, answer.Code)
		}
	}
	close(release)
	<-slow
	if answer := ask("GET", "/files", ""); answer.Code != 200 {
		t.Errorf("afterwards: got %d", answer.Code)
	}
}
