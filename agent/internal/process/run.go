package process

import (
	"context"
	"syscall"
)

// Run runs a process to its end without showing it to anybody: it is not listed, reads nothing, and its output is
// dropped. When the context ends first, the process and its group are killed and the error is that of the context. It
// returns a *StartError for a process that cannot be started.
func (t *Table) Run(ctx context.Context, spec Spec) (End, error) {
	null, err := t.null.descriptor()
	if err != nil {
		return End{}, &StartError{text: "opening /dev/null: " + err.Error(), cause: err}
	}
	exited := make(chan syscall.WaitStatus, 1)
	files := [3]uintptr{null, null, null}
	pid, err := t.reaper.start(spec.Command, append([]string{spec.Command}, spec.Args...), attributes(spec, files), exited)
	if err != nil {
		return End{}, startFailure(spec, err)
	}
	select {
	case status := <-exited:
		return endOf(status), nil
	case <-ctx.Done():
		_ = t.reaper.signalGroup(pid, syscall.SIGKILL)
		return End{}, ctx.Err()
	}
}
