package access

import (
	"net/http"

	"torpor.dev/agent/internal/reply"
)

// Guard answers 401 to requests without the installed token. Health probes, `/files` and `/init` pass: the first tells
// nothing, the others decide themselves.
func (t *Token) Guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !decidesItself(r) && !t.Admits(r) {
			Refuse(w)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// Refuse answers 401 with the text of protocol.md §3.1.
func Refuse(w http.ResponseWriter) { reply.Error(w, http.StatusUnauthorized, unauthorized) }

func decidesItself(r *http.Request) bool {
	switch r.URL.Path {
	case "/health":
		return r.Method == http.MethodGet || r.Method == http.MethodHead
	case "/files":
		return r.Method == http.MethodGet || r.Method == http.MethodHead || r.Method == http.MethodPost
	case "/init":
		return r.Method == http.MethodPost
	default:
		return false
	}
}
