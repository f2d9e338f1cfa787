package archive

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"torpor.dev/oci/internal/fault"
)

func gzipped(t *testing.T, content io.Reader) []byte {
	t.Helper()
	var out bytes.Buffer
	writer := gzip.NewWriter(&out)
	if _, err := io.Copy(writer, content); err != nil {
		t.Fatal(err)
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

type endlessZeros struct{}

func (endlessZeros) Read(buffer []byte) (int, error) { clear(buffer); return len(buffer), nil }

// bomb is a tar archive with one file of zeros.
func bomb(t *testing.T, size int64) io.Reader {
	t.Helper()
	var header bytes.Buffer
	writer := tar.NewWriter(&header)
	if err := writer.WriteHeader(&tar.Header{Name: "zeros", Typeflag: tar.TypeReg, Size: size, Mode: 0o644}); err != nil {
		t.Fatal(err)
	}
	return io.MultiReader(&header, io.LimitReader(endlessZeros{}, size+2*512))
}

func upload(t *testing.T, archive io.Reader, limits Limits) error {
	t.Helper()
	target, _ := outside(t)
	_, _, err := Upload(context.Background(), archive, Detect, target, limits)
	return err
}

func TestLimits(t *testing.T) {
	many := []tar.Header{}
	for i := range 20 {
		many = append(many, file(fmt.Sprintf("f%d", i), ""))
	}
	sparse := append(rawHeader('S', 0), make([]byte, 1024)...)
	cases := map[string]struct {
		archive []byte
		limits  Limits
	}{
		"many tiny files":            {bundle(t, many...), Limits{1 << 20, 19}},
		"directories without entry":  {bundle(t, file(strings.Repeat("d/", 50)+"f", "")), Limits{1 << 20, 50}},
		"a file larger than allowed": {bundle(t, file("f", "12345")), Limits{4, 10}},
		"files larger than allowed":  {bundle(t, file("f", "123"), file("g", "12")), Limits{4, 10}},
		"a gzip bomb by bytes":       {gzipped(t, bomb(t, 8<<20)), Limits{1 << 20, 10}},
		"a gzip bomb by ratio":       {gzipped(t, bomb(t, ratioGrace+(8<<20))), Limits{1 << 40, 10}},
		"a sparse bomb":              {sparse, Limits{1 << 30, 10}},
		"content cut short":          {bundle(t, file("f", strings.Repeat("x", 4096)))[:1024], plenty},
		"no archive at all":          {[]byte(strings.Repeat("nothing of a tar ", 100)), plenty},
		"damaged gzip":               {[]byte{0x1f, 0x8b, 8, 0, 1, 2, 3}, plenty},
	}
	for name, trick := range cases {
		t.Run(name, func(t *testing.T) {
			wantKind(t, upload(t, bytes.NewReader(trick.archive), trick.limits), fault.InvalidArgument)
		})
	}
}

// Headers can be repeated without end before an entry comes: time and memory are bounded nevertheless.
func TestEndlessHeadersEnd(t *testing.T) {
	record := make([]byte, 512)
	copy(record, "11 a=bcdef\n")
	repeated := &cycle{append(rawHeader('x', 11), record...), 0}
	wantKind(t, upload(t, repeated, Limits{1 << 20, 100}), fault.InvalidArgument)
}

// A long name of 2 MiB would have to be held in memory.
func TestHugeHeaderIsRefused(t *testing.T) {
	huge := rawHeader('L', 2<<20)
	huge = append(huge, bytes.Repeat([]byte("n"), 2<<20)...)
	wantKind(t, upload(t, bytes.NewReader(huge), plenty), fault.InvalidArgument)
}

// rawHeader is what no writer of tar would let through.
func rawHeader(sort byte, size int) []byte {
	block := make([]byte, 512)
	copy(block, "raw")
	copy(block[100:], "0000644\x000000000\x000000000\x00")
	copy(block[124:], fmt.Sprintf("%011o\x0000000000000\x00", size))
	block[156] = sort
	copy(block[257:], "ustar  \x00")
	if sort == 'S' {
		block[483], block[489] = 0x80, 0x04 // a real size of 4 TiB, as a binary number
	}
	return checksummed(block)
}

func checksummed(block []byte) []byte {
	copy(block[148:], "        ")
	sum := 0
	for _, value := range block {
		sum += int(value)
	}
	copy(block[148:], fmt.Sprintf("%06o\x00 ", sum))
	return block
}

type cycle struct {
	content []byte
	at      int
}

func (c *cycle) Read(buffer []byte) (int, error) {
	count := copy(buffer, c.content[c.at:])
	c.at = (c.at + count) % len(c.content)
	return count, nil
}

func TestMemoryDoesNotGrowWithTheContent(t *testing.T) {
	const size = 512 << 20
	var encoded bytes.Buffer
	writer, err := zstd.NewWriter(&encoded)
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.New()
	if _, err := io.Copy(io.MultiWriter(writer, digest), bomb(t, size)); err != nil || writer.Close() != nil {
		t.Fatal(err)
	}
	target, _ := outside(t)
	applied, err := NewLayers(target, Limits{size, 1})
	if err != nil {
		t.Fatal(err)
	}
	defer applied.Close()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	err = applied.Apply(t.Context(), &encoded, v1.Hash{Algorithm: "sha256", Hex: hex.EncodeToString(digest.Sum(nil))}, nil)
	runtime.ReadMemStats(&after)
	if err != nil {
		t.Fatal(err)
	}
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 64<<20 {
		t.Errorf("%d MiB were allocated for %d MiB of content", grown>>20, size>>20)
	}
	stat, err := os.Stat(filepath.Join(target, "zeros"))
	if err != nil || stat.Size() != size || stat.Sys().(*syscall.Stat_t).Blocks > 64 {
		t.Errorf("the file is %v (%v), not %d bytes of holes", stat, err, size)
	}
}
