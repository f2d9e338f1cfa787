// Package access decides which requests are let in (protocol.md §3.1, §3.6).
package access

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"sync/atomic"
)

// TokenHeader carries the sandbox's access token.
const TokenHeader = "X-Access-Token"

// unauthorized is the text of protocol.md §3.1.
const unauthorized = "unauthorized access, please provide a valid access token or method signing if supported"

// Token is the access token of the sandbox: none at first, so everything is open. It is safe for concurrent use.
type Token struct{ value atomic.Pointer[string] }

// Set installs a token; an empty one opens the sandbox again.
func (t *Token) Set(value string) {
	if value == "" {
		t.value.Store(nil)
		return
	}
	t.value.Store(&value)
}

// Installed reports whether requests need a token.
func (t *Token) Installed() bool { return t.value.Load() != nil }

// Matches reports whether the candidate is the installed token, in a time that tells nothing about it.
func (t *Token) Matches(candidate string) bool {
	value := t.value.Load()
	return value != nil && equal(*value, candidate)
}

// Admits reports whether a request may pass by its token header alone: nothing is installed, or the header matches.
func (t *Token) Admits(r *http.Request) bool {
	value := t.value.Load()
	return value == nil || equal(*value, r.Header.Get(TokenHeader))
}

// equal compares digests, so that not even the lengths can be measured.
func equal(a, b string) bool {
	left, right := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(left[:], right[:]) == 1
}
