// Package users knows the Linux users of the sandbox.
package users

import (
	"fmt"
	"strconv"
	"sync"
	"syscall"
)

// User is one line of the passwd file with the groups the user is a member of.
type User struct {
	Name   string
	UID    uint32
	GID    uint32
	Home   string
	Groups []uint32 // supplementary groups, without GID
}

// UnknownError says that no user has the name.
type UnknownError struct{ Name string }

// Error has the text of protocol.md §3.1.
func (e *UnknownError) Error() string { return fmt.Sprintf("invalid username: '%s'", e.Name) }

// Database answers from the passwd and group files. It reads them again only when they have changed: listing a
// directory asks for an owner per entry, and opening a file is the costly thing inside a sandbox.
type Database struct {
	passwdPath, groupPath string

	mu     sync.Mutex
	passwd fingerprint
	group  fingerprint
	users  map[string]User
	names  map[uint32]string
	groups map[uint32]string
}

// New makes a database of the two files; they may be absent and may appear later.
func New(passwdPath, groupPath string) *Database {
	return &Database{passwdPath: passwdPath, groupPath: groupPath}
}

// Lookup finds a user by name, or by number as images name theirs. It returns an *UnknownError when there is none.
func (d *Database) Lookup(name string) (User, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.refresh()
	user, found := d.users[name]
	if found {
		return user, nil
	}
	if id, err := strconv.ParseUint(name, 10, 32); err == nil && id < noUser {
		return d.numbered(uint32(id)), nil
	}
	return User{}, &UnknownError{Name: name}
}

// noUser is what the kernel takes for no user at all.
const noUser = 1<<32 - 1

// numbered is the user with the id; one without an entry has the group 0 and no home, as in a container.
func (d *Database) numbered(id uint32) User {
	if name, known := d.names[id]; known {
		return d.users[name]
	}
	return User{Name: strconv.FormatUint(uint64(id), 10), UID: id, Home: "/"}
}

// Names is a view of the database at one moment, for many look-ups in a row.
type Names struct {
	users, groups map[uint32]string
}

// Names reads the files if need be and returns the names by id.
func (d *Database) Names() Names {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.refresh()
	return Names{users: d.names, groups: d.groups}
}

// User is the name of a user id, or its number when it has none.
func (n Names) User(id uint32) string { return nameOf(n.users, id) }

// Group is the name of a group id, or its number when it has none.
func (n Names) Group(id uint32) string { return nameOf(n.groups, id) }

func nameOf(names map[uint32]string, id uint32) string {
	if name, found := names[id]; found {
		return name
	}
	return strconv.FormatUint(uint64(id), 10)
}

// refresh rebuilds the maps when a file has changed. The maps are replaced, never changed: views of them stay valid.
func (d *Database) refresh() {
	passwd, group := fingerprintOf(d.passwdPath), fingerprintOf(d.groupPath)
	if d.users != nil && passwd == d.passwd && group == d.group {
		return
	}
	groups := readFile(d.groupPath, parseGroup)
	d.users, d.names, d.groups = map[string]User{}, map[uint32]string{}, map[uint32]string{}
	members := map[string][]uint32{}
	for _, g := range groups {
		if _, known := d.groups[g.id]; !known {
			d.groups[g.id] = g.name
		}
		for _, member := range g.members {
			members[member] = append(members[member], g.id)
		}
	}
	for _, user := range readFile(d.passwdPath, parseUser) {
		if _, known := d.users[user.Name]; known {
			continue
		}
		user.Groups = without(members[user.Name], user.GID)
		d.users[user.Name] = user
		if _, known := d.names[user.UID]; !known {
			d.names[user.UID] = user.Name
		}
	}
	d.passwd, d.group = passwd, group
}

// fingerprint tells two contents of a file apart without reading it; adduser and usermod replace the files.
type fingerprint struct {
	device, inode uint64
	size          int64
	changed       syscall.Timespec
}

func fingerprintOf(path string) fingerprint {
	var stat syscall.Stat_t
	if err := syscall.Stat(path, &stat); err != nil {
		return fingerprint{}
	}
	return fingerprint{device: stat.Dev, inode: stat.Ino, size: stat.Size, changed: stat.Ctim}
}
