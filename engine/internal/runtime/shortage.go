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
	// lookAfter bounds how often the figures are looked at because the kernel tells something.
	lookAfter = 10 * time.Millisecond
	// lookAgain is for a group that file cache keeps above the limit: what creeps up from there on crosses nothing that tells.
	lookAgain = 100 * time.Millisecond
	// Memory in files grows without a word of the kernel's, at this many bytes in a second: it is looked at before it can be too much.
	fastestGrowth = 2 << 30
	// Above the limit nothing else will tell, and a single process that fills fresh memory was seen to take 6 GiB in a second.
	greediestGrowth           = 8 << 30
	shortestLook, longestLook = 20 * time.Millisecond, 500 * time.Millisecond
	// rounded is what long pauses end on, so that one waking up serves many executions: it costs more than a look.
	rounded = 50 * time.Millisecond
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
	for {
		again, started := h.look(e, guard), time.Now()
		if !guard.watch.Wait(again) {
			return
		}
		if again == 0 || time.Since(started) < again {
			time.Sleep(lookAfter)
		}
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
		return together(time.Now(), guard.pause(guard.limit-guard.used(e), fastestGrowth))
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
			pause = guard.pause(guard.limit+headroom-used, greediestGrowth)
		}
		if ended || !time.Now().Before(next) {
			h.publish(protocol.Event{Type: protocol.Memory, Execution: e.id, UsageBytes: used, LimitBytes: guard.limit})
			next, repeat = time.Now().Add(repeat), min(2*repeat, lastRepeat)
		}
		time.Sleep(min(pause, time.Until(next)))
	}
}

// used is what counts against the limit: file cache does not, but memory in files does, of which the kernel knows only as cache. Below
// the limit it may be more than the truth.
func (g *memoryGuard) used(e *execution) int64 {
	started := time.Now()
	defer func() { g.took = time.Since(started) }()
	files := e.heldMemoryFiles()
	if len(files) > 0 {
		if used := g.atMost(e, files); used < g.limit {
			return used
		}
	}
	g.rest, g.asked = cgroups.Read(e.controlGroup()).MemoryBytes, started
	return g.rest + files.bytes(g.limit-g.rest)
}

// atMost is an upper bound that costs little. What is used beside files grows slowly, so it is asked for seldom, and first with the cache
// of the same files in it: to tell the two apart takes the kernel 0.4 ms.
func (g *memoryGuard) atMost(e *execution, files memoryFiles) int64 {
	if time.Since(g.asked) >= longestLook {
		g.rest, g.asked = cgroups.Charged(e.controlGroup()), time.Now()
		return g.rest + files.blocks()
	}
	return g.rest + files.bytes(g.limit-g.rest)
}

// pause is how long memory in files can be left alone that is so many bytes away from being too much and grows by so many in a second.
func (g *memoryGuard) pause(room, growth int64) time.Duration {
	reached := time.Duration(room*1000/growth) * time.Millisecond
	return min(max(reached, restAfter*g.took, shortestLook), longestLook)
}

// together makes a pause end with those of other executions.
func together(now time.Time, pause time.Duration) time.Duration {
	if pause < 2*rounded {
		return pause
	}
	now = now.Round(0) // without the monotonic clock, which has no beginning in common
	return now.Add(pause).Truncate(rounded).Sub(now)
}
