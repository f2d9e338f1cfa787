// Command guest is the first process of the sandboxes in the end-to-end tests: an HTTP server that counts and tells.
package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
)

var (
	counter atomic.Int64
	ballast [][]byte
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "write-as-user" {
		if err := writeAsUser(); err != nil {
			panic(err)
		}
		return
	}
	if len(os.Args) > 2 && os.Args[1] == "signal-first" {
		signal, _ := strconv.Atoi(os.Args[2])
		_ = syscall.Kill(1, syscall.Signal(signal))
		return
	}
	if len(os.Args) > 3 && os.Args[1] == "eat" {
		eatUp(os.Args[2], os.Args[3])
		return
	}
	if len(os.Args) > 4 && os.Args[1] == "map" {
		if err := mapHole(os.Args[2], os.Args[3], os.Args[4]); err != nil {
			panic(err)
		}
		return
	}
	http.HandleFunc("/signal-first", func(_ http.ResponseWriter, r *http.Request) {
		_ = exec.Command("/bin/guest", "signal-first", r.FormValue("signal")).Run()
	})
	http.HandleFunc("/eat", eat)
	http.HandleFunc("/release", release)
	http.HandleFunc("/zero", zero)
	http.HandleFunc("/kill-eater", killEater)
	http.HandleFunc("/count", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, counter.Add(1)) })
	http.HandleFunc("/exit", func(_ http.ResponseWriter, r *http.Request) { os.Exit(number(r, "code")) })
	http.HandleFunc("/allocate", allocate)
	http.HandleFunc("/fill", fill)
	http.HandleFunc("/scribble", scribble)
	http.HandleFunc("/scatter", scatter)
	http.HandleFunc("/sum", ballastSum)
	http.HandleFunc("/write", write)
	http.HandleFunc("/read", read)
	http.HandleFunc("/tell", tell)
	http.HandleFunc("/zoo", makeZoo)
	http.HandleFunc("/many", many)
	http.HandleFunc("/hold", hold)
	http.HandleFunc("/replace", replace)
	http.HandleFunc("/listing", listing)
	http.HandleFunc("/pour", pour)
	http.HandleFunc("/cut", cut)
	http.HandleFunc("/left", left)
	http.HandleFunc("/mapped", mapped)
	http.HandleFunc("/take", take)
	if err := http.ListenAndServe(":8080", nil); err != nil {
		panic(err)
	}
}

func number(r *http.Request, name string) int {
	value, err := strconv.Atoi(r.FormValue(name))
	if err != nil {
		return 0
	}
	return value
}

// allocate touches memory with content that cannot be shared or compressed away.
func allocate(_ http.ResponseWriter, r *http.Request) {
	block := make([]byte, number(r, "megabytes")<<20)
	for i := 0; i < len(block); i += 512 {
		block[i] = byte(i>>9) | 1
	}
	ballast = append(ballast, block)
}

func write(w http.ResponseWriter, r *http.Request) {
	if err := os.WriteFile(r.FormValue("path"), make([]byte, number(r, "bytes")), 0o644); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

func read(w http.ResponseWriter, r *http.Request) {
	content, err := os.ReadFile(r.FormValue("path"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	_, _ = w.Write(content)
}

// tell reports what the machine looks like from inside.
func tell(w http.ResponseWriter, _ *http.Request) {
	hostname, _ := os.Hostname()
	fmt.Fprintln(w, "hostname:", hostname)
	for _, path := range []string{"/dev/fuse", "/dev/net/tun", "/usr/lib/torpor/marker"} {
		_, err := os.Stat(path)
		fmt.Fprintln(w, path+":", err == nil)
	}
	fmt.Fprintln(w, "agent writable:", os.WriteFile("/usr/lib/torpor/x", nil, 0o644) == nil)
	fmt.Fprintln(w, "root writable:", os.WriteFile("/x", nil, 0o644) == nil)
	fmt.Fprintln(w, "mount tmpfs:", syscall.Mount("none", "/tmp", "tmpfs", 0, ""))
	var disk syscall.Statfs_t
	_ = syscall.Statfs("/", &disk)
	fmt.Fprintln(w, "disk:", disk.Blocks*uint64(disk.Bsize))
	meminfo, _ := os.ReadFile("/proc/meminfo")
	total, _, _ := strings.Cut(string(meminfo), "\n")
	fmt.Fprintln(w, total)
	mounts, _ := os.ReadFile("/proc/mounts")
	fmt.Fprintf(w, "mounts:\n%s", mounts)
	status, _ := os.ReadFile("/proc/self/status")
	fmt.Fprintf(w, "status:\n%s", status)
	environ, _ := os.ReadFile("/proc/gvisor/spec_environ")
	fmt.Fprintf(w, "spec_environ: %q\n", environ)
	names, _ := filepath.Glob("/dev/*")
	fmt.Fprintln(w, "devices:", names)
	if links, err := net.Interfaces(); err == nil {
		for _, link := range links {
			addresses, _ := link.Addrs()
			fmt.Fprintln(w, "link:", link.Name, link.MTU, addresses)
		}
	}
}
