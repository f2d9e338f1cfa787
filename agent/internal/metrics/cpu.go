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

// busyTicks is the CPU time of the whole system. gVisor keeps no such sum and shows zeros; there it is added up from the
// processes.
func busyTicks(proc string) uint64 {
	content, _ := os.ReadFile(filepath.Join(proc, "stat"))
	first, _, _ := strings.Cut(string(content), "\n")
	fields := strings.Fields(first)
	const user, idle, iowait, steal = 1, 4, 5, 8
	var busy, all uint64
	for i := user; i < len(fields) && i <= steal; i++ {
		ticks, _ := strconv.ParseUint(fields[i], 10, 64)
		all += ticks
		if i != idle && i != iowait {
			busy += ticks
		}
	}
	if all > 0 {
		return busy
	}
	return ticksOfProcesses(proc)
}

// ticksOfProcesses adds up what the processes used, with what their reaped children used.
func ticksOfProcesses(proc string) uint64 {
	directory, err := os.Open(proc)
	if err != nil {
		return 0
	}
	defer directory.Close()
	names, _ := directory.Readdirnames(-1)
	var sum uint64
	for _, name := range names {
		if name[0] < '0' || name[0] > '9' {
			continue
		}
		if content, err := os.ReadFile(filepath.Join(proc, name, "stat")); err == nil {
			sum += ticksOf(string(content))
		}
	}
	return sum
}

// ticksOf reads utime, stime, cutime and cstime, the 14th to 17th field. The second, a name in parentheses, may hold
// spaces, so counting starts behind it.
func ticksOf(stat string) uint64 {
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	const utime, cstime = 11, 14
	var sum uint64
	for i := utime; i <= cstime && i < len(fields); i++ {
		ticks, _ := strconv.ParseUint(fields[i], 10, 64)
		sum += ticks
	}
	return sum
}
