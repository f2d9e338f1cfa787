package runtime

import (
	"fmt"
	"log/slog"
	"time"

	gvisorlog "gvisor.dev/gvisor/pkg/log"
)

// Quieten decides what becomes of the embedded runtime's own messages: nothing, or part of the log for debugging. They do
// not say which execution they are about, and what matters of them comes back as an error anyway.
func Quieten(log *slog.Logger, debug bool) {
	gvisorlog.SetTarget(emitter{log: log, debug: debug})
}

type emitter struct {
	log   *slog.Logger
	debug bool
}

// Emit implements the runtime's log.Emitter.
func (e emitter) Emit(_ int, _ gvisorlog.Level, _ time.Time, format string, values ...any) {
	if e.debug {
		e.log.Info(fmt.Sprintf(format, values...), "source", "runtime")
	}
}
