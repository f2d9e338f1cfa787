package adapt

import (
	"errors"
	"os"
	"regexp"
	"strings"

	"golang.org/x/sys/unix"

	"torpor.dev/oci/internal/tree"
)

var executableDirectories = []string{"usr/local/sbin", "usr/local/bin", "usr/sbin", "usr/bin", "sbin", "bin"}

var packageManagers = []string{"apt-get", "apk", "dnf", "microdnf", "yum", "zypper", "pacman"}

// caBundles are where distributions keep the certificates that programs trust.
var caBundles = []string{
	"etc/ssl/certs/ca-certificates.crt", "etc/pki/tls/certs/ca-bundle.crt", "etc/ssl/ca-bundle.pem",
	"etc/pki/tls/cacert.pem", "etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", "etc/ssl/cert.pem",
}

var glibcLoaders = []string{"lib64/ld-linux-x86-64.so.2", "lib/ld-linux-aarch64.so.1"}

var includesSudoers = regexp.MustCompile(`(?m)^[@#]includedir\s+/etc/sudoers\.d\s*$`)

// facts finds out what the image has and says what will be missed.
func (i image) facts() Result {
	found := Result{Bash: i.executable("bin/bash"), Libc: i.libc()}
	for _, name := range caBundles {
		if found.CABundle == "" && i.isFile(name) {
			found.CABundle = "/" + name
		}
	}
	for _, name := range packageManagers {
		if found.PackageManager == "" && i.command(name) {
			found.PackageManager = name
		}
	}
	i.log.Info("C library: %s; package manager: %s; CA bundle: %s.", orNone(found.Libc), orNone(found.PackageManager), orNone(found.CABundle))
	switch {
	case !found.Bash && !i.executable("bin/sh"):
		i.log.Warn("The image has neither /bin/bash nor /bin/sh: commands cannot be run in it.")
	case !found.Bash:
		i.log.Warn("The image has no /bin/bash: commands that are run through it will fail. Install bash to use them.")
	}
	return found
}

func orNone(found string) string {
	if found == "" {
		return "none found"
	}
	return found
}

func (i image) isFile(name string) bool {
	stat, err := i.Stat(name)
	return err == nil && stat.Mode&unix.S_IFMT == unix.S_IFREG
}

func (i image) executable(name string) bool {
	stat, err := i.Stat(name)
	return err == nil && stat.Mode&unix.S_IFMT == unix.S_IFREG && stat.Mode&0o111 != 0
}

func (i image) command(name string) bool {
	for _, directory := range executableDirectories {
		if i.executable(directory + "/" + name) {
			return true
		}
	}
	return false
}

// libc goes by the loader that programs ask for: "glibc", "musl", or "" for an image of static programs.
func (i image) libc() string {
	for _, name := range glibcLoaders {
		if i.isFile(name) {
			return "glibc"
		}
	}
	if i.hasMuslLoader() {
		return "musl"
	}
	return ""
}

func (i image) hasMuslLoader() bool {
	directory, err := i.Dir("lib")
	if err != nil {
		return false
	}
	handle, err := directory.Handle()
	if err != nil {
		return false
	}
	defer handle.Close()
	found := errors.New("found")
	return tree.EachEntry(handle, func(entry os.DirEntry) error {
		if strings.HasPrefix(entry.Name(), "ld-musl-") {
			return found
		}
		return nil
	}) == found
}

// sudo lets the user become root without a password, where the image has sudo.
func (i image) sudo() (bool, error) {
	if !i.command("sudo") {
		i.log.Warn("The image has no sudo: the user %q cannot become root. Steps and commands can be run as root by naming the user.", userName)
		return false, nil
	}
	directory, err := i.directory("etc/sudoers.d")
	if err != nil {
		return false, err
	}
	if err := directory.WriteFile(userName, []byte(userName+" ALL=(ALL:ALL) NOPASSWD: ALL\n"), 0o440, 0, 0); err != nil {
		return false, err
	}
	present, err := i.table("sudoers")
	if err != nil || includesSudoers.Match(present.content) {
		return err == nil, err
	}
	i.log.Info("/etc/sudoers did not include /etc/sudoers.d: it does now.")
	return true, i.appendLine("sudoers", present, "#includedir /etc/sudoers.d", 0o440)
}
