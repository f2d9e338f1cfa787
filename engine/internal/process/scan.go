package process

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strconv"
)

// The names that the runtime gives its processes.
var runtimeNames = []string{"runsc-sandbox", "runsc-gofer"}

// Belonging is a process of the runtime and the execution it works for.
type Belonging struct {
	PID       int
	Execution string
}

// Scan finds the runtime's processes that work for executions of one root directory, by their command lines.
func Scan(root string) ([]Belonging, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	var found []Belonging
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		if execution, ok := WorksFor(pid, root); ok {
			found = append(found, Belonging{PID: pid, Execution: execution})
		}
	}
	return found, nil
}

// WorksFor tells which execution of the root directory a process works for, if any.
func WorksFor(pid int, root string) (execution string, ok bool) {
	line, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cmdline"))
	if err != nil {
		return "", false
	}
	return parseCommandLine(line, root)
}

// parseCommandLine relies on what the runtime always does: a name of its own, the root as a flag, the id as last argument.
func parseCommandLine(line []byte, root string) (execution string, ok bool) {
	var args []string
	for arg := range bytes.SplitSeq(bytes.TrimRight(line, "\x00"), []byte{0}) {
		args = append(args, string(arg))
	}
	named := slices.ContainsFunc(args[:min(3, len(args))], func(arg string) bool { return slices.Contains(runtimeNames, arg) })
	if !named || !slices.Contains(args, "--root="+root) {
		return "", false
	}
	return args[len(args)-1], true
}
