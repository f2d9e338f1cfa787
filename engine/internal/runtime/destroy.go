package runtime

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"torpor.dev/engine/internal/cgroups"
	"torpor.dev/engine/internal/process"
	"torpor.dev/engine/internal/protocol"
)

// The parts of destroy's time.
const (
	turnLimit  = 10 * time.Second
	endLimit   = 2 * time.Second
	groupLimit = 2 * time.Second
)

// Destroy ends an execution and removes all traces of it. It overtakes whatever method runs.
func (h *Host) Destroy(request protocol.Target) (protocol.Empty, error) {
	e, ok := h.find(request.Execution)
	if !ok {
		return protocol.Empty{}, h.destroyUnknown(request.Execution)
	}
	e.ending.Store(true)
	e.kill()
	ctx, cancel := within(turnLimit)()
	defer cancel()
	if !e.turn.take(ctx) {
		return protocol.Empty{}, protocol.Errorf(protocol.TimedOut, "A method of the execution does not end although its processes are killed.")
	}
	defer e.turn.give()
	if current, ok := h.find(e.id); !ok || current != e {
		return protocol.Empty{}, nil
	}
	if err := h.demolish(e); err != nil {
		return protocol.Empty{}, protocol.Wrap(err, "The execution could not be destroyed completely.")
	}
	h.forget(e)
	return protocol.Empty{}, nil
}

// demolish does the work of destroy, as often as it is asked to. The caller has the execution's turn. The state files go
// last: while they are there, another host can find what is left.
func (h *Host) demolish(e *execution) error {
	e.ending.Store(true)
	e.kill()
	if !e.gone(endLimit) {
		return errors.New("its processes do not end")
	}
	// Before the runtime does it, which would look again only every 100 ms, for 5 s.
	if group := e.controlGroup(); group != "" {
		if err := cgroups.Remove(group, groupLimit); err != nil {
			return err
		}
	}
	if err := e.release(); err != nil {
		h.log.Warn("the runtime could not clean up by itself", "execution", e.id, "detail", err.Error())
	}
	return h.sweep(e.id)
}

// release lets the runtime clean up after processes that have ended. Of those that are not our children it must not even
// know the ids: they may be someone else's by now.
func (e *execution) release() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, p := range []*process.Process{e.sandbox, e.gofer} {
		if p != nil {
			p.Close()
		}
	}
	e.sandbox, e.gofer = nil, nil
	e.memoryFiles.close()
	e.memoryFiles = nil
	if e.memory != nil {
		e.memory.watch.Close()
		e.memory = nil
	}
	c := e.container
	if c == nil {
		return nil
	}
	e.container = nil
	if !e.own {
		c.GoferPid.Store(0)
		if c.Sandbox != nil {
			c.Sandbox.Pid.Store(0)
		}
	}
	return c.Destroy()
}

// destroyUnknown cleans up after an id that has no execution here: perhaps a host died while it made one.
func (h *Host) destroyUnknown(id string) error {
	if err := h.killProcesses(func(execution string) bool { return execution == id }); err != nil {
		return protocol.Wrap(err, "The execution's processes could not be ended.")
	}
	if err := errors.Join(removeStrayGroups(id), h.sweep(id)); err != nil {
		return protocol.Wrap(err, "The execution could not be destroyed completely.")
	}
	return nil
}

// removeStrayGroups removes idle control groups that bear the execution's name, where no state tells which is the one.
func removeStrayGroups(id string) error {
	var failures []error
	for _, group := range cgroups.Find(id) {
		failures = append(failures, cgroups.RemoveIdle(group, groupLimit))
	}
	return errors.Join(failures...)
}

// killProcesses ends the runtime's processes that work for the chosen executions of this root.
func (h *Host) killProcesses(chosen func(execution string) bool) error {
	found, err := process.Scan(h.settings.Root)
	if err != nil {
		return err
	}
	var failures []error
	for _, belonging := range found {
		if !chosen(belonging.Execution) {
			continue
		}
		p := hold(belonging.PID, h.verifier(belonging.Execution))
		if p == nil {
			continue
		}
		failures = append(failures, p.Kill())
		if !p.WaitFor(endLimit) {
			failures = append(failures, fmt.Errorf("process %d does not end", p.PID))
		}
		p.Close()
	}
	return errors.Join(failures...)
}

// verifier tells whether a process id belongs to a process of the execution.
func (h *Host) verifier(id string) func(pid int) bool {
	return func(pid int) bool {
		execution, ok := process.WorksFor(pid, h.settings.Root)
		return ok && execution == id
	}
}

// sweep removes the files of an execution that may have been left half written.
func (h *Host) sweep(id string) error {
	var failures []error
	for _, name := range stateFiles(id) {
		if err := os.Remove(filepath.Join(h.settings.Root, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			failures = append(failures, err)
		}
	}
	failures = append(failures, os.RemoveAll(h.settings.logs(id)))
	return errors.Join(failures...)
}

// stateFiles are the names that the runtime gives the files of an execution.
func stateFiles(id string) []string {
	name := fmt.Sprintf("%s_sandbox:%s", id, id)
	return []string{name + ".state", name + ".lock", "runsc-" + id + ".sock"}
}
