// Package metrics answers GET /metrics (protocol.md §3.2).
package metrics

import (
	"fmt"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"torpor.dev/agent/internal/reply"
)

const mebibyte = 1 << 20

// sample is the answer; sizes are in bytes unless they say MiB.
type sample struct {
	Timestamp   int64   `json:"ts"` // unix seconds
	CPUCount    int     `json:"cpu_count"`
	CPUUsedPct  float64 `json:"cpu_used_pct"` // of one CPU: two busy ones are 200
	MemTotal    uint64  `json:"mem_total"`
	MemUsed     uint64  `json:"mem_used"`
	MemCache    uint64  `json:"mem_cache"`
	MemTotalMiB uint64  `json:"mem_total_mib"`
	MemUsedMiB  uint64  `json:"mem_used_mib"`
	DiskUsed    uint64  `json:"disk_used"`
	DiskTotal   uint64  `json:"disk_total"`
}

// Handler measures when it is asked and only then. The CPU use is that since the last call, or since the start.
func Handler() http.Handler {
	meter := newCPUMeter("/proc", time.Now())
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		s, err := measure(meter)
		if err != nil {
			reply.Error(w, http.StatusInternalServerError, err.Error())
			return
		}
		reply.JSON(w, http.StatusOK, s)
	})
}

func measure(meter *cpuMeter) (*sample, error) {
	memory, err := readMemory(filepath.Join(meter.proc, "meminfo"))
	if err != nil {
		return nil, err
	}
	var disk syscall.Statfs_t
	if err := syscall.Statfs("/", &disk); err != nil {
		return nil, os.NewSyscallError("statfs", err)
	}
	now := time.Now()
	blockSize := uint64(disk.Frsize)
	return &sample{
		Timestamp:   now.Unix(),
		CPUCount:    runtime.NumCPU(),
		CPUUsedPct:  math.Round(meter.usedPct(now)*100) / 100,
		MemTotal:    memory.total,
		MemUsed:     memory.used,
		MemCache:    memory.cached,
		MemTotalMiB: memory.total / mebibyte,
		MemUsedMiB:  memory.used / mebibyte,
		DiskUsed:    (disk.Blocks - disk.Bfree) * blockSize,
		DiskTotal:   disk.Blocks * blockSize,
	}, nil
}

type memory struct{ total, used, cached uint64 }

// readMemory counts as used what is neither free nor a cache.
func readMemory(path string) (memory, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return memory{}, err
	}
	kibibytes := map[string]uint64{}
	for line := range strings.Lines(string(content)) {
		name, rest, _ := strings.Cut(line, ":")
		if fields := strings.Fields(rest); len(fields) > 0 {
			kibibytes[name], _ = strconv.ParseUint(fields[0], 10, 64)
		}
	}
	total := kibibytes["MemTotal"]
	if total == 0 {
		return memory{}, fmt.Errorf("%s does not tell the memory", path)
	}
	idle := kibibytes["MemFree"] + kibibytes["Buffers"] + kibibytes["Cached"]
	used := total - min(idle, total)
	return memory{total: total << 10, used: used << 10, cached: kibibytes["Cached"] << 10}, nil
}
