package process

import (
	"strconv"
	"syscall"
)

// End is how a process ended, in the words of protocol.md §3.4.
type End struct {
	ExitCode int    // -1 when a signal ended it
	Exited   bool   // by itself
	Status   string // "exit status 0", "signal: killed"
	Reason   string // of a kill by the agent: "killed: the sandbox ran out of memory"; usually empty
}

// Failed reports whether the end is to be told as an error.
func (e End) Failed() bool { return !e.Exited || e.ExitCode != 0 }

// Failure is what a failed end is told as.
func (e End) Failure() string {
	if e.Reason != "" {
		return e.Reason
	}
	return e.Status
}

func endOf(status syscall.WaitStatus) End {
	if status.Signaled() {
		text := "signal: " + status.Signal().String()
		if status.CoreDump() {
			text += " (core dumped)"
		}
		return End{ExitCode: -1, Status: text}
	}
	code := status.ExitStatus()
	return End{ExitCode: code, Exited: true, Status: "exit status " + strconv.Itoa(code)}
}
