package main

import (
	"fmt"
	"math"
	"net/http"
	"os"
	"os/exec"
	"runtime/debug"
	"strconv"
	"sync"
	"time"
)

var eater *exec.Cmd

// eat starts a process that takes memory as fast as it can, with so many threads, until it is killed.
func eat(w http.ResponseWriter, r *http.Request) {
	eater = exec.Command("/bin/guest", "eat", r.FormValue("megabytes"), r.FormValue("threads"))
	if err := eater.Start(); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

// release gives back what allocate took.
func release(http.ResponseWriter, *http.Request) {
	ballast = nil
	debug.FreeOSMemory()
}

// zero takes memory that is written, with nothing but zeroes.
func zero(_ http.ResponseWriter, r *http.Request) {
	block := make([]byte, number(r, "megabytes")<<20)
	for i := 0; i < len(block); i += 4096 {
		block[i] = 1
	}
	clear(block)
	ballast = append(ballast, block)
}

// killEater ends that process, as an agent does that is told of a shortage.
func killEater(w http.ResponseWriter, _ *http.Request) {
	if eater == nil {
		http.Error(w, "nobody eats", http.StatusNotFound)
		return
	}
	err := eater.Process.Kill()
	_ = eater.Wait()
	eater = nil
	fmt.Fprint(w, err)
}

// eatUp is the process itself. Afterwards it holds what it has.
func eatUp(megabytes, threads string) {
	total, err := strconv.Atoi(megabytes)
	count, err2 := strconv.Atoi(threads)
	if err := try(err, err2); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	var all sync.WaitGroup
	for range count {
		all.Go(func() {
			block := make([]byte, total/count<<20)
			for i := 0; i < len(block); i += 4096 {
				block[i] = 1
			}
			ballast = append(ballast, block)
		})
	}
	all.Wait()
	time.Sleep(math.MaxInt64) // not select{}, at which Go sees a deadlock and exits
}
