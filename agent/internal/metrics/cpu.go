package metrics

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// ticksPerSecond is the unit of the times in /proc; Linux fixes it towards user space.
const ticksPerSecond = 100

// cpuMeter turns the growing CPU time of the system into the use between two calls.
type cpuMeter struct {
	proc string

	mu    sync.Mutex
	last  time.Time
	ticks uint64
}

func newCPUMeter(proc string, now time.Time) *cpuMeter {
	return &cpuMeter{proc: proc, last: now, ticks: busyTicks(proc)}
}

func (m *cpuMeter) usedPct(now time.Time) float64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	ticks := busyTicks(m.proc)
	elapsed := now.Sub(m.last).Seconds()
	used := float64(ticks-min(m.ticks, ticks)) / ticksPerSecond
	m.last, m.ticks = now, ticks
	if elapsed <= 0 {
		return 0
	}
	return used / elapsed * 100
}

// busyTicks is the CPU time that the whole system has used.
func busyTicks(proc string) uint64 {
	content, _ := os.ReadFile(filepath.Join(proc, "stat"))
	first, _, _ := strings.Cut(string(content), "\n")
	fields := strings.Fields(first)
	const user, idle, iowait, steal = 1, 4, 5, 8
	var busy uint64
	for i := user; i < len(fields) && i <= steal; i++ {
		if i == idle || i == iowait {
			continue
		}
		ticks, _ := strconv.ParseUint(fields[i], 10, 64)
		busy += ticks
	}
	return busy
}
