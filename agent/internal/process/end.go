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
}

// Failed reports whether the end is to be told as an error.
func (e End) Failed() bool { return !e.Exited || e.ExitCode != 0 }

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
