package runtime

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"torpor.dev/engine/internal/cgroups"
	"torpor.dev/engine/internal/protocol"
)

// Stats tells what the machine spends on an execution. It takes no turn: it only reads the control group.
func (h *Host) Stats(request protocol.Target) (protocol.Stats, error) {
	e, err := h.present(request.Execution)
	if err != nil {
		return protocol.Stats{}, err
	}
	var stats protocol.Stats
	usage := cgroups.Read(e.controlGroup())
	stats.MemoryBytes, stats.CPUNanoseconds, stats.Processes = usage.MemoryBytes+e.inFiles(usage.MemoryBytes), usage.CPUNanoseconds, usage.Tasks
	if !usage.HasMemory {
		for _, p := range e.processes() {
			stats.MemoryBytes += proportionalMemory(p.PID)
		}
	}
	stats.DiskBytes = writtenBytes(e.describe().PID)
	return stats, nil
}

// inFiles is what of the execution's memory lies in files, exact where it matters: near the limit.
func (e *execution) inFiles(rest int64) int64 {
	near := memoryLimit(e.runtimeContainer()) / 5 * 4
	return e.heldMemoryFiles().bytes(near - rest)
}

// proportionalMemory is the process's share of the memory that it maps (PSS).
func proportionalMemory(pid int) int64 {
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(content)) {
		if words := strings.Fields(line); len(words) >= 2 && words[0] == "Pss:" {
			kilobytes, err := strconv.ParseInt(words[1], 10, 64)
			if err == nil {
				return kilobytes << 10
			}
		}
	}
	return 0
}
