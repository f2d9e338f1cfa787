// Package keepalive fills the silence of streams, so that nobody on the way takes them for dead (protocol.md §3.7).
package keepalive

import (
	"net/http"
	"strconv"
	"time"
)

// usual is the silence after which a keep-alive is sent to clients that do not ask for another one.
const usual = 90 * time.Second

// Interval is the silence a client asks for by Keepalive-Ping-Interval, in whole seconds up to an hour.
func Interval(header http.Header) time.Duration {
	seconds, err := strconv.Atoi(header.Get("Keepalive-Ping-Interval"))
	if err != nil || seconds < 1 || seconds > int(time.Hour/time.Second) {
		return usual
	}
	return time.Duration(seconds) * time.Second
}
