package runtime

import (
	"context"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"torpor.dev/engine/internal/protocol"
)

const (
	// mostPasses of a flush: what a busy execution writes in the meantime is worth another one, but not for ever.
	mostPasses = 3
	// shortPass is one after which there is not much left to be written while the execution is frozen.
	shortPass = 50 * time.Millisecond
	// flushedAtOnce is what a flush writes before it looks whether anybody still wants it.
	flushedAtOnce = 32 << 20
)

// Flush writes what is dirty of an execution's memory and of its root's files to the disk while it runs, so that a capture, which
// has to wait for that, is short. It takes no turn: freeze, thaw and destroy need not wait for it. It ends early with the execution.
func (h *Host) Flush(ctx context.Context, request protocol.Target) (none protocol.Empty, err error) {
	e, err := h.present(request.Execution)
	if err != nil {
		return none, err
	}
	b, err := e.openBacking()
	if err != nil {
		return none, err
	}
	defer b.close()
	wanted := func() bool { return ctx.Err() == nil && !e.over() }
	for pass := 0; pass < mostPasses && wanted(); pass++ {
		started := time.Now()
		for _, file := range b.files() {
			if err := flush(file, wanted); err != nil {
				return none, protocol.Wrap(err, "The execution's files could not be written to the disk.")
			}
		}
		if time.Since(started) < shortPass {
			break
		}
	}
	return none, nil
}

// flush starts the writing piece by piece, so that it can be given up, and waits for all of it at the end: waiting for each piece would
// leave the disk idle while the file system looks for the next one's blocks.
func flush(file *os.File, wanted func() bool) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	for offset := int64(0); offset < info.Size(); offset += flushedAtOnce {
		if !wanted() {
			return nil
		}
		if err := unix.SyncFileRange(int(file.Fd()), offset, flushedAtOnce, unix.SYNC_FILE_RANGE_WRITE); err != nil {
			return err
		}
	}
	return unix.Fdatasync(int(file.Fd()))
}
