package runtime

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"time"

	"gvisor.dev/gvisor/pkg/state/statefile"
	"gvisor.dev/gvisor/runsc/config"
	"gvisor.dev/gvisor/runsc/container"
	"gvisor.dev/gvisor/runsc/sandbox"

	"torpor.dev/engine/internal/extents"
	"torpor.dev/engine/internal/protocol"
)

// How long a sandbox may take to answer: what is normal a hundred times over, on a machine that is busy.
const (
	answerLimit = 20 * time.Second
	stallLimit  = time.Minute
)

// Freeze stops all of the execution's tasks.
func (h *Host) Freeze(request protocol.Target) (protocol.Empty, error) {
	return with(h, request.Execution, within(answerLimit), func(ctx context.Context, e *execution) (none protocol.Empty, err error) {
		if e.status() != protocol.Running {
			return none, protocol.Errorf(protocol.Conflict, "The execution is frozen already.")
		}
		if err := e.container.Pause(); err != nil {
			return none, protocol.Wrap(err, "The execution could not be frozen.")
		}
		// Nobody waits for it any more, and nobody would ever thaw it.
		if ctx.Err() != nil && e.container.Resume() == nil {
			return none, ctx.Err()
		}
		e.setFrozen(true)
		return none, nil
	})
}

// Thaw lets a frozen execution go on.
func (h *Host) Thaw(request protocol.Target) (protocol.Empty, error) {
	return with(h, request.Execution, within(answerLimit), func(_ context.Context, e *execution) (none protocol.Empty, err error) {
		if e.status() != protocol.Frozen {
			return none, protocol.Errorf(protocol.Conflict, "The execution is not frozen.")
		}
		if err := e.container.Resume(); err != nil {
			return none, protocol.Wrap(err, "The execution could not be thawed.")
		}
		e.setFrozen(false)
		return none, nil
	})
}

// WaitRestored returns when no page of the execution has to come from its image any more. It takes no turn: freeze and
// destroy need not wait for it.
func (h *Host) WaitRestored(request protocol.Target) (protocol.Empty, error) {
	e, err := h.present(request.Execution)
	if err != nil {
		return protocol.Empty{}, err
	}
	c := e.runtimeContainer()
	if c == nil || c.Sandbox == nil {
		return protocol.Empty{}, nil
	}
	switch {
	case c.Sandbox.Restored:
		err = c.WaitRestore()
	case isOnFiles(c.Spec):
		err = c.WaitFSRestore()
	}
	if err == nil {
		return protocol.Empty{}, nil
	}
	// A sandbox that ends closes its socket a moment before it is gone.
	if e.ending.Load() || e.gone(time.Second) {
		return protocol.Empty{}, protocol.Errorf(protocol.NotFound, "The execution ended before its image was read.")
	}
	return protocol.Empty{}, &protocol.Error{Kind: protocol.Damaged, Message: "The image could not be read to its end.", Detail: err.Error()}
}

// Capture writes a memory image and leaves the execution as it was.
func (h *Host) Capture(request protocol.Capture) (protocol.Captured, error) {
	return h.capture(request, func(c *container.Container) error {
		options := sandbox.CheckpointOpts{Resume: true, Compression: statefile.CompressionLevelNone, Direct: request.Direct}
		return c.Checkpoint(&config.Config{}, request.Directory, options)
	})
}

// capture lets write fill the directory and leaves the execution as it was.
func (h *Host) capture(request protocol.Capture, write func(*container.Container) error) (protocol.Captured, error) {
	return with(h, request.Execution, whileGrowing(request.Directory, stallLimit), func(_ context.Context, e *execution) (captured protocol.Captured, err error) {
		if err := requireEmpty(request.Directory); err != nil {
			return captured, err
		}
		if err := write(e.container); err != nil {
			return captured, protocol.Wrap(err, "The image could not be written.")
		}
		written, err := extents.OfDirectory(request.Directory)
		return protocol.Captured{Bytes: written.Bytes, Extents: written.Extents}, err
	})
}

func requireEmpty(directory string) error {
	entries, err := os.ReadDir(directory)
	if errors.Is(err, fs.ErrNotExist) {
		return protocol.Errorf(protocol.Invalid, "The directory for the image does not exist.")
	}
	if err != nil {
		return err
	}
	if len(entries) > 0 {
		return protocol.Errorf(protocol.Invalid, "The directory for the image is not empty.")
	}
	return nil
}

func sizeOf(directory string) (int64, error) {
	entries, err := os.ReadDir(directory)
	if err != nil {
		return 0, err
	}
	var total int64
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil {
			return 0, err
		}
		total += info.Size()
	}
	return total, nil
}
