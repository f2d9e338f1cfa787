package runtime

import (
	"sync"
	"sync/atomic"
	"time"

	"gvisor.dev/gvisor/runsc/container"

	"torpor.dev/engine/internal/process"
	"torpor.dev/engine/internal/protocol"
)

// execution is one sandbox that this host looks after.
type execution struct {
	id string

	// turn serialises the methods of one execution.
	turn turn
	// ending is set before a planned end, which is then no exit to report.
	ending atomic.Bool

	// mu guards the fields below, so that list and destroy need not wait for a long method.
	mu        sync.Mutex
	container *container.Container
	sandbox   *process.Process
	gofer     *process.Process
	memory    *memoryGuard
	// memoryFiles are held to be measured.
	memoryFiles memoryFiles
	frozen      bool
	bundle      string
	// group is the control group, empty when the state file does not tell.
	group string
	// own is set when this host made the sandbox: its processes are children then, to be reaped.
	own bool
	// complete is set when the execution can be listed: it is made.
	complete bool
}

// attach takes hold of the container's processes. A process that is gone stays nil.
func (e *execution) attach(c *container.Container, own bool, verify func(pid int) bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.container, e.own, e.bundle = c, own, c.BundleDir
	if c.Spec != nil && c.Spec.Linux != nil {
		e.group = c.Spec.Linux.CgroupsPath
	}
	e.frozen = c.Status == container.Paused
	if c.Sandbox != nil {
		e.sandbox = hold(c.Sandbox.Pid.Load(), verify)
	}
	e.gofer = hold(c.GoferPid.Load(), verify)
	if e.sandbox != nil {
		e.memoryFiles = openMemoryFiles(e.sandbox.PID)
	}
}

// hold opens the process and only then verifies it, so that the id cannot change hands in between.
func hold(pid int, verify func(pid int) bool) *process.Process {
	if pid <= 0 {
		return nil
	}
	p, err := process.Open(pid)
	if err != nil {
		return nil
	}
	if !verify(pid) {
		p.Close()
		return nil
	}
	return p
}

// finish makes the execution visible to the caller.
func (e *execution) finish() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.complete = true
}

func (e *execution) listed() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.complete
}

func (e *execution) setFrozen(frozen bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.frozen = frozen
	if !frozen && e.memory != nil {
		// Nobody looks at the memory of a frozen one.
		e.memory.watch.Wake()
	}
}

// runtimeContainer is for methods that take no turn; nil after destroy and for a ruin.
func (e *execution) runtimeContainer() *container.Container {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.container
}

func (e *execution) setGroup(group string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.group = group
}

func (e *execution) controlGroup() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.group
}

// status is the state as the caller sees it: a dead sandbox is stopped whatever its state file says.
func (e *execution) status() protocol.Status {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.sandbox == nil || !e.sandbox.Alive():
		return protocol.Stopped
	case e.frozen:
		return protocol.Frozen
	default:
		return protocol.Running
	}
}

func (e *execution) describe() protocol.Execution {
	status := e.status()
	e.mu.Lock()
	defer e.mu.Unlock()
	pid := 0
	if status != protocol.Stopped {
		pid = e.sandbox.PID
	}
	return protocol.Execution{Execution: e.id, Status: status, PID: pid, Bundle: e.bundle}
}

// processes are those that this host holds.
func (e *execution) processes() []*process.Process {
	e.mu.Lock()
	defer e.mu.Unlock()
	var held []*process.Process
	for _, p := range []*process.Process{e.sandbox, e.gofer} {
		if p != nil {
			held = append(held, p)
		}
	}
	return held
}

// kill ends the sandbox's processes at once. A method that waits for the sandbox fails thereby and gives up its turn.
func (e *execution) kill() {
	for _, p := range e.processes() {
		_ = p.Kill()
	}
}

// gone waits for the end of the processes that this host holds.
func (e *execution) gone(limit time.Duration) bool {
	deadline := time.Now().Add(limit)
	for _, p := range e.processes() {
		if !p.WaitFor(time.Until(deadline)) {
			return false
		}
	}
	return true
}
