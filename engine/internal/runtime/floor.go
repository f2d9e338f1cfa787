package runtime

import (
	"errors"
	"io/fs"
	"os"
	"sync"

	"gvisor.dev/gvisor/runsc/sandbox"

	"torpor.dev/engine/internal/protocol"
)

// floors holds the requests of executions that are being made; the runtime asks for their floor by a function of the package.
var floors sync.Map

func init() {
	sandbox.Floor = func(execution string) (path string, reserveBytes int64) {
		value, _ := floors.Load(execution)
		request, _ := value.(protocol.Start)
		return request.FloorFile, request.DiskReserveBytes
	}
}

// checkFloor refuses a floor that the sandbox could never read.
func checkFloor(request protocol.Start) error {
	if request.FloorFile == "" {
		return nil
	}
	info, err := os.Stat(request.FloorFile)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !info.Mode().IsRegular() {
		return protocol.Errorf(protocol.Invalid, "The floorFile is not there.")
	}
	return err
}
