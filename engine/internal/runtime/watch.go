package runtime

import "context"

// unknownCode is the exit code of a sandbox that was not this host's child.
const unknownCode = -1

// watch waits for the end of the sandbox and reports it when nobody asked for it.
func (h *Host) watch(e *execution) {
	e.mu.Lock()
	sandbox := e.sandbox
	e.mu.Unlock()
	if sandbox == nil || !sandbox.Wait() {
		return
	}
	// A method that was talking to the sandbox fails now and gives up its turn.
	e.turn.take(context.Background())
	defer e.turn.give()
	if e.ending.Load() {
		return
	}
	code := e.exitCode()
	h.log.Warn("an execution ended by itself", "execution", e.id, "status", code, "detail", h.logTail(e.id))
	h.exited(e.id, code)
}

// exitCode reaps the sandbox if it is a child of this host. A signal counts as 128 and its number, as in a shell.
func (e *execution) exitCode() int {
	if !e.own {
		return unknownCode
	}
	status, err := e.container.Wait()
	switch {
	case err != nil:
		return unknownCode
	case status.Signaled():
		return 128 + int(status.Signal())
	default:
		return status.ExitStatus()
	}
}
