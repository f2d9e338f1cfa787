package filesimage

import (
	"archive/tar"
	"bytes"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"testing"

	"google.golang.org/protobuf/proto"
	fspb "gvisor.dev/gvisor/pkg/sentry/fscheckpoint/fscheckpoint_proto_go_proto"
	pgallocpb "gvisor.dev/gvisor/pkg/sentry/pgalloc/pgalloc_metadata_go_proto"
)

const page = 4096

// write makes an image with one file per span, and with pages for the accounts, each filled with its number.
func write(t *testing.T, tree []span, accounts []*pgallocpb.MemAcctRangeProto) (directory string) {
	t.Helper()
	directory = t.TempDir()
	archive := tarOf(t, tree)
	description := &pgallocpb.MemoryFileMetadataProto{Version: 1, Chunks: []*pgallocpb.ChunkInfoProto{{}}, MemAcct: accounts}
	var pages bytes.Buffer
	for _, account := range accounts {
		description.UnfreeSmall = append(description.UnfreeSmall, &pgallocpb.UnfreeRangeProto{Start: account.Start, End: account.End, Refs: 3})
		for at := account.Start; account.KnownCommitted && at < account.End; at += page {
			pages.Write(bytes.Repeat([]byte{byte(at / page)}, page))
		}
	}
	description.UnfreeSmall = append(description.UnfreeSmall, &pgallocpb.UnfreeRangeProto{Start: 1 << 30, End: math.MaxUint64})
	encoded, err := proto.Marshal(description)
	if err != nil {
		t.Fatal(err)
	}
	encoded = append(binary.LittleEndian.AppendUint64(nil, uint64(len(encoded))), encoded...)
	manifest, err := proto.Marshal(&fspb.Manifest{
		MemoryFiles: []*fspb.MemoryFile{{PagesMetadataEnd: uint64(len(encoded))}},
		Tmpfs:       []*fspb.Tmpfs{{TarEnd: uint64(len(archive))}},
	})
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{"fscheckpoint.pb": manifest, "multitar.img": archive, "pages_meta.img": encoded, "pages.img": pages.Bytes()}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(directory, name), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return directory
}

func tarOf(t *testing.T, files []span) []byte {
	t.Helper()
	var tree bytes.Buffer
	writer := tar.NewWriter(&tree)
	for _, file := range files {
		content := binary.LittleEndian.AppendUint64(nil, file.end-file.start)
		for _, number := range []uint64{0, file.end - file.start, file.start} {
			content = binary.LittleEndian.AppendUint64(content, number)
		}
		if err := writer.WriteHeader(&tar.Header{Name: "./../../etc/passwd", Typeflag: tar.TypeReg, Size: int64(len(content))}); err != nil {
			t.Fatal(err)
		}
		if _, err := writer.Write(content); err != nil {
			t.Fatal(err)
		}
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	return tree.Bytes()
}

func account(from, to uint64, committed bool) *pgallocpb.MemAcctRangeProto {
	return &pgallocpb.MemAcctRangeProto{Start: from * page, End: to * page, Kind: 2, KnownCommitted: committed}
}

func pages(from, to uint64) span { return span{from * page, to * page} }

func TestPruneKeepsWhatHasAName(t *testing.T) {
	all := []*pgallocpb.MemAcctRangeProto{account(0, 4, true), account(4, 6, false), account(8, 12, true)}
	directory := write(t, []span{pages(9, 11), pages(1, 2), pages(3, 5)}, all)
	if _, err := Check(directory); err == nil {
		t.Error("an image with more pages than its files have passes for whole")
	}
	for range 2 {
		if err := Prune(directory); err != nil {
			t.Fatal(err)
		}
		if bytes, err := Check(directory); err != nil || bytes != 5*page {
			t.Fatalf("%d bytes, %v", bytes, err)
		}
	}
	content, err := os.ReadFile(filepath.Join(directory, "pages.img"))
	if err != nil {
		t.Fatal(err)
	}
	var order []byte
	for at := 0; at < len(content); at += page {
		order = append(order, content[at])
	}
	if want := []byte{1, 3, 9, 10}; !bytes.Equal(order, want) {
		t.Errorf("pages %v, want %v", order, want)
	}
	i, err := open(directory)
	if err != nil {
		t.Fatal(err)
	}
	for _, used := range i.pages.UnfreeSmall {
		if used.Refs > 1 || used.Refs == 0 && used.Start != 1<<30 {
			t.Errorf("range %v", used)
		}
	}
	if left, err := filepath.Glob(filepath.Join(directory, "*.new")); err != nil || len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

func TestImagesThatCannotBe(t *testing.T) {
	two := []*pgallocpb.MemAcctRangeProto{account(0, 2, true)}
	for name, directory := range map[string]string{
		"no content":      write(t, []span{pages(0, 3)}, two),
		"overlap":         write(t, []span{pages(0, 2), pages(1, 2)}, two),
		"empty range":     write(t, []span{pages(1, 1)}, two),
		"backwards":       write(t, []span{{page, 0}}, two),
		"far away":        write(t, []span{{1 << 60, 1<<60 + page}}, two),
		"out of order":    write(t, nil, []*pgallocpb.MemAcctRangeProto{account(4, 6, true), account(0, 2, true)}),
		"empty account":   write(t, nil, []*pgallocpb.MemAcctRangeProto{account(4, 4, true)}),
		"backwards pages": write(t, nil, []*pgallocpb.MemAcctRangeProto{account(4, 2, true)}),
	} {
		if _, err := Check(directory); err == nil {
			t.Errorf("%s: found nothing", name)
		}
		if err := Prune(directory); err == nil {
			t.Errorf("%s: pruned", name)
		}
	}
}
