package runtime

import (
	"errors"
	"io/fs"

	"torpor.dev/engine/internal/extents"
	"torpor.dev/engine/internal/protocol"
)

// Space tells what an execution's memory and files, or the files in a directory, take of the disk, and what of that they share
// with others. It takes no turn.
func (h *Host) Space(request protocol.Space) (protocol.Taken, error) {
	if request.Directory != "" {
		usage, err := extents.OfDirectory(request.Directory)
		if errors.Is(err, fs.ErrNotExist) {
			return protocol.Taken{}, protocol.Errorf(protocol.Invalid, "The directory does not exist.")
		}
		return protocol.Taken(usage), err
	}
	e, err := h.present(request.Execution)
	if err != nil {
		return protocol.Taken{}, err
	}
	b, err := e.openBacking()
	if err != nil {
		return protocol.Taken{}, err
	}
	defer b.close()
	usage, err := extents.OfFiles(b.files())
	return protocol.Taken(usage), err
}
