// Package runtime keeps executions: sandboxes of the embedded gVisor runtime, each with its processes, group and state.
package runtime

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"gvisor.dev/gvisor/runsc/config"
	"gvisor.dev/gvisor/runsc/flag"

	"torpor.dev/engine/internal/protocol"
)

// Settings are what one host is told at its start.
type Settings struct {
	// Root holds the runtime's state files.
	Root string
	// LogDirectory holds a directory of logs per execution.
	LogDirectory string
	// VersionID is the identity of the build.
	VersionID string
	// Debug keeps verbose logs of each sandbox. They are unbounded: for the developer's machine only.
	Debug bool
}

// The files in an execution's log directory. What a healthy sandbox writes there is nothing, whatever the code in it does.
const (
	fatalLog = "fatal.log"
	panicLog = "panic.log"
)

func (s Settings) logs(execution string) string {
	return filepath.Join(s.LogDirectory, execution)
}

// flags are the runtime's settings for one execution. All that is not named here stays at the runtime's own default,
// which keeps host sockets, host FIFOs, raw sockets and host devices away from the sandbox.
func (s Settings) flags(request protocol.Start) map[string]string {
	logs := s.logs(request.Execution)
	values := map[string]string{
		"root":     s.Root,
		"platform": "systrap",
		"network":  "sandbox",
		"overlay2": fmt.Sprintf("root:dir=%s,size=%s", request.OverlayDirectory, strconv.FormatInt(request.DiskBytes, 10)),
		// Needed for sudo inside; it raises nothing outside.
		"allow-suid": "true",
		// Two clones of one connection would talk over each other.
		"allow-live-tcp-migration": "false",
		// Only advice, and it costs time at every start.
		"host-settings": "ignore",
		"log":           filepath.Join(logs, fatalLog),
		"panic-log":     filepath.Join(logs, panicLog),
	}
	if s.Debug {
		values["debug"] = "true"
		values["debug-log"] = logs + "/"
	}
	return values
}

// configure makes the runtime's configuration for one execution, and the directory of its logs.
func (s Settings) configure(request protocol.Start) (*config.Config, error) {
	if err := os.MkdirAll(s.logs(request.Execution), 0o700); err != nil {
		return nil, fmt.Errorf("making the log directory: %w", err)
	}
	set := flag.NewFlagSet("runtime", flag.ContinueOnError)
	config.RegisterFlags(set)
	for name, value := range s.flags(request) {
		if err := set.Set(name, value); err != nil {
			return nil, fmt.Errorf("setting %s: %w", name, err)
		}
	}
	return config.NewFromFlags(set)
}
