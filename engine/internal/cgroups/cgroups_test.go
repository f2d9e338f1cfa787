package cgroups

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// group makes a control group in every hierarchy where this process may.
func group(t *testing.T) string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	parent := fmt.Sprintf("/torpor-test-%d", os.Getpid())
	name := parent + "/" + fmt.Sprintf("g-%d", time.Now().UnixNano())
	made := 0
	for _, root := range hierarchies() {
		if os.MkdirAll(filepath.Join(root, name), 0o755) == nil {
			made++
		}
	}
	if made == 0 {
		t.Skip("no control groups can be made here")
	}
	t.Cleanup(func() { _ = Remove(name, time.Second); _ = Remove(parent, time.Second) })
	return name
}

func TestGroupsAreFoundByName(t *testing.T) {
	name := group(t)
	if found := Find(filepath.Base(name)); len(found) != 1 || found[0] != name {
		t.Errorf("found %v, want %s", found, name)
	}
	if found := Find("no-such-group"); len(found) != 0 {
		t.Errorf("found %v", found)
	}
}

func TestABusyGroupIsOnlyRemovedByForce(t *testing.T) {
	name := group(t)
	command := exec.Command("sleep", "60")
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { _ = command.Wait() }()
	for _, directory := range Directories(name) {
		pid := []byte(strconv.Itoa(command.Process.Pid))
		if err := os.WriteFile(filepath.Join(directory, "cgroup.procs"), pid, 0); err != nil {
			_ = os.Remove(directory)
		}
	}
	if err := RemoveIdle(name, 20*time.Millisecond); err == nil {
		t.Error("a busy group is removed")
	}
	if err := Remove(name, 3*time.Second); err != nil {
		t.Error(err)
	}
	if left := Directories(name); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	if err := Remove(name, 0); err != nil {
		t.Errorf("removing it again: %v", err)
	}
}

func TestFigures(t *testing.T) {
	path := filepath.Join(t.TempDir(), "stat")
	if err := os.WriteFile(path, []byte("cache 5\nrss 7\nodd\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if got := fields(path); got["cache"] != 5 || got["rss"] != 7 || len(got) != 2 {
		t.Errorf("%v", got)
	}
	if _, ok := number(path); ok {
		t.Error("a table is taken for a number")
	}
	if usage := Read("/no-such-group"); usage != (Usage{}) {
		t.Errorf("%+v", usage)
	}
}

func TestMemoryIsWatched(t *testing.T) {
	name := group(t)
	if Unified() {
		t.Skip("needs the memory controller of version 1")
	}
	directory := filepath.Join(mount, "memory", name)
	if err := LetMemoryGrow(name, 128<<20); err != nil {
		t.Fatal(err)
	}
	watch, err := WatchMemory(name, 32<<20)
	if err != nil {
		t.Fatal(err)
	}
	defer watch.Close()
	told := make(chan bool, 100)
	go func() {
		for watch.Wait(0) {
			told <- true
		}
		close(told)
	}()
	take := func(megabytes string) {
		script := "echo $$ > " + directory + "/cgroup.procs; head -c " + megabytes + "M /dev/zero | tail -c +1M > /dev/null; head -c " + megabytes + "M /dev/zero | tail"
		if output, err := exec.Command("sh", "-c", script).CombinedOutput(); err != nil {
			t.Fatalf("%v: %.200s", err, output)
		}
	}
	take("16")
	select {
	case <-told:
		t.Error("told below the limit")
	default:
	}
	take("64")
	select {
	case <-told:
	case <-time.After(60 * time.Second):
		t.Error("not told above the limit")
	}
	if limit, _ := number(filepath.Join(directory, "memory.limit_in_bytes")); limit != 128<<20 {
		t.Errorf("the kernel's limit is %d", limit)
	}
	watch.Close()
	for range told {
	}
}

// The file of version 2 is an ordinary one here: what the kernel does to it is that it changes.
func TestChangesOfEventsAreSeen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "memory.events")
	if err := os.WriteFile(path, []byte("high 0\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	watch, err := watchFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := os.WriteFile(path, []byte("high 1\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		if !watch.Wait(0) {
			t.Error("the watch ended")
		}
	}
	time.AfterFunc(10*time.Millisecond, watch.Close)
	for watch.Wait(0) {
	}
	if _, err := watchFile(path + "-missing"); err == nil {
		t.Error("a missing file is watched")
	}
}

func TestAWatchIsWokenAtOnceOrBeforeItWaits(t *testing.T) {
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close()
	watch := &Watch{signal: reader, buffer: make([]byte, 8)}
	watch.Wake()
	if !watch.Wait(0) {
		t.Error("closed instead of woken")
	}
	woken := make(chan bool)
	go func() { woken <- watch.Wait(0) }()
	select {
	case <-woken:
		t.Error("woken twice by one call")
	case <-time.After(50 * time.Millisecond):
	}
	watch.Wake()
	select {
	case open := <-woken:
		if !open {
			t.Error("closed instead of woken")
		}
	case <-time.After(60 * time.Second):
		t.Fatal("not woken")
	}
	watch.Close()
	watch.Wake()
	if watch.Wait(time.Hour) {
		t.Error("woken after the end")
	}
}
