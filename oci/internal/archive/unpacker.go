package archive

import (
	"archive/tar"
	"errors"
	"hash/maphash"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"torpor.dev/oci/internal/fault"
	"torpor.dev/oci/internal/tree"
)

// policy is in what unpacking a layer and unpacking an upload differ.
type policy struct {
	whiteouts bool   // ".wh." names remove what lower layers brought
	owners    bool   // owners and extended attributes are kept; else all belongs to root
	modes     uint32 // the bits of a mode that are kept
	absolute  bool   // a leading slash is dropped instead of refused
	fifos     bool   // named pipes are made
}

var layerPolicy = policy{whiteouts: true, owners: true, modes: 0o7777, absolute: true, fifos: true}
var uploadPolicy = policy{modes: 0o1777}

// unpacker applies archives, one after the other, to one tree.
type unpacker struct {
	tree    *tree.Tree
	policy  policy
	budget  *budget
	skipped *skipped
	// times of directories, by inode: set at the very end, as every entry made in a directory changes its time.
	times map[uint64]unix.Timespec
	// own holds a hash of every name that the present archive has brought: whiteouts spare them.
	own map[uint64]struct{}
	// pruned holds the directories, by inode, from which the lower layers are gone: a second look finds nothing, and costs as much.
	pruned map[uint64]struct{}
	seed   maphash.Seed
	buffer []byte
}

func newUnpacker(target *tree.Tree, rules policy, limits Limits) *unpacker {
	return &unpacker{
		tree: target, policy: rules, budget: &budget{limits: limits}, skipped: &skipped{},
		times: map[uint64]unix.Timespec{}, seed: maphash.MakeSeed(), buffer: make([]byte, copyBuffer),
	}
}

// apply unpacks one tar stream into the tree.
func (u *unpacker) apply(stream io.Reader) error {
	u.own, u.pruned = map[uint64]struct{}{}, map[uint64]struct{}{}
	reader := tar.NewReader(stream)
	for {
		header, err := reader.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return unreadable(err)
		}
		if err := u.budget.entry(); err != nil {
			return err
		}
		if err := u.entry(header, reader); err != nil {
			return refused(header.Name, err)
		}
	}
}

// entry unpacks what one header stands for.
func (u *unpacker) entry(header *tar.Header, content io.Reader) error {
	if header.Typeflag == tar.TypeXGlobalHeader {
		return nil
	}
	name, err := u.cleanName(header.Name)
	if err != nil {
		return err
	}
	directory, base := tree.Split(name)
	if name == "" {
		return u.root(header)
	}
	if u.policy.whiteouts && strings.HasPrefix(name, metadataPrefix) {
		return nil // of aufs itself, not of the image
	}
	if u.policy.whiteouts && isWhiteout(header, base) {
		return u.whiteout(header, directory, base)
	}
	parent, err := u.tree.DirOrMake(directory, u.missing)
	if err != nil {
		return err
	}
	return u.place(header, parent, base, content)
}

func (u *unpacker) cleanName(name string) (string, error) {
	if !u.policy.absolute && strings.HasPrefix(name, "/") {
		return "", fault.New(fault.InvalidArgument, "The entry %q has an absolute name.", name)
	}
	return tree.Clean(name)
}

// place makes the entry itself.
func (u *unpacker) place(header *tar.Header, parent *tree.Dir, base string, content io.Reader) error {
	switch header.Typeflag {
	case tar.TypeReg, tar.TypeGNUSparse, tar.TypeCont:
		return u.file(header, parent, base, content)
	case tar.TypeDir:
		return u.directory(header, parent, base)
	case tar.TypeSymlink:
		return u.symlink(header, parent, base)
	case tar.TypeLink:
		return u.hardLink(header, parent, base)
	case tar.TypeFifo:
		if u.policy.fifos {
			return u.fifo(header, parent, base)
		}
		return u.skip(pipes, header, parent, base)
	case tar.TypeChar, tar.TypeBlock:
		return u.skip(devices, header, parent, base)
	}
	return fault.New(fault.InvalidArgument, "The entry is of a type (%q) that images and uploads do not have.", header.Typeflag)
}

// skip leaves out what must not be made, but removes what had that name: the archive has replaced it.
func (u *unpacker) skip(sort skipSort, header *tar.Header, parent *tree.Dir, base string) error {
	u.skipped.add(sort, header.Name)
	return parent.Remove(base)
}

// root takes the attributes of the tree's own directory.
func (u *unpacker) root(header *tar.Header) error {
	if header.Typeflag != tar.TypeDir {
		return fault.New(fault.InvalidArgument, "The entry stands for the root but is no directory.")
	}
	dir, err := u.tree.Dir("")
	if err != nil {
		return err
	}
	return u.directoryAttributes(header, dir, ".")
}

// mark remembers that the present archive has brought a name.
func (u *unpacker) mark(parent *tree.Dir, base string) { u.own[u.key(parent.Inode, base)] = struct{}{} }

// missing counts a directory that has no entry of its own.
func (u *unpacker) missing(parent *tree.Dir, base string) error {
	u.mark(parent, base)
	return u.budget.entry()
}

func (u *unpacker) isOwn(parent uint64, base string) bool {
	_, own := u.own[u.key(parent, base)]
	return own
}

// key is a keyed hash, so that an archive cannot make names that collide.
func (u *unpacker) key(parent uint64, base string) uint64 {
	var hash maphash.Hash
	hash.SetSeed(u.seed)
	maphash.WriteComparable(&hash, parent)
	_, _ = hash.WriteString(base)
	return hash.Sum64()
}

// finish sets the directories' times, by a walk that is as deep as the tree may be.
func (u *unpacker) finish() error {
	dir, err := u.tree.Dir("")
	if err != nil {
		return err
	}
	handle, err := dir.Handle()
	if err != nil {
		return err
	}
	defer handle.Close()
	return u.setTimes(handle)
}

func (u *unpacker) setTimes(directory *os.File) error {
	err := tree.EachEntry(directory, func(entry os.DirEntry) error {
		if !entry.IsDir() {
			return nil
		}
		child, err := tree.OpenBelow(directory, entry.Name())
		if err != nil {
			return err
		}
		defer child.Close()
		return u.setTimes(child)
	})
	if err != nil {
		return err
	}
	inode, err := tree.Inode(directory)
	if err != nil {
		return err
	}
	if modified, known := u.times[inode]; known {
		return tree.SetTime(directory, modified)
	}
	return nil
}

// refused names the entry at which the content was not acceptable.
func refused(name string, err error) error {
	var known *fault.Fault
	if errors.As(err, &known) {
		if known.Kind == fault.InvalidArgument && !strings.Contains(known.Message, "entry ") {
			known.Message += " (at " + quoted(name) + ")"
		}
		return known
	}
	return refusedBySystem(name, err)
}
