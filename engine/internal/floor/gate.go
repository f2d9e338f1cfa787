package floor

import (
	"sync"
	"time"
)

// A look costs two or three system calls: it is good for so many bytes and so long, unless less than near was left. Many sandboxes may
// look at the same moment, and each could take as much.
const (
	ahead  = 4 << 20
	recent = 20 * time.Millisecond
	near   = 64 << 20
)

// gate decides how much a root may grow.
type gate struct {
	reserve uint64
	look    func(file int) disk
	now     func() time.Time

	mu sync.Mutex
	// promised may be given without another look until the time.
	promised uint64
	until    time.Time
}

// grant is how many of more bytes the root may have that uses so many, in the file of that descriptor.
func (g *gate) grant(file int, used, more uint64) uint64 {
	if used+more <= g.reserve {
		return more
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	if more <= g.promised && now.Before(g.until) {
		g.promised -= more
		return more
	}
	room := g.look(file).room(used, g.reserve)
	granted := min(more, room)
	g.promised, g.until = 0, now.Add(recent)
	if room-granted >= near {
		g.promised = ahead
	}
	return granted
}
