// Package fault holds the closed set of errors that torpor-oci reports.
package fault

import (
	"context"
	"errors"
	"fmt"
	"syscall"
)

// Kind says what went wrong, in the terms of the platform's error catalogue.
type Kind string

const (
	InvalidArgument Kind = "invalid_argument" // the request, the image or the archive is not acceptable; trying again does not help
	NotFound        Kind = "not_found"        // no such repository, tag or digest
	Unauthenticated Kind = "unauthenticated"  // credentials missing, wrong or not sufficient
	Unavailable     Kind = "unavailable"      // the registry cannot be reached, fails or breaks off; a later run may succeed
	NoSpace         Kind = "no_space"         // this machine's disk or inodes are used up
	Unsupported     Kind = "unsupported"      // a valid image of a sort that is not handled
	Internal        Kind = "internal"         // anything else of this machine
)

// Fault is an error with its kind. Message is for the user: no path of this machine, no secret. Cause is for the operator's log.
type Fault struct {
	Kind    Kind
	Message string
	Cause   error
}

func (f *Fault) Error() string {
	if f.Cause == nil {
		return f.Message
	}
	return f.Message + ": " + f.Cause.Error()
}

func (f *Fault) Unwrap() error { return f.Cause }

// New makes a Fault without a foreign error behind it.
func New(kind Kind, format string, arguments ...any) *Fault {
	return &Fault{Kind: kind, Message: fmt.Sprintf(format, arguments...)}
}

// Wrap makes a Fault from a foreign error. A full disk stays a full disk and an interruption an interruption, whatever the caller was about.
func Wrap(cause error, kind Kind, format string, arguments ...any) *Fault {
	if known := inherent(cause); known != nil {
		return known
	}
	return &Fault{Kind: kind, Message: fmt.Sprintf(format, arguments...), Cause: cause}
}

// From is the funnel: what is not a Fault yet becomes one.
func From(err error) *Fault {
	return Wrap(err, Internal, "Something went wrong while the image was handled. The operator finds the cause in the log.")
}

// inherent finds what an error means without knowing who met it.
func inherent(err error) *Fault {
	var already *Fault
	switch {
	case errors.As(err, &already):
		return already
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return &Fault{NoSpace, "The server's disk is full.", err}
	case errors.Is(err, context.Canceled):
		return &Fault{Unavailable, "The work was interrupted before it was done.", err}
	}
	return nil
}
