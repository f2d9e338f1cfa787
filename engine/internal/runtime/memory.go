package runtime

import (
	"fmt"
	"os"
	"time"

	"gvisor.dev/gvisor/runsc/container"

	"torpor.dev/engine/internal/cgroups"
)

// headroom is how far above its limit a sandbox can get before the kernel acts: time for others to end one process inside.
// Allocations were seen to run at 1 to 2 GiB/s, and 186 MiB past the limit before a process was ended on a busy machine.
const headroom = 256 << 20

// memoryLimit is the limit that the bundle names, 0 for none.
func memoryLimit(c *container.Container) int64 {
	if c == nil || c.Spec == nil || c.Spec.Linux == nil || c.Spec.Linux.Resources == nil || c.Spec.Linux.Resources.Memory == nil || c.Spec.Linux.Resources.Memory.Limit == nil {
		return 0
	}
	return *c.Spec.Linux.Resources.Memory.Limit
}

// giveHeadroom lets the kernel act only well above the limit. Before anything in the sandbox runs.
func (h *Host) giveHeadroom(e *execution, c *container.Container) {
	limit := memoryLimit(c)
	if limit <= 0 {
		return
	}
	if err := cgroups.LetMemoryGrow(e.controlGroup(), limit+headroom); err != nil {
		h.log.Warn("the kernel will act on a shortage of memory before it is told", "execution", e.id, "detail", err.Error())
	}
}

// guardMemory arranges that shortages of memory are told of before the kernel acts on them, or gives nil. A sandbox whose memory
// cannot be watched is killed whole, as the kernel does it.
func (h *Host) guardMemory(e *execution) *memoryGuard {
	c := e.runtimeContainer()
	limit := memoryLimit(c)
	if limit <= 0 {
		return nil
	}
	watch, err := cgroups.WatchMemory(e.controlGroup(), limit)
	if err != nil {
		if !e.ending.Load() {
			h.log.Warn("the memory of an execution cannot be watched", "execution", e.id, "detail", err.Error())
		}
		return nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.container != c { // released meanwhile
		watch.Close()
		return nil
	}
	e.memory = &memoryGuard{watch: watch, limit: limit}
	return e.memory
}

// offerProcesses makes the processes inside the kernel's choice, rather than the sandbox itself, where the memory of a sandbox or of
// the machine runs out all the same: the runtime takes the end of one for a SIGKILL inside. Those that exist before anything of the
// sandbox runs pass it on to all others.
func offerProcesses(e *execution) {
	const first = "1000"
	own := map[int]bool{}
	for _, p := range e.processes() {
		own[p.PID] = true
	}
	for _, pid := range cgroups.Members(e.controlGroup()) {
		if !own[pid] {
			_ = os.WriteFile(fmt.Sprintf("/proc/%d/oom_score_adj", pid), []byte(first), 0)
		}
	}
}

// memoryGuard is the watch on one execution's memory.
type memoryGuard struct {
	watch *cgroups.Watch
	limit int64

	// rest is what was used beside files when it was last asked for.
	rest  int64
	asked time.Time
	// took is how long it took to find out the use.
	took time.Duration
}
