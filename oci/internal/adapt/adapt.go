// Package adapt makes the file system of any image fit for a sandbox: a user, plain network files, mount points.
package adapt

import (
	"errors"

	"golang.org/x/sys/unix"

	"torpor.dev/oci/internal/fault"
	"torpor.dev/oci/internal/tree"
)

// Log takes lines for the user.
type Log interface {
	Info(format string, arguments ...any)
	Warn(format string, arguments ...any)
}

// Result says what the file system offers.
type Result struct {
	User           User   `json:"user"`
	Sudo           bool   `json:"sudo"`
	Bash           bool   `json:"bash"`
	CABundle       string `json:"caBundle"`
	Libc           string `json:"libc"`
	PackageManager string `json:"packageManager"`
}

// User is whom commands run as when nobody is named.
type User struct {
	Name  string `json:"name"`
	UID   int    `json:"uid"`
	GID   int    `json:"gid"`
	Home  string `json:"home"`
	Shell string `json:"shell"`
}

type image struct {
	*tree.Tree
	log Log
}

// Adapt changes the file system under directory. Doing it again changes nothing more.
func Adapt(directory string, log Log) (Result, error) {
	target, err := tree.Open(directory)
	if err != nil {
		return Result{}, fault.Wrap(err, fault.InvalidArgument, "The target is not a directory that can be opened.")
	}
	defer target.Close()
	result, err := image{target, log}.adapt()
	if err != nil {
		return Result{}, err
	}
	return result, target.Sync()
}

func (i image) adapt() (result Result, err error) {
	if err := i.mountPoints(); err != nil {
		return result, err
	}
	if err := i.networkFiles(); err != nil {
		return result, err
	}
	result = i.facts()
	if err := i.root(); err != nil {
		return result, err
	}
	if result.User, err = i.user(); err != nil {
		return result, err
	}
	result.Sudo, err = i.sudo()
	return result, err
}

// directory opens a directory and makes what is missing.
func (i image) directory(name string) (*tree.Dir, error) {
	return i.DirOrMake(name, func(*tree.Dir, string) error { return nil })
}

// missing tells whether a name leads nowhere, by absence or by links that make no sense.
func missing(err error) bool {
	return errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR) || errors.Is(err, unix.ELOOP)
}
