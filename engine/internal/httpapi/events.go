package httpapi

import (
	"encoding/json"
	"net/http"
	"time"

	"torpor.dev/engine/internal/protocol"
)

// keepAlive is how often a silent stream proves that it is alive.
const keepAlive = 15 * time.Second

// stream writes events as lines until the caller leaves or the hub closes.
func stream(w http.ResponseWriter, r *http.Request, hub *Hub) {
	events, leave := hub.Listen()
	defer leave()
	w.Header().Set("Content-Type", "application/x-ndjson")
	lines := json.NewEncoder(w)
	control := http.NewResponseController(w)
	send := func(event protocol.Event) bool {
		return lines.Encode(event) == nil && control.Flush() == nil
	}
	ticker := time.NewTicker(keepAlive)
	defer ticker.Stop()
	for alive := send(protocol.Event{Type: protocol.Ready}); alive; {
		select {
		case event, open := <-events:
			alive = open && send(event)
		case <-ticker.C:
			alive = send(protocol.Event{Type: protocol.KeepAlive})
		case <-r.Context().Done():
			return
		}
	}
}
