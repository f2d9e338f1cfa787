// Package rpcerror turns Go's errors into those of the Connect wire, in one place (protocol.md §3.3–3.5).
package rpcerror

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"connectrpc.com/connect"

	"torpor.dev/agent/internal/paths"
	"torpor.dev/agent/internal/users"
)

// codes are looked through in order, so the more particular error stands first.
var codes = []struct {
	err  error
	code connect.Code
}{
	{context.Canceled, connect.CodeCanceled},
	{context.DeadlineExceeded, connect.CodeDeadlineExceeded},
	{syscall.EMFILE, connect.CodeResourceExhausted},
	{syscall.ENFILE, connect.CodeResourceExhausted},
	{syscall.EAGAIN, connect.CodeResourceExhausted},
	{syscall.ENOMEM, connect.CodeResourceExhausted},
	{syscall.ENOTEMPTY, connect.CodeAlreadyExists},
	{fs.ErrExist, connect.CodeAlreadyExists},
	{fs.ErrNotExist, connect.CodeNotFound},
	{syscall.ENOTDIR, connect.CodeNotFound},
	{syscall.ELOOP, connect.CodeFailedPrecondition},
	{syscall.EBUSY, connect.CodeFailedPrecondition},
	{syscall.EISDIR, connect.CodeInvalidArgument},
	{syscall.ENAMETOOLONG, connect.CodeInvalidArgument},
	{syscall.EINVAL, connect.CodeInvalidArgument},
	{syscall.EPERM, connect.CodePermissionDenied},
	{syscall.EACCES, connect.CodePermissionDenied},
	{syscall.EROFS, connect.CodePermissionDenied},
}

// Of gives an error the code of its kind; a Connect error keeps its own, and an unknown one is internal.
func Of(err error) error {
	if _, ok := errors.AsType[*connect.Error](err); ok {
		return err
	}
	if _, ok := errors.AsType[*users.UnknownError](err); ok {
		return connect.NewError(connect.CodeUnauthenticated, err)
	}
	if _, ok := errors.AsType[*paths.InvalidError](err); ok {
		return connect.NewError(connect.CodeInvalidArgument, err)
	}
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return connect.NewError(connect.CodeResourceExhausted, fmt.Errorf("not enough disk space: %w", err))
	}
	for _, known := range codes {
		if errors.Is(err, known.err) {
			return connect.NewError(known.code, err)
		}
	}
	return connect.NewError(connect.CodeInternal, err)
}
