package process

import (
	"strings"
	"time"

	"torpor.dev/agent/internal/journal"
)

func (t *Table) noteStart(p *Process) {
	p.started = time.Now()
	t.journal.Add(journal.Info, "process started", p.fields())
}

func (t *Table) noteEnd(p *Process) {
	fields := p.fields()
	fields["seconds"] = time.Since(p.started).Seconds()
	level := journal.Info
	switch {
	case p.TimedOut():
		fields["error"] = "timeout"
	case p.end.Reason != "":
		fields["error"], level = p.end.Reason, journal.Error
	}
	if p.end.Exited {
		fields["exitCode"] = p.end.ExitCode
	} else {
		fields["signal"] = strings.TrimPrefix(p.end.Status, "signal: ")
	}
	t.journal.Add(level, "process ended", fields)
}

func (p *Process) fields() journal.Fields {
	fields := journal.Fields{
		"pid":     p.pid,
		"command": strings.Join(append([]string{p.spec.Command}, p.spec.Args...), " "),
		"user":    p.spec.User.Name,
	}
	if p.spec.Tag != nil {
		fields["tag"] = *p.spec.Tag
	}
	return fields
}
