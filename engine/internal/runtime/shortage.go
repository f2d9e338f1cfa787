package runtime

import (
	"time"

	"torpor.dev/engine/internal/cgroups"
	"torpor.dev/engine/internal/protocol"
)

const (
	// A shortage is told again while it lasts, ever more seldom.
	firstRepeat, lastRepeat = 100 * time.Millisecond, time.Second
	// endedFrom is the part of the limit from which on a process is worth ending.
	endedFrom = 8
	// lookAfter bounds how often the figures are looked at, whatever the kernel tells.
	lookAfter = 10 * time.Millisecond
	// lookAgain is for a group that file cache keeps above the limit: what creeps up from there on crosses nothing that tells.
	lookAgain = 100 * time.Millisecond
	// Memory in files grows without a word of the kernel's, at this many bytes in a second: it is looked at before it can be too much.
	fastestGrowth             = 2 << 30
	shortestLook, longestLook = 20 * time.Millisecond, 500 * time.Millisecond
	// restAfter is how many times as long as a look the pause after it is: the map of files in many pieces takes tens of milliseconds.
	restAfter = 5
)

// tellShortages waits for the kernel's signals and tells of those that are a shortage. Arranging for them takes a grace period of the
// kernel, for which no start waits.
func (h *Host) tellShortages(e *execution) {
	guard := h.guardMemory(e)
	if guard == nil {
		return
	}
	for again := h.look(e, guard); guard.watch.Wait(again); again = h.look(e, guard) {
		time.Sleep(lookAfter)
	}
}

// look tells of a shortage and gives the time of the next look, 0 when somebody will tell: the kernel does when the limit is crossed,
// which may have been before it was asked to, or by file cache; and a frozen execution uses no more before it is thawed.
func (h *Host) look(e *execution, guard *memoryGuard) time.Duration {
	h.tellWhileShort(e, guard)
	switch {
	case e.ending.Load() || e.status() != protocol.Running:
		return 0
	case len(e.heldMemoryFiles()) > 0:
		return guard.pause(guard.limit-guard.used(e)) - lookAfter
	case cgroups.Read(e.controlGroup()).ChargedBytes < guard.limit:
		return 0
	}
	return lookAgain
}

// tellWhileShort tells again and again while a running execution uses more than its limit, file cache not counted. Nobody in a frozen
// one can be ended: it is told when it is thawed.
func (h *Host) tellWhileShort(e *execution, guard *memoryGuard) {
	next, repeat := time.Now(), firstRepeat
	for !e.ending.Load() {
		used := guard.used(e)
		if used < guard.limit || e.status() != protocol.Running {
			return
		}
		pause := lastRepeat
		inFiles := len(e.heldMemoryFiles()) > 0
		ended := inFiles && used >= guard.limit+headroom && e.endBiggest(guard.limit/endedFrom)
		if ended {
			// What it had is given back in a moment.
			repeat = lastRepeat
		} else if inFiles {
			pause = guard.pause(guard.limit + headroom - used)
		}
		if ended || !time.Now().Before(next) {
			h.publish(protocol.Event{Type: protocol.Memory, Execution: e.id, UsageBytes: used, LimitBytes: guard.limit})
			next, repeat = time.Now().Add(repeat), min(2*repeat, lastRepeat)
		}
		time.Sleep(min(pause, time.Until(next)))
	}
}

// used is what counts against the limit: file cache does not, but memory in files does, of which the kernel knows only as cache. The rest
// takes longer to ask for and grows slowly, so it is asked for seldom where there are files, unless it matters.
func (g *memoryGuard) used(e *execution) int64 {
	started := time.Now()
	defer func() { g.took = time.Since(started) }()
	files := e.heldMemoryFiles()
	if len(files) > 0 && time.Since(g.asked) < longestLook {
		if used := g.rest + files.bytes(g.limit-g.rest); used < g.limit {
			return used
		}
	}
	g.rest, g.asked = cgroups.Read(e.controlGroup()).MemoryBytes, started
	return g.rest + files.bytes(g.limit-g.rest)
}

// pause is how long memory in files can be left alone that is so many bytes away from being too much.
func (g *memoryGuard) pause(room int64) time.Duration {
	const perMillisecond = fastestGrowth / 1000
	reached := time.Duration(room/perMillisecond) * time.Millisecond
	return min(max(reached, restAfter*g.took, shortestLook), longestLook)
}
