package adapt

import (
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"torpor.dev/oci/internal/fault"
	"torpor.dev/oci/internal/tree"
)

const (
	userName = "user"
	userHome = "/home/user"
)

// user makes sure that there is the user that sandboxes run commands as.
func (i image) user() (User, error) {
	passwd, err := i.table("passwd")
	if err != nil {
		return User{}, err
	}
	if fields := passwd.named(userName, 7); fields != nil {
		return i.existingUser(fields)
	}
	return i.newUser(passwd)
}

func (i image) existingUser(fields []string) (User, error) {
	uid, badUID := strconv.ParseUint(fields[2], 10, 31)
	gid, badGID := strconv.ParseUint(fields[3], 10, 31)
	home, err := tree.Clean(fields[5])
	if badUID != nil || badGID != nil || err != nil || home == "" {
		return User{}, fault.New(fault.InvalidArgument, "The image's /etc/passwd has a line for %q that makes no sense.", userName)
	}
	found := User{userName, int(uid), int(gid), "/" + home, fields[6]}
	i.log.Info("The image has a user %q already (uid %d): it is used as it is.", userName, uid)
	if stat, err := i.Stat(home); err == nil && stat.Mode&unix.S_IFMT == unix.S_IFDIR {
		return found, nil
	}
	return found, i.home(found)
}

func (i image) newUser(passwd table) (User, error) {
	uids := passwd.numbers()
	if holder, taken := uids[firstUID]; taken {
		i.log.Info("The image's user %.100q has the uid %d and is left as it is.", holder, firstUID)
	}
	uid, err := free(uids, firstUID)
	if err != nil {
		return User{}, fault.Wrap(err, fault.InvalidArgument, "The image has no uid left for the user %q.", userName)
	}
	gid, err := i.group(uid)
	if err != nil {
		return User{}, err
	}
	made := User{userName, uid, gid, userHome, i.shell()}
	if err := i.shadow("shadow", userName+":!::0:99999:7:::"); err != nil {
		return User{}, err
	}
	if err := i.home(made); err != nil {
		return User{}, err
	}
	// The line in passwd comes last: once it is there, a repetition takes the user as complete.
	line := fmt.Sprintf("%s:x:%d:%d::%s:%s", userName, uid, gid, made.Home, made.Shell)
	i.log.Info("Made the user %q (uid %d, gid %d, home %s, shell %s).", userName, uid, gid, made.Home, made.Shell)
	return made, i.appendLine("passwd", passwd, line, 0o644)
}

// group finds or makes the user's own group, with the uid's number if that is free.
func (i image) group(uid int) (int, error) {
	groups, err := i.table("group")
	if err != nil {
		return 0, err
	}
	if fields := groups.named(userName, 3); fields != nil {
		if gid, err := strconv.ParseUint(fields[2], 10, 31); err == nil {
			return int(gid), nil
		}
	}
	gid, err := free(groups.numbers(), uid)
	if err != nil {
		return 0, fault.Wrap(err, fault.InvalidArgument, "The image has no gid left for the group %q.", userName)
	}
	if err := i.appendLine("group", groups, fmt.Sprintf("%s:x:%d:", userName, gid), 0o644); err != nil {
		return 0, err
	}
	return gid, i.shadow("gshadow", userName+":!::")
}

// shadow adds to a file of passwords, if the image has it.
func (i image) shadow(base, line string) error {
	present, err := i.table(base)
	if err != nil || !present.exists || present.named(userName, 2) != nil {
		return err
	}
	return i.appendLine(base, present, line, 0o640)
}

func (i image) shell() string {
	if i.executable("bin/bash") {
		return "/bin/bash"
	}
	return "/bin/sh"
}

// home makes the user's home with the image's skeleton. One that is there keeps its content and becomes the user's.
func (i image) home(user User) error {
	name := strings.TrimPrefix(user.Home, "/")
	directory, base := tree.Split(name)
	parent, err := i.directory(directory)
	if err != nil {
		return err
	}
	stat, err := parent.Stat(base)
	if err == nil && stat.Mode&unix.S_IFMT == unix.S_IFDIR {
		i.log.Info("%s is in the image already: its content stays, the directory itself now belongs to the user.", user.Home)
		return parent.Chown(base, user.UID, user.GID)
	}
	if err == nil {
		return fault.New(fault.InvalidArgument, "The image's %s is not a directory.", user.Home)
	}
	if err := parent.Mkdir(base, 0o755); err != nil {
		return err
	}
	if err := parent.Chown(base, user.UID, user.GID); err != nil {
		return err
	}
	return i.skeleton(name, user)
}
