package runtime

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"gvisor.dev/gvisor/pkg/sentry/state/checkpointfiles"

	"torpor.dev/engine/internal/protocol"
)

// checkImage finds out before a sandbox is made that there is nothing to restore it from.
func checkImage(directory string) error {
	for _, name := range []string{checkpointfiles.StateFileName, checkpointfiles.PagesMetadataFileName, checkpointfiles.PagesFileName} {
		info, err := os.Stat(filepath.Join(directory, name))
		if errors.Is(err, fs.ErrNotExist) {
			return &protocol.Error{Kind: protocol.Invalid, Message: "The directory holds no memory image.", Detail: err.Error()}
		}
		if err != nil {
			return err
		}
		// The pages alone may be empty: a sandbox without memory of its own is odd, but whole.
		if info.Size() == 0 && name != checkpointfiles.PagesFileName {
			return &protocol.Error{Kind: protocol.Invalid, Message: "The memory image is damaged.", Detail: name + " is empty"}
		}
	}
	return nil
}

// explain names the usual reasons why an image cannot be restored. Only the text of the sandbox's error comes over.
func explain(err error) error {
	if err == nil {
		return nil
	}
	failure := protocol.Wrap(err, "The memory image could not be restored.")
	switch text := err.Error(); {
	case strings.Contains(text, "runsc version does not match"):
		failure.Message = "The memory image was captured by another version of the runtime."
	case strings.Contains(text, "failed to validate restore spec"):
		failure.Message = "The bundle differs from the one that was captured."
	case strings.HasSuffix(text, "EOF"), strings.Contains(text, "failed to load kernel"):
		failure.Message = "The memory image is damaged: the sandbox could not read it."
	}
	return failure
}
