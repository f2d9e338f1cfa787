package main

import (
	"log/slog"
	"os"
	"syscall"
)

// takeStdio keeps stderr for the log and gives the runtime /dev/null instead: it hands its own stdio on to sandboxes,
// which would hold the caller's pipes open for ever. The environment goes too, it is nobody's business in there.
// The log works even when the rest fails.
func takeStdio() (*slog.Logger, error) {
	log := slog.New(slog.NewJSONHandler(os.Stderr, nil))
	for _, descriptor := range []int{0, 1, 2} {
		syscall.CloseOnExec(descriptor)
	}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return log, err
	}
	os.Stdin, os.Stdout, os.Stderr = null, null, null
	os.Clearenv()
	return log, nil
}
