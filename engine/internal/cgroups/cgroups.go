// Package cgroups looks after the control groups of executions where the runtime does not: leftovers and figures.
package cgroups

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// mount is where the control group file systems are.
const mount = "/sys/fs/cgroup"

// Unified reports whether the machine has version 2 alone.
func Unified() bool {
	var stat unix.Statfs_t
	return unix.Statfs(mount, &stat) == nil && stat.Type == unix.CGROUP2_SUPER_MAGIC
}

// hierarchies are the roots of all trees in which a group can lie.
func hierarchies() []string {
	if Unified() {
		return []string{mount}
	}
	found, err := filepath.Glob(filepath.Join(mount, "*", "cgroup.procs"))
	if err != nil {
		return nil
	}
	var roots []string
	for _, procs := range found {
		roots = append(roots, filepath.Dir(procs))
	}
	return roots
}

// Directories are the existing directories of the group, one per hierarchy.
func Directories(group string) []string {
	var existing []string
	for _, root := range hierarchies() {
		directory := filepath.Join(root, group)
		if info, err := os.Stat(directory); err == nil && info.IsDir() {
			existing = append(existing, directory)
		}
	}
	return existing
}

// Remove takes the group's directories away, and kills what is still in them. A missing group is success.
func Remove(group string, limit time.Duration) error {
	return remove(group, limit, killMembers)
}

// RemoveIdle takes the group's directories away unless something runs in it.
func RemoveIdle(group string, limit time.Duration) error {
	return remove(group, limit, func(string) error { return nil })
}

func remove(group string, limit time.Duration, clear func(directory string) error) error {
	deadline := time.Now().Add(limit)
	for pause := time.Millisecond; ; pause = min(2*pause, 50*time.Millisecond) {
		err := removeOnce(group, clear)
		if err == nil || time.Now().After(deadline) {
			return err
		}
		time.Sleep(pause)
	}
}

func removeOnce(group string, clear func(directory string) error) error {
	var failures []error
	for _, directory := range Directories(group) {
		err := unix.Rmdir(directory)
		if err == nil || errors.Is(err, unix.ENOENT) {
			continue
		}
		failures = append(failures, fmt.Errorf("removing control group %s: %w", directory, err), clear(directory))
	}
	return errors.Join(failures...)
}

// PrepareParents makes the groups above one on version 2. Otherwise the first sandbox below would own them, and its end
// would wait in vain for the others to leave.
func PrepareParents(group string) error {
	if !Unified() {
		return nil
	}
	current := mount
	for name := range strings.SplitSeq(strings.Trim(filepath.Dir(group), "/"), "/") {
		delegate(current)
		current = filepath.Join(current, name)
		if err := os.MkdirAll(current, 0o755); err != nil {
			return fmt.Errorf("making control group: %w", err)
		}
	}
	delegate(current)
	return nil
}

// delegate switches controllers on for the children. One by one: a missing one must not take the others with it.
func delegate(directory string) {
	for _, controller := range []string{"cpu", "cpuset", "io", "memory", "pids"} {
		_ = os.WriteFile(filepath.Join(directory, "cgroup.subtree_control"), []byte("+"+controller), 0)
	}
}
