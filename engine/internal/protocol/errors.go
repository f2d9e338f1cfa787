// Package protocol holds the engine's wire format as values. PROTOCOL.md is its page for readers.
package protocol

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"syscall"
)

// Kind classifies a failure for the caller.
type Kind string

// The kinds of failure, the whole set.
const (
	Invalid  Kind = "invalid"
	NotFound Kind = "not_found"
	Conflict Kind = "conflict"
	NoSpace  Kind = "no_space"
	Damaged  Kind = "damaged"
	TimedOut Kind = "timed_out"
	Internal Kind = "internal"
)

// Status is the HTTP status that answers a failure of this kind.
func (k Kind) Status() int {
	switch k {
	case Invalid:
		return http.StatusBadRequest
	case NotFound:
		return http.StatusNotFound
	case Conflict:
		return http.StatusConflict
	case NoSpace:
		return http.StatusInsufficientStorage
	case Damaged:
		return http.StatusUnprocessableEntity
	case TimedOut:
		return http.StatusGatewayTimeout
	case Internal:
		return http.StatusInternalServerError
	}
	return http.StatusInternalServerError
}

// Error is a failure as the caller sees it.
type Error struct {
	Kind    Kind   `json:"kind"`
	Message string `json:"message"`
	Detail  string `json:"detail"`
}

// Error makes a failure an error.
func (e *Error) Error() string {
	if e.Detail == "" {
		return e.Message
	}
	return e.Message + ": " + e.Detail
}

// Errorf makes a failure without detail.
func Errorf(kind Kind, format string, values ...any) *Error {
	return &Error{Kind: kind, Message: fmt.Sprintf(format, values...)}
}

// Wrap makes a failure of the kind that the cause asks for: an *Error stays what it is, a full disk is no_space.
func Wrap(cause error, message string) *Error {
	var known *Error
	if errors.As(cause, &known) {
		return known
	}
	kind := Internal
	if isNoSpace(cause) {
		kind = NoSpace
	}
	return &Error{Kind: kind, Message: message, Detail: cause.Error()}
}

// isNoSpace also looks at the text, because an error that crossed into a sandbox and back is only text.
func isNoSpace(err error) bool {
	for _, errno := range []syscall.Errno{syscall.ENOSPC, syscall.EDQUOT} {
		if errors.Is(err, errno) || strings.Contains(err.Error(), errno.Error()) {
			return true
		}
	}
	return false
}
