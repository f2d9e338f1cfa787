package process

import "sync/atomic"

const (
	// usualKept is what is kept of the output of one process for those who come later.
	usualKept = 1 << 20
	// MaxKept bounds what may be asked for instead.
	MaxKept = 32 << 20
	// totalKept bounds what is kept of all processes together. What subscribers have not read yet comes on top, a window
	// for each process.
	totalKept = 16 << 20
)

// budget is the memory for the output of all processes.
type budget struct {
	used    atomic.Int64
	limit   atomic.Int64
	relieve func() bool // gives up the oldest output nobody may miss; false when there is none
}

func newBudget(limit int64, relieve func() bool) *budget {
	b := &budget{relieve: relieve}
	b.limit.Store(limit)
	return b
}

func (b *budget) charge(cost int) { b.used.Add(int64(cost)) }

func (b *budget) exceeded() bool { return b.used.Load() > b.limit.Load() }

// make makes room for a cost if it can.
func (b *budget) make(cost int) {
	for b.used.Load()+int64(cost) > b.limit.Load() && b.relieve() {
	}
}
