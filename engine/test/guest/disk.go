package main

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
)

// pour appends so many bytes to a file, so many at once (64 KiB unless told), by so many writers (one unless told) in files of their own. It
// tells how many were written, and why no more.
func pour(w http.ResponseWriter, r *http.Request) {
	total, writers, size := number(r, "bytes"), max(1, number(r, "writers")), number(r, "block")
	if size == 0 {
		size = 64 << 10
	}
	block := bytes.Repeat([]byte("p"), size)
	written, failures := make([]int, writers), make([]error, writers)
	var all sync.WaitGroup
	for i := range writers {
		all.Go(func() {
			written[i], failures[i] = pourOne(fmt.Sprintf("%s-%d", r.FormValue("path"), i), total/writers, block)
		})
	}
	all.Wait()
	sum := 0
	for _, count := range written {
		sum += count
	}
	fmt.Fprintf(w, "%d %v", sum, errors.Join(failures...))
}

func pourOne(path string, total int, block []byte) (written int, err error) {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	for err == nil && written < total {
		var count int
		count, err = file.Write(block[:min(len(block), total-written)])
		written += count
	}
	return written, err
}

// cut removes files, or truncates one.
func cut(w http.ResponseWriter, r *http.Request) {
	var err error
	if size := r.FormValue("bytes"); size != "" {
		err = os.Truncate(r.FormValue("path"), int64(number(r, "bytes")))
	} else {
		err = os.Remove(r.FormValue("path"))
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

// left tells what df shows as available.
func left(w http.ResponseWriter, r *http.Request) {
	var disk syscall.Statfs_t
	if err := syscall.Statfs(r.FormValue("path"), &disk); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	fmt.Fprint(w, disk.Bavail*uint64(disk.Bsize))
}

// take makes a file of so many zeroes, by writing them or by fallocate, and tells how that ended.
func take(w http.ResponseWriter, r *http.Request) {
	file, err := os.Create(r.FormValue("path"))
	if err == nil {
		defer file.Close()
		if r.FormValue("how") == "fallocate" {
			err = syscall.Fallocate(int(file.Fd()), 0, 0, int64(number(r, "bytes")))
		} else {
			_, err = file.Write(make([]byte, number(r, "bytes")))
		}
	}
	fmt.Fprint(w, err)
}

// mapped has a process write all pages of a hole through a mapping, with read=first after it read them, with read=only not at all, and
// tells how it ends.
func mapped(w http.ResponseWriter, r *http.Request) {
	output, err := exec.Command("/bin/guest", "map", r.FormValue("path"), r.FormValue("bytes"), r.FormValue("read")).CombinedOutput()
	fmt.Fprintf(w, "%v\n%s", err, output)
}

// mapHole is the process itself.
func mapHole(path, size, read string) error {
	bytes, err := strconv.Atoi(size)
	if err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := file.Truncate(int64(bytes)); err != nil {
		return err
	}
	pages, err := syscall.Mmap(int(file.Fd()), 0, bytes, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		return err
	}
	for i := 0; read != "" && i < bytes; i += 4096 {
		if pages[i] != 0 {
			return fmt.Errorf("byte %d of a hole is %d", i, pages[i])
		}
	}
	for i := 0; read != "only" && i < bytes; i += 4096 {
		pages[i] = 1
	}
	return nil
}
