// Package process starts processes, hands out their output and reaps every child of the agent (protocol.md §3.4).
package process

import (
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// Reaper is the only place that forks and waits. As PID 1 the agent inherits every orphan of the sandbox, so somebody has
// to wait for any child; os/exec, which waits for its own, would lose statuses to that. Fork, reap and kill exclude each
// other: a status never arrives before its process is known, and a signal never meets a recycled pid.
type Reaper struct {
	mu       sync.Mutex
	children map[int]chan<- syscall.WaitStatus // started here and not reaped yet
	signals  chan os.Signal
}

// NewReaper starts reaping. It waits for SIGCHLD, so it costs nothing while nothing happens.
func NewReaper() (*Reaper, error) {
	// PID 1 gets orphans anyway; elsewhere (tests, a developer's machine) they would escape.
	if os.Getpid() != 1 {
		if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
			return nil, fmt.Errorf("becoming the reaper of orphans: %w", err)
		}
	}
	r := &Reaper{
		children: map[int]chan<- syscall.WaitStatus{},
		signals:  make(chan os.Signal, 1), // one pending signal stands for any number of children
	}
	signal.Notify(r.signals, syscall.SIGCHLD)
	go func() {
		for range r.signals {
			r.reap()
		}
	}()
	return r, nil
}

// start forks and executes. The status arrives in exited, which must have room for it.
func (r *Reaper) start(path string, args []string, attr *syscall.ProcAttr, exited chan<- syscall.WaitStatus) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	pid, err := syscall.ForkExec(path, args, attr)
	if err != nil {
		return 0, err
	}
	r.children[pid] = exited
	return pid, nil
}

func (r *Reaper) reap() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, syscall.WNOHANG, nil)
		if err == syscall.EINTR {
			continue
		}
		if err != nil || pid <= 0 {
			return
		}
		if exited, ours := r.children[pid]; ours {
			delete(r.children, pid)
			exited <- status
		}
	}
}

// signalGroup sends a signal to the process group of a process started here. A group outlives its leader, and is then
// still reached; one without members gives ESRCH.
func (r *Reaper) signalGroup(leader int, sig syscall.Signal) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return syscall.Kill(-leader, sig)
}

// killSession kills whatever is in the session of a process started here. Processes that have made a session of their own,
// as daemons do, are left alone.
func (r *Reaper) killSession(leader int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, pid := range membersOf(leader) {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
}

// membersOf looks through all processes; there is no call that names those of a session.
func membersOf(session int) []int {
	var members []int
	for _, pid := range allPIDs() {
		if of, err := sessionOf(pid); err == nil && of == session {
			members = append(members, pid)
		}
	}
	return members
}

func sessionOf(pid int) (int, error) { return unix.Getsid(pid) }

func allPIDs() []int {
	directory, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer directory.Close()
	names, _ := directory.Readdirnames(-1)
	var pids []int
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}
