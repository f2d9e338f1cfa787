package archive

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"

	"torpor.dev/oci/internal/fault"
)

// namesShown bounds the names in a line of the log.
const namesShown = 5

type skipSort int

const (
	devices skipSort = iota
	pipes
	attributes
)

var skipReasons = map[skipSort]string{
	devices:    "device nodes, which a sandbox has of its own",
	pipes:      "named pipes",
	attributes: "extended attributes that mean nothing here",
}

// skipped collects what was left out, so that the log has one line for each sort.
type skipped struct {
	count map[skipSort]int64
	names map[skipSort][]string
}

func (s *skipped) add(sort skipSort, name string) {
	if s.count == nil {
		s.count, s.names = map[skipSort]int64{}, map[skipSort][]string{}
	}
	s.count[sort]++
	if len(s.names[sort]) < namesShown {
		s.names[sort] = append(s.names[sort], quoted(name))
	}
}

// lines tells what was left out.
func (s *skipped) lines() []string {
	lines := []string{}
	for sort := devices; sort <= attributes; sort++ {
		if count := s.count[sort]; count > 0 {
			lines = append(lines, fmt.Sprintf("Left out: %s (%d: %s)", skipReasons[sort], count, shown(s.names[sort], count)))
		}
	}
	return lines
}

func shown(names []string, count int64) string {
	list := strings.Join(names, ", ")
	if count > int64(len(names)) {
		list += ", …"
	}
	return list
}

// quoted makes a hostile name fit for a log and a terminal.
func quoted(name string) string { return fmt.Sprintf("%.200q", name) }

// refusedBySystem tells an entry that this machine's file system cannot hold from a failure of the machine.
func refusedBySystem(name string, err error) error {
	for _, known := range []error{unix.ENAMETOOLONG, unix.EINVAL, unix.EMLINK, unix.ENOENT, unix.ENOTDIR, unix.EISDIR, unix.ELOOP, unix.EFBIG, unix.EPERM} {
		if errors.Is(err, known) {
			return fault.Wrap(err, fault.InvalidArgument, "The entry %s cannot be made.", quoted(name))
		}
	}
	return fault.From(err)
}
