package runtime

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"gvisor.dev/gvisor/pkg/sentry/state/checkpointfiles"

	"torpor.dev/engine/internal/protocol"
)

// checkImage finds out before a sandbox is made that there is nothing to restore it from. It gives the image's size.
func checkImage(directory string) (int64, error) {
	for _, name := range []string{checkpointfiles.StateFileName, checkpointfiles.PagesMetadataFileName, checkpointfiles.PagesFileName} {
		info, err := os.Stat(filepath.Join(directory, name))
		if errors.Is(err, fs.ErrNotExist) {
			return 0, damaged(err.Error())
		}
		if err != nil {
			return 0, err
		}
		// The pages alone may be empty: a sandbox without memory of its own is odd, but whole.
		if info.Size() == 0 && name != checkpointfiles.PagesFileName {
			return 0, damaged(name + " is empty")
		}
	}
	return sizeOf(directory)
}

func damaged(detail string) error {
	return &protocol.Error{Kind: protocol.Damaged, Message: "The memory image is damaged.", Detail: detail}
}

// signsOfDamage are what gVisor says of an image that is not what was captured, or was captured by another version of it.
// Only the text of the sandbox's error comes over.
var signsOfDamage = []string{
	"decoding", "unused deferred object", "unmarshal", "main MF start failed", "private memory file", "failed to load MemoryFile", "runsc version does not match",
	"statefile", "bad magic header", "metadata", "container count", "container specs",
}

// explain tells why an image cannot be restored.
func explain(e *execution, err error) error {
	failure := protocol.Wrap(err, "The memory image could not be restored.")
	text := err.Error()
	gaveUp := strings.HasSuffix(text, "failed: EOF")
	switch {
	case failure.Kind == protocol.NoSpace:
	case strings.Contains(text, "failed to validate restore spec"):
		failure.Kind, failure.Message = protocol.Invalid, "The bundle differs from the one that was captured."
	case gaveUp && e.wasKilled():
		failure.Message = "The execution was killed while it was being restored: perhaps its memory limit is too low for the image."
	case gaveUp, slices.ContainsFunc(signsOfDamage, func(sign string) bool { return strings.Contains(text, sign) }):
		failure.Kind, failure.Message = protocol.Damaged, "The memory image is damaged."
	}
	return failure
}

// wasKilled tells a sandbox that somebody killed from one that gave up.
func (e *execution) wasKilled() bool {
	const killed = 137
	return !e.gone(time.Second) || e.exitCode() == killed
}
