package process

import (
	"slices"
	"sync"
)

// Channel tells the outputs of a process apart.
type Channel int

// The outputs of a process without a terminal.
const (
	Stdout Channel = iota
	Stderr
)

// Chunk is output as it was read, at most maxChunk bytes. Subscribers share it and must not change it.
type Chunk struct {
	Channel Channel
	Data    []byte
}

// fanout gives every subscriber every chunk, in one order. A chunk is handed over before the next one is read: a slow
// subscriber thus holds up the pipe of the process, and nothing piles up here or gets lost.
type fanout struct {
	publishing sync.Mutex // held while a chunk is handed over: the order is the same for all

	mu          sync.Mutex
	subscribers []*Subscription // replaced, never changed
}

// Subscription receives the output of a process from some moment on.
type Subscription struct {
	output chan Chunk
	left   chan struct{}
	leave  func()
}

// Output delivers the chunks. It is never closed: Process.Done says that no more will come.
func (s *Subscription) Output() <-chan Chunk { return s.output }

// Close ends the subscription; the process goes on. It may be called twice.
func (s *Subscription) Close() { s.leave() }

func (f *fanout) subscribe() *Subscription {
	s := &Subscription{output: make(chan Chunk), left: make(chan struct{})}
	s.leave = sync.OnceFunc(func() {
		close(s.left)
		f.mu.Lock()
		defer f.mu.Unlock()
		f.subscribers = slices.DeleteFunc(slices.Clone(f.subscribers), func(other *Subscription) bool { return other == s })
	})
	f.mu.Lock()
	defer f.mu.Unlock()
	f.subscribers = append(slices.Clone(f.subscribers), s)
	return s
}

func (f *fanout) current() []*Subscription {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.subscribers
}

// publish hands over a copy of the data. With nobody there it is dropped, as the protocol has it.
func (f *fanout) publish(channel Channel, data []byte) {
	f.publishing.Lock()
	defer f.publishing.Unlock()
	subscribers := f.current()
	if len(subscribers) == 0 {
		return
	}
	chunk := Chunk{Channel: channel, Data: slices.Clone(data)}
	for _, s := range subscribers {
		select {
		case s.output <- chunk:
		case <-s.left:
		}
	}
}
