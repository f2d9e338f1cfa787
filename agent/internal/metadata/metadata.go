// Package metadata keeps the users' words about a file with the file, as extended attributes (protocol.md §3.2).
package metadata

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

const (
	headerPrefix = "X-Metadata-"
	xattrPrefix  = "user.e2b."

	maxKeyBytes   = 246
	maxTotalBytes = 4096
)

// FromHeader collects the metadata of an upload; nil when there is none. The error is for the client.
func FromHeader(header http.Header) (map[string]string, error) {
	var values map[string]string
	total := 0
	for name, lines := range header {
		key, found := strings.CutPrefix(name, headerPrefix)
		if !found {
			continue
		}
		key, value := strings.ToLower(key), strings.Join(lines, ", ")
		if err := check(key, value); err != nil {
			return nil, err
		}
		if values == nil {
			values = map[string]string{}
		}
		values[key] = value
		total += len(key) + len(value)
	}
	if total > maxTotalBytes {
		return nil, fmt.Errorf("the metadata of a file is limited to %d bytes", maxTotalBytes)
	}
	return values, nil
}

func check(key, value string) error {
	if key == "" || len(key) > maxKeyBytes {
		return fmt.Errorf("a metadata key needs 1 to %d bytes", maxKeyBytes)
	}
	for i := range len(value) {
		if value[i] < 0x20 || value[i] > 0x7e {
			return fmt.Errorf("the metadata value of '%s' is not printable ASCII", key)
		}
	}
	return nil
}

// Write makes these the only metadata of an open file. A file system without attributes keeps none, which is no error.
func Write(file *os.File, values map[string]string) error {
	descriptor := int(file.Fd())
	if err := clear(descriptor, values); err != nil {
		return err
	}
	for key, value := range values {
		err := uninterrupted(func() error { return unix.Fsetxattr(descriptor, xattrPrefix+key, []byte(value), 0) })
		if unsupported(err) {
			return nil
		}
		if err != nil {
			return &os.PathError{Op: "setxattr", Path: file.Name(), Err: err}
		}
	}
	return nil
}

func clear(descriptor int, kept map[string]string) error {
	names, err := list(func(buffer []byte) (int, error) { return unix.Flistxattr(descriptor, buffer) })
	if err != nil {
		return err
	}
	for _, name := range names {
		if _, stays := kept[strings.TrimPrefix(name, xattrPrefix)]; stays {
			continue
		}
		err := uninterrupted(func() error { return unix.Fremovexattr(descriptor, name) })
		if err != nil && !errors.Is(err, unix.ENODATA) {
			return os.NewSyscallError("fremovexattr", err)
		}
	}
	return nil
}

// Read returns the metadata of a file; nil when it has none or they cannot be read. Links are not followed.
func Read(path string) map[string]string {
	names, err := list(func(buffer []byte) (int, error) { return unix.Llistxattr(path, buffer) })
	if err != nil || len(names) == 0 {
		return nil
	}
	values := map[string]string{}
	buffer := make([]byte, maxTotalBytes)
	for _, name := range names {
		n := 0
		err := uninterrupted(func() (err error) {
			n, err = unix.Lgetxattr(path, name, buffer)
			return err
		})
		if err == nil {
			values[strings.TrimPrefix(name, xattrPrefix)] = string(buffer[:n])
		}
	}
	return values
}

// list asks for the names of the attributes and keeps ours. One call without a buffer tells that there are none, which is
// nearly always so.
func list(call func([]byte) (int, error)) ([]string, error) {
	size, err := sizeOf(call, nil)
	if err != nil || size == 0 {
		return nil, unlessUnsupported(err)
	}
	buffer := make([]byte, size+maxTotalBytes) // room for what is added meanwhile
	if size, err = sizeOf(call, buffer); err != nil {
		return nil, unlessUnsupported(err)
	}
	var names []string
	for name := range strings.SplitSeq(string(buffer[:size]), "\x00") {
		if strings.HasPrefix(name, xattrPrefix) {
			names = append(names, name)
		}
	}
	return names, nil
}

func unlessUnsupported(err error) error {
	if unsupported(err) {
		return nil
	}
	return os.NewSyscallError("listxattr", err)
}

// unsupported: some FUSE programs (rclone mount 1.60) say EIO to every question about attributes. The content of a file is not at stake.
func unsupported(err error) bool {
	for _, one := range []error{unix.ENOTSUP, unix.ENOSYS, unix.EPERM, unix.EIO} {
		if errors.Is(err, one) {
			return true
		}
	}
	return false
}

func sizeOf(call func([]byte) (int, error), buffer []byte) (size int, err error) {
	err = uninterrupted(func() error {
		size, err = call(buffer)
		return err
	})
	return size, err
}

// uninterrupted repeats a call that was cut short, as the os package does for its own. Seen with listxattr on a FUSE mount.
func uninterrupted(call func() error) error {
	for {
		if err := call(); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}
