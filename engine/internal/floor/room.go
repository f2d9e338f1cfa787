package floor

// disk is what was seen of it at one moment, in bytes.
type disk struct {
	// free is what it can still take, and floor how much of that is others'.
	free, floor uint64
	// blocks is what the root's file takes of it.
	blocks uint64
}

// room is by how many bytes a root may grow that uses so many: up to its reserve whatever the disk says, and beyond while what is left
// is not below the floor.
//
// What the root uses without a block, as pages that are just being written or are only promised (a hole that was mapped and read, zeroes
// that a capture dropped), takes one whenever it is written, and nobody asks again. So it counts as taken: else writers at the same time
// would each be promised the same room.
func (d disk) room(used, reserve uint64) uint64 {
	without := above(used, max(d.blocks, reserve))
	return max(above(reserve, used), above(above(d.free, d.floor), without))
}

// above is by how much a is more than b.
func above(a, b uint64) uint64 {
	if a < b {
		return 0
	}
	return a - b
}
