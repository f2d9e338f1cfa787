package main

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// open keeps descriptors of files that have no name any more.
var open []*os.File

// makeZoo makes at least one file of every sort below /zoo, and changes what the image's layer below gives in /lower.
func makeZoo(w http.ResponseWriter, _ *http.Request) {
	for _, make := range []func() error{makePlain, makeOdd, makeLinks, makeAttributes, makeLarge, makeOpen, makeAsUser, changeLower} {
		if err := make(); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
	}
}

func try(failures ...error) error {
	for _, err := range failures {
		if err != nil {
			return err
		}
	}
	return nil
}

func put(path, content string, mode os.FileMode) error {
	return try(os.WriteFile(path, []byte(content), 0o600), os.Chmod(path, mode))
}

func makePlain() error {
	when := time.Unix(1_700_000_000, 0)
	return try(
		os.MkdirAll("/zoo/empty directory", 0o755),
		os.Chmod("/zoo", 0o751),
		put("/zoo/empty", "", 0o644),
		put("/zoo/setuid", "x", 0o755|os.ModeSetuid|os.ModeSetgid),
		os.MkdirAll("/zoo/sticky", 0o755), os.Chmod("/zoo/sticky", 0o777|os.ModeSticky),
		put("/zoo/nobody may", "secret", 0),
		put("/zoo/owned", "by 1000:1001", 0o640), os.Chown("/zoo/owned", 1000, 1001),
		put("/zoo/dated", "x", 0o644), os.Chtimes("/zoo/dated", when, when),
		os.Symlink("/nowhere/at/all", "/zoo/dangling"),
		os.Symlink(strings.Repeat("long/", 300), "/zoo/long symlink"),
		os.Lchown("/zoo/dangling", 1000, 1000),
		put("/zoo/finely dated", "x", 0o644), os.Chtimes("/zoo/finely dated", when, when.Add(123_456_789)),
	)
}

func makeOdd() error {
	if err := os.MkdirAll("/zoo/names", 0o755); err != nil {
		return err
	}
	deep := "/zoo/names/" + strings.Repeat(strings.Repeat("d", 200)+"/", 12)
	names := []string{"new\nline", "tab\tquote\"back\\slash", "größe-日本語-🦊", "\xff\xfe not UTF-8", strings.Repeat("n", 255), " ", "-rf", "*", "trailing.", "PaxHeaders.0"}
	for _, name := range names {
		if err := put("/zoo/names/"+name, name, 0o644); err != nil {
			return err
		}
	}
	return try(
		os.MkdirAll(deep, 0o755), put(deep+"deep", "deep", 0o644),
		syscall.Mkfifo("/zoo/fifo", 0o640),
		syscall.Mknod("/zoo/device", syscall.S_IFCHR|0o600, 1<<8|3),
	)
}

func makeLinks() error {
	listener, err := net.Listen("unix", "/zoo/socket")
	if err != nil {
		return err
	}
	listener.(*net.UnixListener).SetUnlinkOnClose(false)
	return try(
		listener.Close(),
		put("/zoo/one", "three names", 0o644), os.Link("/zoo/one", "/zoo/two"), os.Link("/zoo/one", "/zoo/names/three"),
		os.Symlink("one", "/zoo/symbolic"), os.Link("/zoo/symbolic", "/zoo/symbolic too"),
	)
}

func makeAttributes() error {
	capability := "\x01\x00\x00\x02\x00\x20\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
	return try(
		put("/zoo/attributes", "x", 0o644),
		syscall.Setxattr("/zoo/attributes", "user.text", []byte("value"), 0),
		syscall.Setxattr("/zoo/attributes", "user.zero", []byte("a\x00b"), 0),
		syscall.Setxattr("/zoo/attributes", "user.not.utf8", []byte{0xff, 0x80}, 0),
		syscall.Setxattr("/zoo/attributes", "user.empty", nil, 0),
		syscall.Setxattr("/zoo/attributes", "trusted.text", []byte("value"), 0),
		syscall.Setxattr("/zoo/sticky", "user.directory", []byte("value"), 0),
		put("/zoo/capable", "x", 0o755),
		syscall.Setxattr("/zoo/capable", "security.capability", []byte(capability), 0),
	)
}

func makeLarge() error {
	block := bytes.Repeat([]byte("0123456789abcde\n"), 1<<16)
	large, err := os.Create("/zoo/large")
	if err != nil {
		return err
	}
	defer large.Close()
	for range 64 {
		if _, err := large.Write(block); err != nil {
			return err
		}
	}
	sparse, err := os.Create("/zoo/sparse")
	if err != nil {
		return err
	}
	defer sparse.Close()
	_, first := sparse.WriteAt([]byte("middle"), 5<<30)
	return try(first, sparse.Truncate(20<<30), put("/zoo/odd size", strings.Repeat("x", 12345), 0o644))
}

// makeOpen leaves deleted files that only a descriptor still knows.
func makeOpen() error {
	file, err := os.Create("/zoo/deleted but open")
	if err != nil {
		return err
	}
	open = append(open, file)
	_, err = file.Write(bytes.Repeat([]byte("deleted\n"), 1<<20))
	return try(err, os.Remove(file.Name()))
}

// many makes so many small files, a hundred in a directory.
func many(w http.ResponseWriter, r *http.Request) {
	for i := range number(r, "count") {
		directory := fmt.Sprintf("/many/%d", i/100)
		if err := try(os.MkdirAll(directory, 0o755), put(fmt.Sprintf("%s/file-%d.js", directory, i), "module.exports = 1", 0o644)); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
	}
}

// hold writes a file, maps it into memory, deletes it and keeps it.
func hold(w http.ResponseWriter, r *http.Request) {
	file, err := os.Create(r.FormValue("path"))
	if err == nil {
		open = append(open, file)
		_, err = file.Write(bytes.Repeat([]byte("h"), number(r, "bytes")))
	}
	if err == nil {
		_, err = syscall.Mmap(int(file.Fd()), 0, number(r, "bytes"), syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED|syscall.MAP_POPULATE)
	}
	if err := try(err, os.Remove(r.FormValue("path"))); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

// replace writes a file anew, and leaves it mapped into memory.
func replace(w http.ResponseWriter, r *http.Request) {
	path := r.FormValue("path")
	_ = os.Remove(path)
	err := os.WriteFile(path, bytes.Repeat([]byte("r"), number(r, "bytes")), 0o644)
	file, opening := os.Open(path)
	if err := try(err, opening); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	defer file.Close()
	if _, err := syscall.Mmap(int(file.Fd()), 0, number(r, "bytes"), syscall.PROT_READ, syscall.MAP_SHARED|syscall.MAP_POPULATE); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

func makeAsUser() error {
	if err := try(os.MkdirAll("/zoo/home", 0o755), os.Chown("/zoo/home", 1000, 1000)); err != nil {
		return err
	}
	command := exec.Command("/bin/guest", "write-as-user")
	command.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 1000, Gid: 1000}}
	output, err := command.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, output)
	}
	return nil
}

// writeAsUser is the child's part of makeAsUser.
func writeAsUser() error {
	return try(put("/zoo/home/mine", "mine", 0o600), os.Mkdir("/zoo/home/sub", 0o700), put("/zoo/home/sub/x", "x", 0o644))
}

func changeLower() error {
	return try(
		os.Remove("/lower/deleted"), os.RemoveAll("/lower/deleted directory"),
		os.RemoveAll("/lower/opaque"), os.Mkdir("/lower/opaque", 0o755), put("/lower/opaque/new", "new", 0o644),
		put("/lower/replaced", "new content", 0o600),
		os.Chmod("/lower/changed mode", 0o741), os.Chown("/lower/changed owner", 1000, 1000),
		os.Rename("/lower/renamed", "/lower/renamed to"),
		os.Remove("/lower/now a directory"), os.Mkdir("/lower/now a directory", 0o755),
		os.RemoveAll("/lower/now a file"), put("/lower/now a file", "file", 0o644),
		put(filepath.Join("/lower/directory", "added"), "added", 0o644),
		os.Remove("/lower/directory/removed"),
	)
}
