package process

import (
	"cmp"
	"fmt"
	"slices"
	"sync"
	"time"
)

// retention is how long the end of a process can still be asked for.
const retention = 30 * time.Second

// NotFoundError says that no such process was started here; the text is that of protocol.md §3.4.
type NotFoundError struct{ selector string }

func (e *NotFoundError) Error() string { return "process with " + e.selector + " not found" }

// Table knows the processes that live and, for a while, those that ended. It is safe for concurrent use.
type Table struct {
	reaper    *Reaper
	null      devNull
	retention time.Duration

	mu    sync.Mutex
	byPID map[int]*Process
}

// NewTable makes an empty table whose processes the reaper waits for.
func NewTable(reaper *Reaper) *Table {
	return &Table{reaper: reaper, retention: retention, byPID: map[int]*Process{}}
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

// expire forgets an ended process later, unless its pid has gone to another one.
func (t *Table) expire(p *Process) {
	time.AfterFunc(t.retention, func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if t.byPID[p.pid] == p {
			delete(t.byPID, p.pid)
		}
	})
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
