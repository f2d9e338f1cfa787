package reflink

import "gvisor.dev/gvisor/pkg/sentry/state/stateio"

// As upstream's defaults.
const (
	copiedAtOnce = 256 << 10
	copiedInTurn = 128
)

// The process that has this package reads and writes images with it.
func init() {
	stateio.PagesReader = func(fd int32) stateio.AsyncReader { return NewReader(fd) }
	stateio.PagesWriter = func(fd int32) stateio.AsyncWriter {
		return NewWriter(fd, stateio.NewPagesFileFDWriter(fd, copiedAtOnce, copiedInTurn))
	}
}
