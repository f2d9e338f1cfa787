package process

import (
	"bytes"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"torpor.dev/agent/internal/journal"
)

// outOfMemory is the error of a process that was ended to give its memory to the others.
const outOfMemory = "killed: the sandbox ran out of memory"

// Victim is a process that was killed to free memory.
type Victim struct {
	PID      int    `json:"pid"`
	Command  string `json:"command"`
	RSSBytes int64  `json:"rssBytes"`
}

// goneTime is how long is waited for a victim to give its memory back; goneCheck how often that is looked at.
const (
	goneTime  = time.Second
	goneCheck = 2 * time.Millisecond
)

// blameTime is how long after the kill of a helper the end of a process is taken for its consequence.
const blameTime = 10 * time.Second

// KillBiggest kills the process with the largest resident memory among all that descend from the agent: in a sandbox, all
// but itself. The end of the process that was started here, if the victim is one or works for one, says why. It returns when the
// victim has given its memory back, and is false when there is none of at least so many bytes.
func (t *Table) KillBiggest(least int64) (Victim, bool) {
	victim, found := t.killBiggest(least)
	if !found {
		t.journal.Add(journal.Error, "memory is full, and no process takes much of it: remove files from /dev/shm or other tmpfs", nil)
		return victim, false
	}
	t.journal.Add(journal.Error, "process killed: out of memory", journal.Fields{
		"pid": victim.PID, "command": victim.Command, "rssBytes": victim.RSSBytes,
	})
	for end := time.Now().Add(goneTime); residentOf(victim.PID) > 0 && time.Now().Before(end); {
		time.Sleep(goneCheck)
	}
	return victim, true
}

// killBiggest lets nothing be reaped meanwhile: a pid must not go to another process, nor an end be told before its reason.
func (t *Table) killBiggest(least int64) (Victim, bool) {
	t.reaper.mu.Lock()
	defer t.reaper.mu.Unlock()
	victim, found := biggest(os.Getpid())
	if !found || victim.RSSBytes < least {
		return Victim{}, false
	}
	leader, _ := sessionOf(victim.PID)
	for _, pid := range []int{victim.PID, leader} {
		if p, err := t.FindLive(Selector{PID: pid}); err == nil {
			p.starved.Store(time.Now().UnixNano())
			break
		}
	}
	return victim, syscall.Kill(victim.PID, syscall.SIGKILL) == nil
}

func biggest(ancestor int) (victim Victim, found bool) {
	parents := map[int]int{}
	for _, pid := range allPIDs() {
		parents[pid] = parentOf(pid)
	}
	for pid := range parents {
		if pid == ancestor || !descends(pid, ancestor, parents) {
			continue
		}
		if size := residentOf(pid); size > victim.RSSBytes {
			victim, found = Victim{PID: pid, RSSBytes: size}, true
		}
	}
	victim.Command = commandOf(victim.PID)
	return victim, found
}

func descends(pid, ancestor int, parents map[int]int) bool {
	for range len(parents) {
		parent, known := parents[pid]
		if !known || parent == ancestor {
			return known
		}
		pid = parent
	}
	return false
}

// parentOf reads the field that follows the state, which follows the name in brackets, which may have brackets too.
func parentOf(pid int) int {
	content, _ := os.ReadFile(procFile(pid, "stat"))
	fields := strings.Fields(string(content[bytes.LastIndexByte(content, ')')+1:]))
	if len(fields) < 2 {
		return 0
	}
	parent, _ := strconv.Atoi(fields[1])
	return parent
}

func residentOf(pid int) int64 {
	content, _ := os.ReadFile(procFile(pid, "statm"))
	fields := strings.Fields(string(content))
	if len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.ParseInt(fields[1], 10, 64)
	return pages * int64(os.Getpagesize())
}

func commandOf(pid int) string {
	content, _ := os.ReadFile(procFile(pid, "cmdline"))
	return strings.TrimSpace(strings.ReplaceAll(string(content), "\x00", " "))
}

func procFile(pid int, name string) string { return "/proc/" + strconv.Itoa(pid) + "/" + name }
