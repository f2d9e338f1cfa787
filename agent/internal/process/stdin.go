package process

import (
	"context"
	"errors"
	"os"
	"sync"
	"time"
)

// ErrNoStdin says that the process has no open stdin.
var ErrNoStdin = errors.New("stdin is not enabled or already closed")

// stdin is the writing end of a pipe.
type stdin struct {
	turn chan struct{} // holds one token: inputs do not mix
	file *os.File
	shut sync.Once
}

func newStdin(file *os.File) *stdin {
	s := &stdin{turn: make(chan struct{}, 1), file: file}
	s.turn <- struct{}{}
	return s
}

func (s *stdin) write(ctx context.Context, data []byte) error {
	select {
	case <-s.turn:
		defer func() { s.turn <- struct{}{} }()
	case <-ctx.Done():
		return ctx.Err()
	}
	// A process that does not read must not hold its writer beyond the request.
	release := context.AfterFunc(ctx, func() { _ = s.file.SetWriteDeadline(time.Unix(1, 0)) })
	_, err := s.file.Write(data)
	if !release() && ctx.Err() != nil {
		_ = s.file.SetWriteDeadline(time.Time{})
		return ctx.Err()
	}
	if errors.Is(err, os.ErrClosed) {
		return ErrNoStdin
	}
	return err
}

func (s *stdin) close() { s.shut.Do(func() { _ = s.file.Close() }) }
