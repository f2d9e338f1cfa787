// Package files moves file contents in and out over REST (protocol.md §3.2).
package files

import (
	"net/http"
	"net/url"
	"time"

	"torpor.dev/agent/internal/access"
	"torpor.dev/agent/internal/identity"
	"torpor.dev/agent/internal/users"
)

// Handler answers `/files` and `/files/compose`.
type Handler struct {
	identity *identity.Identity
	token    *access.Token
}

// New makes the handler. It checks tokens and signatures itself.
func New(identity *identity.Identity, token *access.Token) *Handler {
	return &Handler{identity: identity, token: token}
}

// Register adds the endpoints to a mux.
func (h *Handler) Register(mux *http.ServeMux) {
	mux.Handle("GET /files", answering(h.download)) // HEAD as well
	mux.Handle("POST /files", answering(h.upload))
	mux.Handle("POST /files/compose", answering(h.compose))
}

// answering lets a handler return its error instead of writing it.
func answering(handle func(http.ResponseWriter, *http.Request) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := handle(w, r); err != nil {
			writeError(w, err)
		}
	})
}

// enter checks the caller and finds the user to act for.
func (h *Handler) enter(r *http.Request, operation access.Operation) (users.User, url.Values, error) {
	query := r.URL.Query()
	if err := h.token.CheckFiles(r, query, operation, time.Now()); err != nil {
		return users.User{}, nil, failure(http.StatusUnauthorized, err)
	}
	user, err := h.identity.User(query.Get("username"))
	if err != nil {
		return users.User{}, nil, failure(http.StatusUnauthorized, err)
	}
	return user, query, nil
}
