package cgroups

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Usage is what a group uses now, and has used.
type Usage struct {
	// MemoryBytes leaves out what the kernel can drop at once: cached file pages.
	MemoryBytes int64
	// ChargedBytes is all that the kernel holds against the limit.
	ChargedBytes   int64
	CPUNanoseconds int64
	Tasks          int
	// HasMemory is false when no memory controller counts the group.
	HasMemory bool
}

// Charged is Usage.ChargedBytes alone, which takes a twentieth of the time of all figures.
func Charged(group string) int64 {
	path := filepath.Join(mount, "memory", group, "memory.usage_in_bytes")
	if Unified() {
		path = filepath.Join(mount, group, "memory.current")
	}
	charged, _ := number(path)
	return charged
}

// Read collects the figures of a group; a controller that is missing counts nothing.
func Read(group string) Usage {
	if Unified() {
		return readUnified(filepath.Join(mount, group))
	}
	memory := filepath.Join(mount, "memory", group)
	used, present := number(filepath.Join(memory, "memory.usage_in_bytes"))
	spent, _ := number(filepath.Join(mount, "cpuacct", group, "cpuacct.usage"))
	tasks, _ := number(filepath.Join(mount, "pids", group, "pids.current"))
	stat := fields(filepath.Join(memory, "memory.stat"))
	cached := stat["total_active_file"] + stat["total_inactive_file"]
	return usage(used, cached, spent, tasks, present)
}

func usage(used, cached, spent, tasks int64, present bool) Usage {
	return Usage{MemoryBytes: max(0, used-cached), ChargedBytes: used, CPUNanoseconds: spent, Tasks: int(tasks), HasMemory: present}
}

func readUnified(directory string) Usage {
	used, present := number(filepath.Join(directory, "memory.current"))
	tasks, _ := number(filepath.Join(directory, "pids.current"))
	stat := fields(filepath.Join(directory, "memory.stat"))
	cached := stat["active_file"] + stat["inactive_file"]
	spent := fields(filepath.Join(directory, "cpu.stat"))["usage_usec"] * 1000
	return usage(used, cached, spent, tasks, present)
}

func number(path string) (value int64, ok bool) {
	content, err := os.ReadFile(path)
	if err != nil {
		return 0, false
	}
	value, err = strconv.ParseInt(strings.TrimSpace(string(content)), 10, 64)
	return value, err == nil
}

func fields(path string) map[string]int64 {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	values := map[string]int64{}
	for line := range strings.Lines(string(content)) {
		name, text, _ := strings.Cut(strings.TrimSpace(line), " ")
		if value, err := strconv.ParseInt(text, 10, 64); err == nil {
			values[name] = value
		}
	}
	return values
}

// Members are the processes of a group.
func Members(group string) []int {
	if Unified() {
		return members(filepath.Join(mount, group))
	}
	return members(filepath.Join(mount, "memory", group))
}

func members(directory string) []int {
	content, err := os.ReadFile(filepath.Join(directory, "cgroup.procs"))
	if err != nil {
		return nil
	}
	var list []int
	for text := range strings.FieldsSeq(string(content)) {
		if pid, err := strconv.Atoi(text); err == nil {
			list = append(list, pid)
		}
	}
	return list
}

// killMembers ends the processes of a group that stand in the way of its removal, but never this one.
func killMembers(directory string) error {
	var failures []error
	for _, pid := range members(directory) {
		if pid <= 1 || pid == os.Getpid() {
			continue
		}
		if err := unix.Kill(pid, unix.SIGKILL); err != nil && !errors.Is(err, unix.ESRCH) {
			failures = append(failures, err)
		}
	}
	return errors.Join(failures...)
}

// Find looks for groups of that name, for executions whose state no longer tells where theirs is.
func Find(name string) []string {
	const deepest = 4
	groups := map[string]bool{}
	for _, root := range hierarchies() {
		pattern := root
		for range deepest {
			pattern = filepath.Join(pattern, "*")
			found, _ := filepath.Glob(filepath.Join(filepath.Dir(pattern), name))
			for _, directory := range found {
				groups[strings.TrimPrefix(directory, root)] = true
			}
		}
	}
	var list []string
	for group := range groups {
		list = append(list, group)
	}
	return list
}
