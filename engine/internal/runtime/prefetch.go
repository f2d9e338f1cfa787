package runtime

import (
	"context"
	"os"
	"strconv"
	"strings"

	"torpor.dev/engine/internal/idle"
	"torpor.dev/engine/internal/prefetch"
	"torpor.dev/engine/internal/protocol"
)

// Prefetch reads an execution's memory, where that lies in files, into the machine's, so that nobody inside waits for the disk. It
// ends without an error when less than keepFreeBytes is available or when the execution is frozen, ends or is destroyed, none of
// which need wait for it.
func (h *Host) Prefetch(ctx context.Context, request protocol.Prefetch) (read protocol.Prefetched, err error) {
	e, err := h.present(request.Execution)
	if err != nil {
		return read, err
	}
	b, err := e.openBacking()
	if err != nil {
		return read, err
	}
	defer b.close()
	wanted := prefetchWanted(ctx, e, request.KeepFreeBytes)
	read.Bytes, err = idle.Run(func() (total int64, err error) {
		for _, file := range b.memory {
			bytes, err := prefetch.Read(file, wanted)
			total += bytes
			if err != nil {
				return total, protocol.Wrap(err, "The execution's memory could not be read from the disk.")
			}
		}
		return total, nil
	})
	return read, err
}

// prefetchWanted is asked before every piece. The machine's figures, which take longer to get, are looked at before every 16th.
func prefetchWanted(ctx context.Context, e *execution, keepFree int64) func() bool {
	const seldom = 16
	asked := 0
	return func() bool {
		asked++
		if asked%seldom == 1 && availableMemory() < keepFree {
			return false
		}
		return ctx.Err() == nil && !e.ending.Load() && e.status() == protocol.Running
	}
}

// availableMemory is what the machine can still give without putting anything aside, 0 when it does not say.
func availableMemory() int64 {
	content, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(content)) {
		if words := strings.Fields(line); len(words) >= 2 && words[0] == "MemAvailable:" {
			kilobytes, err := strconv.ParseInt(words[1], 10, 64)
			if err == nil {
				return kilobytes << 10
			}
		}
	}
	return 0
}
