package runtime

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"syscall"

	"torpor.dev/engine/internal/cgroups"
	"torpor.dev/engine/internal/extents"
)

// nameless is how a file without a name looks among the descriptors of a process: only memory files have none.
var nameless = regexp.MustCompile(`/#[0-9]+ \(deleted\)$`)

// memoryFiles hold a sandbox's memory; none when it lies in the kernel's own.
type memoryFiles []*os.File

// openMemoryFiles takes hold of those that a sandbox was given.
func openMemoryFiles(sandboxPID int) memoryFiles {
	return openDescriptors(sandboxPID, nameless.MatchString)
}

// openDescriptors opens what a process has open under the chosen names, each file once.
func openDescriptors(pid int, chosen func(target string) bool) []*os.File {
	directory := fmt.Sprintf("/proc/%d/fd", pid)
	descriptors, err := os.ReadDir(directory)
	if err != nil {
		return nil
	}
	var files []*os.File
	seen := map[uint64]bool{}
	for _, descriptor := range descriptors {
		name := directory + "/" + descriptor.Name()
		target, err := os.Readlink(name)
		if err != nil || !chosen(target) {
			continue
		}
		var stat syscall.Stat_t
		if syscall.Stat(name, &stat) != nil || seen[stat.Ino] {
			continue
		}
		if file, err := os.Open(name); err == nil {
			seen[stat.Ino] = true
			files = append(files, file)
		}
	}
	return files
}

// bytes is what they hold, shared blocks as if they were not: what the sandbox has touched and not given back, whether it is in the
// machine's memory or not. Their blocks are a quick upper bound, as XFS counts room for copies of what is shared among them; from
// exactFrom bytes on the map of the blocks is asked.
func (f memoryFiles) bytes(exactFrom int64) int64 {
	most := f.blocks()
	if most == 0 || most < exactFrom {
		return most
	}
	usage, err := extents.OfFiles(f)
	if err != nil {
		return most
	}
	return min(most, usage.AllocatedBytes)
}

// blocks is the place that the file system has taken for them.
func (f memoryFiles) blocks() int64 {
	var total int64
	for _, file := range f {
		if info, err := file.Stat(); err == nil {
			if stat, ok := info.Sys().(*syscall.Stat_t); ok {
				total += stat.Blocks * 512
			}
		}
	}
	return total
}

func (f memoryFiles) close() {
	for _, file := range f {
		file.Close()
	}
}

func (e *execution) heldMemoryFiles() memoryFiles {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.memoryFiles
}

// endBiggest does to memory in files what the kernel does to its own far above the limit: it ends the process that maps most, which
// the runtime takes for a SIGKILL inside. False when none maps so many bytes.
//
// What is resident tells best. But the kernel, which takes memory in files for cache, puts it aside when the group is at its own limit, and
// takes it from who mapped it: then what is mapped at all has to do. The runtime maps only what was touched.
func (e *execution) endBiggest(least int64) bool {
	own := map[int]bool{}
	for _, p := range e.processes() {
		own[p.PID] = true
	}
	resident, mapped := biggest{pages: least / int64(os.Getpagesize())}, biggest{pages: least / int64(os.Getpagesize())}
	for _, pid := range cgroups.Members(e.controlGroup()) {
		if own[pid] {
			continue
		}
		all, present := filePages(pid)
		resident.meet(pid, present)
		mapped.meet(pid, all)
	}
	if resident.pid == 0 {
		resident = mapped
	}
	return resident.pid > 0 && syscall.Kill(resident.pid, syscall.SIGKILL) == nil
}

// biggest is the process that has most, and at least so many pages.
type biggest struct {
	pid   int
	pages int64
}

// meet prefers, of several that share an address space, the last, as the kernel does: the end of the first is the sandbox's own.
func (b *biggest) meet(pid int, pages int64) {
	if pages >= b.pages {
		b.pid, b.pages = pid, pages
	}
}

// filePages is how much a process has mapped, and how much of files it has mapped and in memory.
func filePages(pid int) (mapped, resident int64) {
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0, 0
	}
	words := strings.Fields(string(content))
	if len(words) < 3 {
		return 0, 0
	}
	mapped, first := strconv.ParseInt(words[0], 10, 64)
	resident, second := strconv.ParseInt(words[2], 10, 64)
	if first != nil || second != nil {
		return 0, 0
	}
	return mapped, resident
}
