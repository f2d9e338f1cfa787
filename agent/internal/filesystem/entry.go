// Package filesystem describes and changes the file system of the sandbox (protocol.md §3.5).
package filesystem

import (
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"torpor.dev/agent/internal/metadata"
	"torpor.dev/agent/internal/users"
)

// Type is the kind of an entry. Links have the type of their target; what is neither file nor directory is Other.
type Type int

// The types that clients tell apart.
const (
	Other Type = iota
	File
	Directory
)

// Entry describes a file as lstat sees it, except that Type and Mode are those of a link's target.
type Entry struct {
	Name, Path    string
	Type          Type
	Size          int64
	Mode          uint32 // permission bits
	Permissions   string // as `ls` would, of the link itself
	Owner, Group  string
	Modified      time.Time
	SymlinkTarget *string // resolved to the end; the path itself when that fails
	Metadata      map[string]string
}

// Stat describes the file at an absolute path.
func Stat(path string, names users.Names) (Entry, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return Entry{}, err
	}
	return describe(path, info, names), nil
}

func describe(path string, info fs.FileInfo, names users.Names) Entry {
	entry := Entry{
		Name:        info.Name(),
		Path:        path,
		Type:        typeOf(info.Mode()),
		Size:        info.Size(),
		Mode:        uint32(info.Mode().Perm()),
		Permissions: info.Mode().String(),
		Modified:    info.ModTime(),
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		entry.Owner, entry.Group = names.User(stat.Uid), names.Group(stat.Gid)
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		entry.follow()
	} else if entry.Type != Other {
		entry.Metadata = metadata.Read(path)
	}
	return entry
}

// follow takes over type and mode of a link's target; a broken link has neither.
func (e *Entry) follow() {
	e.Type, e.Mode, e.SymlinkTarget = Other, 0, &e.Path
	target, err := filepath.EvalSymlinks(e.Path)
	if err != nil {
		return
	}
	e.SymlinkTarget = &target
	if info, err := os.Stat(target); err == nil {
		e.Type, e.Mode = typeOf(info.Mode()), uint32(info.Mode().Perm())
	}
}

func typeOf(mode fs.FileMode) Type {
	switch {
	case mode.IsRegular():
		return File
	case mode.IsDir():
		return Directory
	default:
		return Other
	}
}
