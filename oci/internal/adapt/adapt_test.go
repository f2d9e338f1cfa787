package adapt

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

type lines []string

func (l *lines) Info(format string, arguments ...any) {
	*l = append(*l, fmt.Sprintf(format, arguments...))
}
func (l *lines) Warn(format string, arguments ...any) { l.Info("warn: "+format, arguments...) }

func (l *lines) has(part string) bool { return strings.Contains(strings.Join(*l, "\n"), part) }

// lay makes a file system: a name that ends with a slash is a directory, a content that starts with "-> " a link, one that starts with "#!" a program.
func lay(t *testing.T, entries map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, content := range entries {
		path, mode := filepath.Join(root, name), os.FileMode(0o644)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		var err error
		switch destination, isLink := strings.CutPrefix(content, "-> "); {
		case strings.HasSuffix(name, "/"):
			err = os.MkdirAll(path, 0o755)
		case isLink:
			err = os.Symlink(destination, path)
		default:
			if strings.HasPrefix(content, "#!") {
				mode = 0o755
			}
			err = os.WriteFile(path, []byte(content), mode)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func adapted(t *testing.T, root string) (Result, *lines) {
	t.Helper()
	log := &lines{}
	result, err := Adapt(root, log)
	if err != nil {
		t.Fatal(err)
	}
	return result, log
}

func read(t *testing.T, root, name string) string {
	t.Helper()
	stat, err := os.Lstat(filepath.Join(root, name))
	if err != nil || !stat.Mode().IsRegular() {
		t.Fatalf("%s is %v (%v)", name, stat, err)
	}
	content, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func TestEmptyImageIsMadeFit(t *testing.T) {
	root := t.TempDir()
	result, log := adapted(t, root)
	if result.User != (User{"user", 1000, 1000, "/home/user", "/bin/sh"}) || result.Sudo || result.Bash || result.Libc != "" {
		t.Errorf("%+v", result)
	}
	if !log.has("no sudo") || !log.has("neither /bin/bash nor /bin/sh") {
		t.Errorf("the log is %q", *log)
	}
	for _, point := range mountPoints {
		if stat, err := os.Lstat(filepath.Join(root, point.name)); err != nil || !stat.IsDir() {
			t.Errorf("%s: %v", point.name, err)
		}
	}
	if stat, err := os.Stat(filepath.Join(root, "tmp")); err != nil || stat.Mode()&(os.ModeSticky|0o777) != os.ModeSticky|0o777 {
		t.Errorf("/tmp is %v (%v)", stat.Mode(), err)
	}
	passwd, group := read(t, root, "etc/passwd"), read(t, root, "etc/group")
	if passwd != "root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/home/user:/bin/sh\n" || group != "root:x:0:\nuser:x:1000:\n" {
		t.Errorf("the accounts are %q and %q", passwd, group)
	}
	if stat, err := os.Stat(filepath.Join(root, "root")); err != nil || stat.Mode().Perm() != 0o700 {
		t.Errorf("/root is %v (%v)", stat, err)
	}
	if !log.has(`no account "root"`) {
		t.Errorf("the log is %q", *log)
	}
}

func TestImageWithAnotherUser1000(t *testing.T) {
	root := lay(t, map[string]string{
		"etc/passwd": "root:x:0:0:root:/root:/bin/sh\nnode:x:1000:1000::/home/node:/bin/bash", "etc/group": "root:x:0:\nnode:x:1000:",
		"etc/shadow": "root:*:::::::\n", "etc/gshadow": "root:*::\n", "etc/skel/.bashrc": "# hello\n", "etc/skel/evil": "-> /etc/shadow",
		"usr/bin/bash": "#!", "bin": "-> usr/bin", "usr/bin/sudo": "#!", "etc/sudoers": "root ALL=(ALL) ALL\n",
		"usr/bin/apk": "#!", "lib/ld-musl-x86_64.so.1": "x", "etc/ssl/cert.pem": "-> certs/ca-certificates.crt", "etc/ssl/certs/ca-certificates.crt": "x",
	})
	result, log := adapted(t, root)
	want := Result{User{"user", 1001, 1001, "/home/user", "/bin/bash"}, true, true, "/etc/ssl/certs/ca-certificates.crt", "musl", "apk"}
	if result != want {
		t.Errorf("%+v", result)
	}
	if !log.has(`"node" has the uid 1000 and is left as it is`) {
		t.Errorf("the log is %q", *log)
	}
	if passwd := read(t, root, "etc/passwd"); !strings.HasSuffix(passwd, "bash\nuser:x:1001:1001::/home/user:/bin/bash\n") {
		t.Errorf("passwd is %q", passwd)
	}
	for name, part := range map[string]string{
		"etc/shadow": "user:!:", "etc/gshadow": "user:!:", "etc/sudoers": "#includedir /etc/sudoers.d\n",
		"etc/sudoers.d/user": "NOPASSWD", "home/user/.bashrc": "# hello",
	} {
		if content := read(t, root, name); !strings.Contains(content, part) {
			t.Errorf("%s is %q", name, content)
		}
	}
	if _, err := os.Lstat(filepath.Join(root, "home/user/evil")); err == nil {
		t.Error("a link of the skeleton is copied")
	}
	stat, err := os.Stat(filepath.Join(root, "home/user/.bashrc"))
	if err != nil || stat.Sys().(*syscall.Stat_t).Uid != 1001 {
		t.Errorf("the home belongs to %v (%v)", stat, err)
	}
	before := read(t, root, "etc/passwd") + read(t, root, "etc/group") + read(t, root, "etc/sudoers")
	again, _ := adapted(t, root)
	if again != want || read(t, root, "etc/passwd")+read(t, root, "etc/group")+read(t, root, "etc/sudoers") != before {
		t.Errorf("the second time changes something: %+v", again)
	}
}

func TestLinksOutOfTheImageAreNotFollowed(t *testing.T) {
	victim := lay(t, map[string]string{"passwd": "victim", "resolv.conf": "victim", "d/": ""})
	root := lay(t, map[string]string{
		"etc/passwd": "-> " + victim + "/passwd", "etc/resolv.conf": "-> " + victim + "/resolv.conf", "etc/hosts": "-> ../../../../../../" + victim + "/passwd",
		"tmp": "-> " + victim + "/d", "run": "-> " + victim + "/d", "home/user": "-> /root", "root/": "", "etc/hostname/x": "a directory",
		"usr/bin/sudo": "#!", "etc/sudoers": "@includedir /etc/sudoers.d\n", "etc/sudoers.d/user": "-> " + victim + "/passwd",
	})
	log := &lines{}
	if _, err := Adapt(root, log); err == nil || !strings.Contains(err.Error(), "/home/user is not a directory") {
		t.Errorf("a home that is a link: %v", err)
	}
	if err := os.Remove(filepath.Join(root, "home/user")); err != nil {
		t.Fatal(err)
	}
	adapted(t, root)
	for _, name := range []string{"etc/resolv.conf", "etc/hosts", "etc/hostname", "etc/passwd", "etc/sudoers.d/user"} {
		read(t, root, name)
	}
	for _, name := range []string{"passwd", "resolv.conf"} {
		if content := read(t, victim, name); content != "victim" {
			t.Errorf("%s outside is %q", name, content)
		}
	}
	if entries, _ := os.ReadDir(filepath.Join(victim, "d")); len(entries) > 0 {
		t.Errorf("%v was made outside", entries)
	}
}

func TestFilesThatWouldHoldItUpAreRefused(t *testing.T) {
	fifo := lay(t, map[string]string{"etc/": ""})
	if err := syscall.Mkfifo(filepath.Join(fifo, "etc/passwd"), 0o644); err != nil {
		t.Fatal(err)
	}
	huge := lay(t, map[string]string{"etc/passwd": ""})
	if err := os.Truncate(filepath.Join(huge, "etc/passwd"), 1<<40); err != nil {
		t.Fatal(err)
	}
	for name, root := range map[string]string{"a pipe": fifo, "a terabyte": huge} {
		if _, err := Adapt(root, &lines{}); err == nil {
			t.Errorf("%s as /etc/passwd is accepted", name)
		}
	}
}
