// Package pages chooses how the sandbox's process reads and writes the pages of images: by sharing blocks where its memory lies in
// files that it was given, as upstream does otherwise.
package pages

import (
	"gvisor.dev/gvisor/pkg/hostarch"
	"gvisor.dev/gvisor/pkg/sentry/state/stateio"
	"gvisor.dev/gvisor/runsc/boot"

	"torpor.dev/engine/internal/reflink"
)

// As upstream's defaults.
const (
	copiedAtOnce = 256 << 10
	copiedInTurn = 128
)

// Each sharing costs 20 µs or more whatever its size, so there are few, of 4 MiB: as many ranges as one call takes. Larger ones gain
// nothing, as the file system spends 10 µs on each extent: 140 ms on 1 GiB in 15000 of them, in one call or in 256.
const (
	sharedAtOnce = 4 << 20
	sharedInTurn = 16
)

func init() {
	stateio.PagesReader = func(fd int32) stateio.AsyncReader {
		if !boot.MemoryIsDonated() {
			return stateio.NewPagesFileFDReader(fd, copiedAtOnce, copiedInTurn)
		}
		return reflink.NewReader(fd, stateio.NewPagesFileFDReader(fd, sharedAtOnce, sharedInTurn))
	}
	stateio.PagesWriter = func(fd int32) stateio.AsyncWriter {
		if !boot.MemoryIsDonated() {
			return stateio.NewPagesFileFDWriter(fd, copiedAtOnce, copiedInTurn)
		}
		limits := reflink.Limits{Bytes: sharedAtOnce, Ranges: sharedAtOnce / hostarch.PageSize, InTurn: sharedInTurn}
		return reflink.NewWriter(fd, limits, func() reflink.Copier {
			return stateio.NewPagesFileFDWriter(fd, sharedAtOnce, sharedInTurn)
		})
	}
}
