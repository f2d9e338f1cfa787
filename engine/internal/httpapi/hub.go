package httpapi

import (
	"sync"

	"torpor.dev/engine/internal/protocol"
)

// backlog is how many events a slow listener may be behind before it is cut off.
const backlog = 1024

// Hub hands every event to every listener of the moment.
type Hub struct {
	mu        sync.Mutex
	closed    bool
	listeners map[chan protocol.Event]struct{}
}

// NewHub makes a hub without listeners.
func NewHub() *Hub {
	return &Hub{listeners: map[chan protocol.Event]struct{}{}}
}

// Publish never blocks: a listener that is too far behind loses its stream, connects again and lists.
func (h *Hub) Publish(event protocol.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for listener := range h.listeners {
		select {
		case listener <- event:
		default:
			h.drop(listener)
		}
	}
}

// Listen starts a stream; it ends when the hub closes it or leave is called.
func (h *Hub) Listen() (events <-chan protocol.Event, leave func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	listener := make(chan protocol.Event, backlog)
	if h.closed {
		close(listener)
		return listener, func() {}
	}
	h.listeners[listener] = struct{}{}
	return listener, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.drop(listener)
	}
}

// Close ends all streams, so that a server can shut down.
func (h *Hub) Close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for listener := range h.listeners {
		h.drop(listener)
	}
}

func (h *Hub) drop(listener chan protocol.Event) {
	if _, present := h.listeners[listener]; present {
		delete(h.listeners, listener)
		close(listener)
	}
}
