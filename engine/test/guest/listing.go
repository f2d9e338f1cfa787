package main

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

type inode struct{ device, number uint64 }

// listing tells everything about every file below the directories that the question names: path → properties.
func listing(w http.ResponseWriter, r *http.Request) {
	all := map[string]string{}
	first := map[inode]string{}
	for root := range strings.SplitSeq(r.FormValue("roots"), ",") {
		err := filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
			if err == nil {
				all[fmt.Sprintf("%+q", path)], err = properties(path, first)
			}
			return err
		})
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
	}
	_ = json.NewEncoder(w).Encode(all)
}

func properties(path string, first map[inode]string) (string, error) {
	var stat syscall.Stat_t
	if err := syscall.Lstat(path, &stat); err != nil {
		return "", err
	}
	text := fmt.Sprintf("mode=%o owner=%d:%d device=%d", stat.Mode, stat.Uid, stat.Gid, stat.Rdev)
	if stat.Mode&syscall.S_IFMT != syscall.S_IFDIR {
		text += fmt.Sprintf(" links=%d mtime=%d.%09d", stat.Nlink, stat.Mtim.Sec, stat.Mtim.Nsec)
		if same, ok := first[inode{stat.Dev, stat.Ino}]; ok {
			text += fmt.Sprintf(" same=%+q", same)
		} else {
			first[inode{stat.Dev, stat.Ino}] = path
		}
	}
	content, err := content(path, &stat)
	return text + content + attributes(path), err
}

func content(path string, stat *syscall.Stat_t) (string, error) {
	switch stat.Mode & syscall.S_IFMT {
	case syscall.S_IFLNK:
		target, err := os.Readlink(path)
		return fmt.Sprintf(" target=%+q", target), err
	case syscall.S_IFREG:
		const whole = 1 << 30
		text := fmt.Sprintf(" size=%d blocks=%d", stat.Size, stat.Blocks)
		if stat.Size > whole {
			return text, nil
		}
		sum, err := sum(path)
		return text + sum, err
	default:
		return "", nil
	}
}

func sum(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	hash := sha256.New()
	_, err = io.Copy(hash, file)
	return fmt.Sprintf(" sum=%x", hash.Sum(nil)[:8]), err
}

func attributes(path string) string {
	names := make([]byte, 4096)
	n, err := syscall.Listxattr(path, names)
	if err != nil {
		return ""
	}
	list := strings.FieldsFunc(string(names[:n]), func(r rune) bool { return r == 0 })
	slices.Sort(list)
	text := ""
	for _, name := range list {
		value := make([]byte, 4096)
		if n, err := syscall.Getxattr(path, name, value); err == nil {
			text += fmt.Sprintf(" %s=%q", name, value[:n])
		}
	}
	return text
}
