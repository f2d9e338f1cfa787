package filesimage

import (
	"cmp"
	"errors"
	"slices"
)

// span is a range of the store in which a sandbox keeps the content of its files, end exclusive.
type span struct{ start, end uint64 }

// merge sorts spans and joins neighbours. Two that overlap are an error: no two files share a page.
func merge(spans []span) ([]span, error) {
	slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.start, b.start) })
	merged := spans[:0]
	for _, s := range spans {
		switch last := len(merged) - 1; {
		case s.end <= s.start:
			return nil, errors.New("a range of file content is empty")
		case last >= 0 && s.start < merged[last].end:
			return nil, errors.New("two ranges of file content overlap")
		case last >= 0 && s.start == merged[last].end:
			merged[last].end = s.end
		default:
			merged = append(merged, s)
		}
	}
	return merged, nil
}

// within gives the parts of a range that the sorted spans cover.
func within(whole span, spans []span) []span {
	var parts []span
	at, _ := slices.BinarySearchFunc(spans, whole.start, func(s span, start uint64) int {
		if s.end <= start {
			return -1
		}
		return 1
	})
	for _, s := range spans[at:] {
		if s.start >= whole.end {
			break
		}
		parts = append(parts, span{max(s.start, whole.start), min(s.end, whole.end)})
	}
	return parts
}

func length(spans []span) uint64 {
	var total uint64
	for _, s := range spans {
		total += s.end - s.start
	}
	return total
}
