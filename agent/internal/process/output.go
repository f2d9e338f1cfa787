package process

import (
	"slices"
	"sort"
	"sync"
)

// Channel tells the outputs of a process apart.
type Channel int

// The outputs of a process without a terminal, and the one of a process with one.
const (
	Stdout Channel = iota
	Stderr
	Terminal
)

// Chunk is output, at most maxChunk bytes. It is shared and must not be changed.
type Chunk struct {
	Channel Channel
	Data    []byte
}

const (
	// window is how far a process may be ahead of its slowest subscriber; beyond that it waits.
	window = 2 * maxChunk
	// segmentCost is what keeping a segment costs besides its bytes.
	segmentCost = 48
)

// output is everything a process wrote, in one order, of which the last part is kept. Offsets count the bytes of all
// channels together. Subscribers read at their own pace: bytes one of them has not read yet are never dropped, the process
// waits instead; with nobody there it never waits.
type output struct {
	budget *budget
	limit  int // of what is kept for those who come later

	mu          sync.Mutex
	room        *sync.Cond // signalled when a subscriber has read or left
	segments    []segment
	first, head int64 // of what is kept: the first offset, and the one behind the last
	kept        int   // its cost
	subscribers []*Subscription
}

type segment struct {
	channel Channel
	start   int64
	data    []byte
}

func (s segment) end() int64 { return s.start + int64(len(s.data)) }

func (s segment) cost() int { return cap(s.data) + segmentCost }

func newOutput(limit int, budget *budget) *output {
	o := &output{limit: limit, budget: budget}
	o.room = sync.NewCond(&o.mu)
	return o
}

// append waits until no subscriber is more than a window behind, then takes over a copy of the data.
func (o *output) append(channel Channel, data []byte) {
	o.budget.make(2*maxChunk + segmentCost) // the most that one segment grows by
	o.mu.Lock()
	defer o.mu.Unlock()
	for o.head+int64(len(data))-o.unread() > window {
		o.room.Wait()
	}
	o.keep(channel, data)
	o.head += int64(len(data))
	o.trim()
	for _, s := range o.subscribers {
		s.wake()
	}
}

// keep adds to the last segment as long as that is of the same channel and small: many little writes cost little. What
// was handed out before is not touched by that.
func (o *output) keep(channel Channel, data []byte) {
	if n := len(o.segments); n > 0 {
		last := &o.segments[n-1]
		if last.channel == channel && len(last.data)+len(data) <= maxChunk {
			before := last.cost()
			last.data = append(last.data, data...)
			o.charge(last.cost() - before)
			return
		}
		o.seal(last)
	}
	added := segment{channel: channel, start: o.head, data: slices.Clone(data)}
	o.segments = append(o.segments, added)
	o.charge(added.cost())
}

// seal gives back the room that a segment has for more, if that is worth it.
func (o *output) seal(last *segment) {
	if spare := cap(last.data) - len(last.data); spare > len(last.data)/8 {
		before := last.cost()
		last.data = append(make([]byte, 0, len(last.data)), last.data...)
		o.charge(last.cost() - before)
	}
}

func (o *output) charge(cost int) {
	o.kept += cost
	o.budget.charge(cost)
}

// trim drops the oldest segments until what is kept is within its bounds, but nothing that somebody is still to read.
func (o *output) trim() {
	unread := o.unread()
	for len(o.segments) > 0 && (o.kept > o.limit || o.budget.exceeded()) && o.segments[0].end() <= unread {
		o.charge(-o.segments[0].cost())
		o.first = o.segments[0].end()
		o.segments[0] = segment{}
		o.segments = o.segments[1:]
	}
}

// forget drops what nobody is reading, and reports whether that was anything; nothing will be added any more.
func (o *output) forget() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	before := o.kept
	o.limit = 0
	o.trim()
	return o.kept < before
}

// unread is the first offset that a subscriber has not read yet.
func (o *output) unread() int64 {
	lowest := o.head
	for _, s := range o.subscribers {
		lowest = min(lowest, s.next)
	}
	return lowest
}

// at finds the segment that holds an offset below head.
func (o *output) at(offset int64) segment {
	i := sort.Search(len(o.segments), func(i int) bool { return o.segments[i].end() > offset })
	return o.segments[i]
}
