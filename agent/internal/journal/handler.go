package journal

import (
	"net/http"
	"strconv"

	"torpor.dev/agent/internal/reply"
)

const (
	usualLimit = 100
	maxLimit   = 1000
)

// page is the answer of GET /logs; Next is the `after` of the next call.
type page struct {
	Entries []Entry `json:"entries"`
	Next    uint64  `json:"next"`
}

// Handler answers GET /logs?after=<sequence>&limit=<n>; by default the first hundred that are kept.
func (j *Journal) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		after, afterErr := number(r.URL.Query().Get("after"), 0)
		limit, limitErr := number(r.URL.Query().Get("limit"), usualLimit)
		if afterErr != nil || limitErr != nil || limit < 1 {
			reply.Error(w, http.StatusBadRequest, "after and limit must be whole numbers, limit from 1")
			return
		}
		answer := page{Entries: j.After(after, int(min(limit, maxLimit))), Next: after}
		if n := len(answer.Entries); n > 0 {
			answer.Next = answer.Entries[n-1].Sequence
		}
		reply.JSON(w, http.StatusOK, answer)
	})
}

func number(text string, usual uint64) (uint64, error) {
	if text == "" {
		return usual, nil
	}
	return strconv.ParseUint(text, 10, 64)
}
