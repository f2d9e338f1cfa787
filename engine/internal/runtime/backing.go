package runtime

import (
	"os"

	"torpor.dev/engine/internal/protocol"
)

// backing are the files of one execution whose content can be on a disk: its memory, where that lies in files, and what its root wrote.
type backing struct {
	memory    memoryFiles
	filestore memoryFiles
}

// openBacking opens them anew, so that the end of the execution does not take them away from who works on them.
func (e *execution) openBacking() (backing, error) {
	pid := e.describe().PID
	b := backing{memory: openMemoryFiles(pid), filestore: openDescriptors(pid, isFilestore)}
	// Only of a process that still lives is the id known to be its own.
	if e.status() == protocol.Stopped {
		b.close()
		return backing{}, protocol.Errorf(protocol.Conflict, "The execution has stopped.")
	}
	return b, nil
}

func (b backing) files() []*os.File { return append(append([]*os.File{}, b.memory...), b.filestore...) }

func (b backing) close() {
	b.memory.close()
	b.filestore.close()
}

// over tells that nobody is left for whom work on the execution's files would be done.
func (e *execution) over() bool { return e.ending.Load() || e.status() == protocol.Stopped }
