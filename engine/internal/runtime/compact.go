package runtime

import (
	"context"
	"errors"
	"io/fs"

	"torpor.dev/engine/internal/compact"
	"torpor.dev/engine/internal/idle"
	"torpor.dev/engine/internal/protocol"
)

// Compact writes the pages of an image anew in one piece. It ends with the context, and then or on a failure the image is as it was.
func (h *Host) Compact(ctx context.Context, request protocol.Compact) (protocol.Compacted, error) {
	written, err := idle.Run(func() (int64, error) { return compact.Directory(ctx, request.Directory) })
	switch {
	case err == nil:
		return protocol.Compacted{Bytes: written}, nil
	case errors.Is(err, fs.ErrNotExist):
		return protocol.Compacted{}, protocol.Errorf(protocol.Invalid, "The directory does not exist.")
	case errors.Is(err, compact.ErrBusy):
		return protocol.Compacted{}, protocol.Errorf(protocol.Conflict, "The directory is being compacted already.")
	}
	return protocol.Compacted{}, protocol.Wrap(err, "The image could not be compacted.")
}
