package process

import (
	"cmp"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"torpor.dev/agent/internal/journal"
)

// The end of a process and the output that is kept of it can still be asked for this long, of so many processes.
const (
	retention   = 10 * time.Minute
	maxRetained = 100
)

// NotFoundError says that no such process was started here; the text is that of protocol.md §3.4.
type NotFoundError struct{ selector string }

func (e *NotFoundError) Error() string { return "process with " + e.selector + " not found" }

// Table knows the processes that live and, for a while, those that ended. It is safe for concurrent use.
type Table struct {
	reaper    *Reaper
	journal   *journal.Journal
	null      devNull
	retention time.Duration
	budget    *budget
	kept      atomic.Int64 // of the output of one process

	mu      sync.Mutex
	byPID   map[int]*Process
	retired []*Process // ended ones, the oldest first
}

// NewTable makes an empty table whose processes the reaper waits for and the journal tells of.
func NewTable(reaper *Reaper, journal *journal.Journal) *Table {
	t := &Table{reaper: reaper, journal: journal, retention: retention, byPID: map[int]*Process{}}
	t.budget = newBudget(totalKept, t.relieve)
	t.kept.Store(usualKept)
	return t
}

// KeepOutput sets how many bytes of output are kept of each process that is started from now on.
func (t *Table) KeepOutput(bytes int64) {
	t.kept.Store(bytes)
	t.budget.limit.Store(max(totalKept, 2*bytes))
}

// Selector names a process: by tag when there is one, else by pid.
type Selector struct {
	PID int
	Tag *string
}

func (s Selector) notFound() error {
	if s.Tag != nil {
		return &NotFoundError{selector: "tag " + *s.Tag}
	}
	return &NotFoundError{selector: fmt.Sprintf("pid %d", s.PID)}
}

// Find returns a process that lives or ended a short time ago, or a *NotFoundError.
func (t *Table) Find(selector Selector) (*Process, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	var found *Process
	if selector.Tag == nil {
		found = t.byPID[selector.PID]
	} else {
		for _, p := range t.byPID {
			if p.hasTag(*selector.Tag) && (found == nil || p.before(found)) {
				found = p
			}
		}
	}
	if found == nil {
		return nil, selector.notFound()
	}
	return found, nil
}

// FindLive returns a process that is not over, or a *NotFoundError.
func (t *Table) FindLive(selector Selector) (*Process, error) {
	p, err := t.Find(selector)
	if err != nil {
		return nil, err
	}
	if p.over() {
		return nil, selector.notFound()
	}
	return p, nil
}

// Live lists the processes that are not over, by pid.
func (t *Table) Live() []*Process {
	t.mu.Lock()
	defer t.mu.Unlock()
	live := []*Process{}
	for _, p := range t.byPID {
		if !p.over() {
			live = append(live, p)
		}
	}
	slices.SortFunc(live, func(a, b *Process) int { return cmp.Compare(a.pid, b.pid) })
	return live
}

func (t *Table) add(p *Process) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.byPID[p.pid] = p
}

// retire keeps an ended process for those who come late. The oldest are forgotten: all in time, earlier when there are too
// many, and their output when the living need the room.
func (t *Table) retire(p *Process) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.retired = append(t.retired, p)
	if len(t.retired) > maxRetained {
		t.forget(t.retired[0])
	}
	time.AfterFunc(t.retention, func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.forget(p)
	})
}

// relieve drops the output of the process that ended first, and reports whether there was any.
func (t *Table) relieve() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, p := range t.retired {
		if p.output.forget() {
			return true
		}
	}
	return false
}

// forget removes an ended process, unless its pid has gone to another one. It may be called twice.
func (t *Table) forget(p *Process) {
	t.retired = slices.DeleteFunc(t.retired, func(other *Process) bool { return other == p })
	p.output.forget()
	if t.byPID[p.pid] == p {
		delete(t.byPID, p.pid)
	}
}

func (p *Process) hasTag(tag string) bool { return p.spec.Tag != nil && *p.spec.Tag == tag }

func (p *Process) over() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// before prefers the living to the ended, then the older pid, when a tag was given twice.
func (p *Process) before(other *Process) bool {
	if p.over() != other.over() {
		return other.over()
	}
	return p.pid < other.pid
}
