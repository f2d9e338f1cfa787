package files

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"syscall"

	"torpor.dev/agent/internal/filesystem"
	"torpor.dev/agent/internal/paths"
	"torpor.dev/agent/internal/reply"
)

// statusError is an error that knows its HTTP status; its text is for the client.
type statusError struct {
	status int
	cause  error
}

func (e *statusError) Error() string { return e.cause.Error() }
func (e *statusError) Unwrap() error { return e.cause }

func failure(status int, cause error) error { return &statusError{status: status, cause: cause} }

func badRequest(format string, values ...any) error {
	return failure(http.StatusBadRequest, fmt.Errorf(format, values...))
}

func isDirectory(path string) error { return badRequest("path '%s' is a directory", path) }

func writeError(w http.ResponseWriter, err error) {
	if known, ok := errors.AsType[*statusError](err); ok {
		reply.Error(w, known.status, known.Error())
		return
	}
	reply.Error(w, statusOf(err), textOf(err))
}

func statusOf(err error) int {
	_, notFile := errors.AsType[*filesystem.NotFileError](err)
	_, invalid := errors.AsType[*paths.InvalidError](err)
	switch {
	case full(err):
		return http.StatusInsufficientStorage
	case notFile, invalid, oneOf(err, syscall.EISDIR, syscall.ENOTDIR, syscall.ENAMETOOLONG, syscall.ELOOP, syscall.ENXIO, syscall.EINVAL):
		return http.StatusBadRequest
	case errors.Is(err, fs.ErrNotExist):
		return http.StatusNotFound
	case errors.Is(err, fs.ErrPermission):
		return http.StatusForbidden
	default:
		return http.StatusInternalServerError
	}
}

func textOf(err error) string {
	if full(err) {
		return "not enough disk space: " + err.Error()
	}
	return err.Error()
}

// full covers space, inodes and quota.
func full(err error) bool { return oneOf(err, syscall.ENOSPC, syscall.EDQUOT) }

func oneOf(err error, targets ...error) bool {
	for _, target := range targets {
		if errors.Is(err, target) {
			return true
		}
	}
	return false
}
