package main

import (
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	mathrand "math/rand"
	"net/http"
)

// fill allocates megabytes of random bytes.
func fill(w http.ResponseWriter, r *http.Request) {
	block := make([]byte, number(r, "megabytes")<<20)
	_, _ = rand.Read(block)
	ballast = append(ballast, block)
	ballastSum(w, r)
}

// scribble changes a byte in each of so many pages of every block, so many pages apart.
func scribble(w http.ResponseWriter, r *http.Request) {
	pages, step := number(r, "pages"), number(r, "apart")*4096
	for _, block := range ballast {
		for i := 0; i < pages && i*step < len(block); i++ {
			block[i*step]++
		}
	}
	ballastSum(w, r)
}

// scatter changes a byte in each of so many pages of every block, anywhere, and says nothing: a sum would read all the others.
func scatter(_ http.ResponseWriter, r *http.Request) {
	for _, block := range ballast {
		for range number(r, "pages") {
			block[mathrand.Intn(len(block)/4096)*4096]++
		}
	}
}

// ballastSum tells all that was allocated apart from anything else.
func ballastSum(w http.ResponseWriter, _ *http.Request) {
	all := sha256.New()
	for _, block := range ballast {
		_, _ = all.Write(block)
	}
	fmt.Fprintf(w, "%x", all.Sum(nil))
}
