package process

import "slices"

// Subscription reads the output of a process from some offset on. Only one goroutine may read it.
type Subscription struct {
	output *output
	next   int64 // offset of what is read next; guarded by output.mu
	ready  chan struct{}

	// Offset is that of the first byte it will read, and Dropped how many bytes before it were asked for but are not kept
	// any more.
	Offset, Dropped int64
}

// subscribe starts at an offset, or at the first one that is kept; an offset that is not reached yet means from now on.
func (o *output) subscribe(offset int64) *Subscription {
	o.mu.Lock()
	defer o.mu.Unlock()
	asked := min(max(offset, 0), o.head)
	from := max(asked, o.first)
	s := &Subscription{output: o, next: from, ready: make(chan struct{}, 1), Offset: from, Dropped: from - asked}
	o.subscribers = append(o.subscribers, s)
	return s
}

// Ready receives when there may be something to Take.
func (s *Subscription) Ready() <-chan struct{} { return s.ready }

// Take returns the next chunk, if there is one already.
func (s *Subscription) Take() (Chunk, bool) {
	o := s.output
	o.mu.Lock()
	defer o.mu.Unlock()
	if s.next >= o.head {
		return Chunk{}, false
	}
	from := o.at(s.next)
	data := from.data[s.next-from.start:]
	data = data[:min(len(data), maxChunk):min(len(data), maxChunk)]
	s.next += int64(len(data))
	o.trim()
	o.room.Broadcast()
	return Chunk{Channel: from.channel, Data: data}, true
}

// Close ends the subscription; the process goes on. It may be called twice.
func (s *Subscription) Close() {
	o := s.output
	o.mu.Lock()
	defer o.mu.Unlock()
	o.subscribers = slices.DeleteFunc(o.subscribers, func(other *Subscription) bool { return other == s })
	o.trim()
	o.room.Broadcast()
}

func (s *Subscription) wake() {
	select {
	case s.ready <- struct{}{}:
	default: // it is awake already
	}
}
