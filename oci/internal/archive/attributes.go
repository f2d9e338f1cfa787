package archive

import (
	"archive/tar"
	"errors"
	"math"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"torpor.dev/oci/internal/fault"
	"torpor.dev/oci/internal/tree"
)

const (
	attributeRecord = "SCHILY.xattr."
	maxAttributes   = 64 << 10
)

func (u *unpacker) modeOf(header *tar.Header) uint32 { return uint32(header.Mode) & u.policy.modes }

func timeOf(header *tar.Header) unix.Timespec {
	return unix.Timespec{Sec: header.ModTime.Unix(), Nsec: int64(header.ModTime.Nanosecond())}
}

// ownerOf refuses numbers that are none: the highest one means "leave as it is" to the kernel.
func (u *unpacker) ownerOf(header *tar.Header) (uid, gid int, err error) {
	if !u.policy.owners {
		return 0, 0, nil
	}
	if header.Uid < 0 || header.Gid < 0 || int64(header.Uid) >= math.MaxUint32 || int64(header.Gid) >= math.MaxUint32 {
		return 0, 0, fault.New(fault.InvalidArgument, "The entry belongs to the user %d and group %d, which Linux does not have.", header.Uid, header.Gid)
	}
	return header.Uid, header.Gid, nil
}

// attributes sets what an open file or directory has beside its content. The owner comes first: changing it takes setuid and capabilities away.
func (u *unpacker) attributes(file *os.File, header *tar.Header) error {
	uid, gid, err := u.ownerOf(header)
	if err != nil {
		return err
	}
	descriptor := int(file.Fd())
	if err := unix.Fchown(descriptor, uid, gid); err != nil {
		return err
	}
	if err := unix.Fchmod(descriptor, u.modeOf(header)); err != nil {
		return err
	}
	if !u.policy.owners {
		return nil
	}
	return u.extendedAttributes(descriptor, header)
}

// bareAttributes sets owner and time of what cannot be opened.
func (u *unpacker) bareAttributes(header *tar.Header, parent *tree.Dir, base string) error {
	uid, gid, err := u.ownerOf(header)
	if err != nil {
		return err
	}
	if err := parent.Chown(base, uid, gid); err != nil {
		return err
	}
	return parent.SetTime(base, timeOf(header))
}

func (u *unpacker) extendedAttributes(descriptor int, header *tar.Header) error {
	for record, value := range header.PAXRecords {
		name, isAttribute := strings.CutPrefix(record, attributeRecord)
		if !isAttribute {
			continue
		}
		if !keptAttribute(name) {
			u.skipped.add(attributes, header.Name)
			continue
		}
		if err := unix.Fsetxattr(descriptor, name, []byte(value), 0); err != nil {
			if name == "security.capability" || !refusedAttribute(err) {
				return fault.Wrap(err, fault.InvalidArgument, "The entry has an attribute %q that cannot be set.", name)
			}
			u.skipped.add(attributes, header.Name)
		}
	}
	return nil
}

// keptAttribute tells what belongs to an image from what belongs to the machine it was made on, or means something to this one.
func keptAttribute(name string) bool {
	if strings.HasPrefix(name, "user.overlay.") {
		return false
	}
	return name == "security.capability" || strings.HasPrefix(name, "user.") || strings.HasPrefix(name, "system.posix_acl_")
}

// refusedAttribute: the file system has no room or no sense for this attribute. A full disk is none of these, but ext4 says it
// of an attribute that is larger than a block.
func refusedAttribute(err error) bool {
	for _, known := range []error{unix.ENOTSUP, unix.EPERM, unix.E2BIG, unix.ERANGE, unix.ENOSPC, unix.EINVAL} {
		if errors.Is(err, known) {
			return true
		}
	}
	return false
}

// clearAttributes removes what a directory has from a lower layer or from its parent: an entry is complete.
func clearAttributes(directory *os.File) error {
	descriptor := int(directory.Fd())
	size, err := unix.Flistxattr(descriptor, nil)
	if err != nil || size == 0 {
		return ignoreUnsupported(err)
	}
	names := make([]byte, min(size, maxAttributes))
	if size, err = unix.Flistxattr(descriptor, names); err != nil {
		return err
	}
	for name := range strings.SplitSeq(string(names[:size]), "\x00") {
		if !keptAttribute(name) {
			continue
		}
		if err := unix.Fremovexattr(descriptor, name); err != nil {
			return err
		}
	}
	return nil
}

func ignoreUnsupported(err error) error {
	if errors.Is(err, unix.ENOTSUP) {
		return nil
	}
	return err
}
