package runtime

import (
	"fmt"
	"os"
	"time"

	"gvisor.dev/gvisor/runsc/container"

	"torpor.dev/engine/internal/cgroups"
	"torpor.dev/engine/internal/protocol"
)

const (
	// headroom is how far above its limit a sandbox can get before the kernel acts: time for others to end one process inside.
	// Allocations were seen to run at 1 to 2 GiB/s, and 186 MiB past the limit before a process was ended on a busy machine.
	headroom = 256 << 20
	// A shortage is told again while it lasts, ever more seldom.
	firstRepeat, lastRepeat = 100 * time.Millisecond, time.Second
	// lookAfter bounds how often the figures are looked at, whatever the kernel tells.
	lookAfter = 10 * time.Millisecond
	// lookAgain is for a group that file cache keeps above the limit: what creeps up from there on crosses nothing that tells.
	lookAgain = 500 * time.Millisecond
)

// memoryLimit is the limit that the bundle names, 0 for none.
func memoryLimit(c *container.Container) int64 {
	if c.Spec == nil || c.Spec.Linux == nil || c.Spec.Linux.Resources == nil || c.Spec.Linux.Resources.Memory == nil || c.Spec.Linux.Resources.Memory.Limit == nil {
		return 0
	}
	return *c.Spec.Linux.Resources.Memory.Limit
}

// guardMemory arranges that shortages of memory are told of before the kernel acts on them. A sandbox whose memory cannot be
// watched is killed whole, as the kernel does it.
func (h *Host) guardMemory(e *execution, c *container.Container) {
	limit := memoryLimit(c)
	if limit <= 0 {
		return
	}
	watch, err := cgroups.WatchMemory(e.controlGroup(), limit, limit+headroom)
	if err != nil {
		h.log.Warn("the memory of an execution cannot be watched", "execution", e.id, "detail", err.Error())
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.memory = &memoryGuard{watch: watch, limit: limit}
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
}

// tellShortages waits for the kernel's signals and tells of those that are a shortage.
func (h *Host) tellShortages(e *execution) {
	e.mu.Lock()
	guard := e.memory
	e.mu.Unlock()
	if guard == nil {
		return
	}
	var again time.Duration
	for guard.watch.Wait(again) {
		h.tellWhileShort(e, guard.limit)
		again = 0
		if cgroups.Read(e.controlGroup()).ChargedBytes >= guard.limit {
			again = lookAgain
		}
		time.Sleep(lookAfter)
	}
}

// tellWhileShort tells again and again while the execution uses more than its limit, file cache not counted. One that is frozen
// uses no more, and nobody in it can be ended: it is told when it is thawed.
func (h *Host) tellWhileShort(e *execution, limit int64) {
	for pause := firstRepeat; !e.ending.Load(); pause = min(2*pause, lastRepeat) {
		used := cgroups.Read(e.controlGroup()).MemoryBytes
		status := e.status()
		if used < limit || status == protocol.Stopped {
			return
		}
		if status == protocol.Frozen {
			pause = firstRepeat / 2
		} else {
			h.publish(protocol.Event{Type: protocol.Memory, Execution: e.id, UsageBytes: used, LimitBytes: limit})
		}
		time.Sleep(pause)
	}
}
