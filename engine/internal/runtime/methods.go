package runtime

import (
	"errors"
	"io/fs"
	"os"

	"gvisor.dev/gvisor/pkg/state/statefile"
	"gvisor.dev/gvisor/runsc/config"
	"gvisor.dev/gvisor/runsc/container"
	"gvisor.dev/gvisor/runsc/sandbox"

	"torpor.dev/engine/internal/protocol"
)

// Freeze stops all of the execution's tasks.
func (h *Host) Freeze(request protocol.Target) (protocol.Empty, error) {
	return protocol.Empty{}, h.with(request.Execution, func(e *execution) error {
		if e.status() != protocol.Running {
			return protocol.Errorf(protocol.Conflict, "The execution is frozen already.")
		}
		if err := e.container.Pause(); err != nil {
			return protocol.Wrap(err, "The execution could not be frozen.")
		}
		e.setFrozen(true)
		return nil
	})
}

// Thaw lets a frozen execution go on.
func (h *Host) Thaw(request protocol.Target) (protocol.Empty, error) {
	return protocol.Empty{}, h.with(request.Execution, func(e *execution) error {
		if e.status() != protocol.Frozen {
			return protocol.Errorf(protocol.Conflict, "The execution is not frozen.")
		}
		if err := e.container.Resume(); err != nil {
			return protocol.Wrap(err, "The execution could not be thawed.")
		}
		e.setFrozen(false)
		return nil
	})
}

// WaitRestored returns when no page of the execution has to come from its image any more. It takes no turn: freeze and
// destroy need not wait for it.
func (h *Host) WaitRestored(request protocol.Target) (protocol.Empty, error) {
	e, ok := h.find(request.Execution)
	if !ok || e.ending.Load() || !e.listed() {
		return protocol.Empty{}, protocol.Errorf(protocol.NotFound, "There is no such execution.")
	}
	c := e.runtimeContainer()
	if c == nil || c.Sandbox == nil {
		return protocol.Empty{}, nil
	}
	var err error
	switch {
	case c.Sandbox.Restored:
		err = c.WaitRestore()
	case isOnFiles(c.Spec):
		err = c.WaitFSRestore()
	}
	if err != nil {
		return protocol.Empty{}, protocol.Wrap(err, "The image could not be read to its end.")
	}
	return protocol.Empty{}, nil
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
	var captured protocol.Captured
	err := h.with(request.Execution, func(e *execution) error {
		if err := requireEmpty(request.Directory); err != nil {
			return err
		}
		if err := write(e.container); err != nil {
			return protocol.Wrap(err, "The image could not be written.")
		}
		var err error
		captured.Bytes, err = sizeOf(request.Directory)
		return err
	})
	return captured, err
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
