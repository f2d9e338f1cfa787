package adapt

import (
	"errors"

	"golang.org/x/sys/unix"

	"torpor.dev/oci/internal/tree"
)

// mountPoints are what the platform mounts over or writes into. /tmp must not be empty: the runtime would put a tmpfs over it.
var mountPoints = []struct {
	name string
	mode uint32
}{
	{"proc", 0o755}, {"sys", 0o755}, {"dev", 0o755}, {"dev/pts", 0o755}, {"dev/shm", 0o1777}, {"run", 0o755}, {"run/e2b", 0o755},
	{"tmp", 0o1777}, {"tmp/.X11-unix", 0o1777}, {"usr/lib/torpor", 0o755},
}

// networkFiles belong to the sandbox, not to the image: container engines mount over them as well. The resolver is the platform's fixed address.
var networkFiles = []struct{ base, content string }{
	{"resolv.conf", "nameserver 169.254.53.53\n"},
	{"hosts", "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n"},
	{"hostname", "sandbox\n"},
}

func (i image) mountPoints() error {
	for _, point := range mountPoints {
		if err := i.mountPoint(point.name, point.mode); err != nil {
			return err
		}
	}
	return nil
}

// mountPoint makes sure that a name is a directory itself: a link could lead a mount astray.
func (i image) mountPoint(name string, mode uint32) error {
	directory, base := tree.Split(name)
	parent, err := i.directory(directory)
	if err != nil {
		return err
	}
	stat, err := parent.Stat(base)
	if err == nil && stat.Mode&unix.S_IFMT != unix.S_IFDIR {
		i.log.Info("/%s is not a directory of its own in the image: it is replaced by one.", name)
		if err := parent.Remove(base); err != nil {
			return err
		}
		err = unix.ENOENT
	}
	if errors.Is(err, unix.ENOENT) {
		err = parent.Mkdir(base, mode)
	}
	if err != nil || mode&0o1000 == 0 {
		return err
	}
	return parent.Chmod(base, mode)
}

func (i image) networkFiles() error {
	etc, err := i.directory("etc")
	if err != nil {
		return err
	}
	for _, file := range networkFiles {
		if err := etc.WriteFile(file.base, []byte(file.content), 0o644, 0, 0); err != nil {
			return err
		}
	}
	return nil
}
