package runtime

import (
	"os"
	"path/filepath"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"gvisor.dev/gvisor/pkg/sentry/checkpoint"
	"gvisor.dev/gvisor/pkg/sentry/state/checkpointfiles"
	"gvisor.dev/gvisor/runsc/config"
	"gvisor.dev/gvisor/runsc/container"
	"gvisor.dev/gvisor/runsc/sandbox"

	"torpor.dev/engine/internal/filesimage"
	"torpor.dev/engine/internal/protocol"
)

// onFiles is the annotation of executions that were booted on an image of files. The runtime keeps it with their state.
const onFiles = "dev.torpor.on-files"

// CaptureFiles writes an image of the root's files alone and leaves the execution as it was.
func (h *Host) CaptureFiles(request protocol.Capture) (protocol.Captured, error) {
	return h.capture(request, func(c *container.Container) error {
		options := sandbox.FSSaveOpts{Direct: request.Direct, Paths: []checkpoint.ResourceID{{Path: "/"}}}
		if err := c.FSSave(&config.Config{}, request.Directory, options); err != nil {
			return err
		}
		return filesimage.Prune(request.Directory)
	})
}

// checkFiles finds out before a sandbox is made that its files cannot be what was captured. It gives the bytes of their content.
func checkFiles(request protocol.Boot) (int64, error) {
	bytes, err := filesimage.Check(request.Files)
	if err != nil {
		return 0, &protocol.Error{Kind: protocol.Damaged, Message: "The image of files is damaged.", Detail: err.Error()}
	}
	if bytes > uint64(request.DiskBytes) {
		return 0, protocol.Errorf(protocol.Invalid, "The files of the image need %d bytes, more than diskBytes.", bytes)
	}
	return int64(bytes), nil
}

// explainFiles tells an image that gVisor cannot make a tree of from other reasons why a boot fails. Only the text of the
// sandbox's error comes over.
func explainFiles(_ *execution, err error) error {
	failure := protocol.Wrap(err, "The execution could not be booted.")
	text := err.Error()
	if strings.Contains(text, "failed to create upper layer for overlay") || strings.Contains(text, "from filesystem checkpoint") {
		failure.Kind, failure.Message = protocol.Damaged, "The image of files is damaged."
	}
	return failure
}

// putOnFiles notes in the spec that the root is made of an image of files. The runtime keeps the description of their tree in
// memory as long as the sandbox lives: that must not be taken from what the user was promised.
func putOnFiles(spec *specs.Spec, files string) error {
	if files == "" {
		return nil
	}
	if spec.Annotations == nil {
		spec.Annotations = map[string]string{}
	}
	spec.Annotations[onFiles] = "true"
	tree, err := os.Stat(filepath.Join(files, checkpointfiles.FSCheckpointMultiTarFileName))
	if err == nil && spec.Linux.Resources.Memory != nil && spec.Linux.Resources.Memory.Limit != nil {
		*spec.Linux.Resources.Memory.Limit += tree.Size()
	}
	return err
}

func isOnFiles(spec *specs.Spec) bool {
	return spec != nil && spec.Annotations[onFiles] == "true"
}
