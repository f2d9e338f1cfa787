package runtime

import (
	"errors"
	"fmt"

	"gvisor.dev/gvisor/runsc/container"
)

// Adopt takes over the executions of an earlier host on the same root, and clears away those that it had not finished.
func (h *Host) Adopt() error {
	ids, err := container.ListSandboxes(h.settings.Root)
	if err != nil {
		return fmt.Errorf("listing the runtime's state: %w", err)
	}
	for _, id := range ids {
		if err := h.adoptOne(id); err != nil {
			h.log.Error("an execution could not be taken over", "execution", id.SandboxID, "detail", err.Error())
		}
	}
	return h.clearStrays()
}

// clearStrays ends processes without an execution: a host died before it had written the state of what it made.
func (h *Host) clearStrays() error {
	strays := map[string]bool{}
	err := h.killProcesses(func(execution string) bool {
		_, known := h.find(execution)
		strays[execution] = !known
		return !known
	})
	failures := []error{err}
	for id, stray := range strays {
		if stray {
			h.log.Warn("cleared away an execution that was never finished", "execution", id)
			failures = append(failures, removeStrayGroups(id), h.sweep(id))
		}
	}
	return errors.Join(failures...)
}

func (h *Host) adoptOne(id container.FullID) error {
	e, err := h.claim(id.SandboxID)
	if err != nil {
		return err
	}
	defer e.turn.give()
	c, err := load(h.settings.Root, id)
	if err != nil {
		h.log.Warn("the state of an execution is unreadable", "execution", e.id, "detail", err.Error())
		return h.adoptRuin(e)
	}
	e.attach(c, false, h.verifier(e.id))
	if c.Status != container.Running && c.Status != container.Paused {
		h.log.Warn("cleared away an execution that was never finished", "execution", e.id)
		defer h.forget(e)
		return h.demolish(e)
	}
	e.finish()
	h.log.Info("took over an execution", "execution", e.id, "status", e.status())
	if e.sandbox != nil {
		go h.watch(e)
		go h.tellShortages(e)
	}
	return nil
}

// adoptRuin ends what is left of an execution whose state cannot be read, and keeps it as a stopped one for the caller.
func (h *Host) adoptRuin(e *execution) error {
	defer e.finish()
	return errors.Join(h.killProcesses(func(execution string) bool { return execution == e.id }), removeStrayGroups(e.id))
}

// load reads a state file; the runtime trusts its content more than a torn one deserves.
func load(root string, id container.FullID) (c *container.Container, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			c, err = nil, fmt.Errorf("torn state file: %v", cause)
		}
	}()
	c, err = container.Load(root, id, container.LoadOpts{Exact: true, SkipCheck: true})
	if err == nil && (c.ID != id.ContainerID || c.Spec == nil || c.Sandbox == nil) {
		return nil, errors.New("incomplete state file")
	}
	return c, err
}
