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
	// endedFrom is the part of the limit from which on a process is worth ending.
	endedFrom = 8
	// lookAfter bounds how often the figures are looked at, whatever the kernel tells.
	lookAfter = 10 * time.Millisecond
	// lookAgain is for a group that file cache keeps above the limit: what creeps up from there on crosses nothing that tells.
	lookAgain = 100 * time.Millisecond
	// lookAtFiles is for memory in files, which grows without a word of the kernel's.
	lookAtFiles = 500 * time.Millisecond
)

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
}

// tellShortages waits for the kernel's signals and tells of those that are a shortage. Arranging for them takes a grace period of the
// kernel, for which no start waits.
func (h *Host) tellShortages(e *execution) {
	guard := h.guardMemory(e)
	if guard == nil {
		return
	}
	for again := h.look(e, guard.limit); guard.watch.Wait(again); again = h.look(e, guard.limit) {
		time.Sleep(lookAfter)
	}
}

// look tells of a shortage and gives the time of the next look, 0 when the kernel is to tell: it does so when the limit is crossed,
// which may have been before it was asked to, or by file cache.
func (h *Host) look(e *execution, limit int64) time.Duration {
	h.tellWhileShort(e, limit)
	switch {
	case e.ending.Load():
		return 0
	case len(e.heldMemoryFiles()) > 0:
		return lookAtFiles
	case cgroups.Read(e.controlGroup()).ChargedBytes < limit:
		return 0
	}
	return lookAgain
}

// tellWhileShort tells again and again while the execution uses more than its limit, file cache not counted. One that is frozen
// uses no more, and nobody in it can be ended: it is told when it is thawed.
func (h *Host) tellWhileShort(e *execution, limit int64) {
	for pause := firstRepeat; !e.ending.Load(); pause = min(2*pause, lastRepeat) {
		used := e.usedMemory()
		status := e.status()
		if used < limit || status == protocol.Stopped {
			return
		}
		if status == protocol.Frozen {
			pause = firstRepeat / 2
		} else {
			if len(e.heldMemoryFiles()) > 0 && used >= limit+headroom && e.endBiggest(limit/endedFrom) {
				// What it had is given back in a moment.
				pause = lastRepeat
			}
			h.publish(protocol.Event{Type: protocol.Memory, Execution: e.id, UsageBytes: used, LimitBytes: limit})
		}
		time.Sleep(pause)
	}
}
