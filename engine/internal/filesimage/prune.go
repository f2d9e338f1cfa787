package filesimage

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"google.golang.org/protobuf/proto"
	pgallocpb "gvisor.dev/gvisor/pkg/sentry/pgalloc/pgalloc_metadata_go_proto"
	"gvisor.dev/gvisor/pkg/sentry/state/checkpointfiles"
)

// Prune takes out of a fresh image what only the processes of the captured sandbox knew: the content of deleted files that
// were still open, and references of memory mappings. After a boot nobody could ever free it, it would not count against
// the disk limit, and it would grow with every capture.
func Prune(directory string) error {
	i, err := open(directory)
	if err != nil {
		return err
	}
	tree, err := i.tree()
	if err != nil {
		return err
	}
	live := tree.content
	kept, dropped := split(i.pages.MemAcct, live)
	if length(kept) != length(live) {
		return errors.New("a file's content is not in the image")
	}
	if slices.ContainsFunc(i.pages.Chunks, func(chunk *pgallocpb.ChunkInfoProto) bool { return chunk.Huge }) {
		return errors.New("the image has huge pages, which nobody asked for")
	}
	if dropped {
		if err := i.rewritePages(live); err != nil {
			return fmt.Errorf("leaving deleted files out: %w", err)
		}
	}
	i.pages.MemAcct = accounts(i.pages.MemAcct, live)
	i.pages.UnfreeSmall = used(i.pages.UnfreeSmall, live)
	return i.rewriteDescription()
}

// split gives what of the accounts is live, and whether there is more in them than that.
func split(all []*pgallocpb.MemAcctRangeProto, live []span) (kept []span, dropped bool) {
	for _, account := range all {
		parts := within(span{account.Start, account.End}, live)
		kept = append(kept, parts...)
		dropped = dropped || length(parts) != account.End-account.Start
	}
	return kept, dropped
}

func accounts(all []*pgallocpb.MemAcctRangeProto, live []span) []*pgallocpb.MemAcctRangeProto {
	var kept []*pgallocpb.MemAcctRangeProto
	for _, account := range all {
		for _, part := range within(span{account.Start, account.End}, live) {
			kept = append(kept, &pgallocpb.MemAcctRangeProto{Start: part.start, End: part.end, Kind: account.Kind, MemCgId: account.MemCgId, KnownCommitted: account.KnownCommitted})
		}
	}
	return kept
}

// used are the ranges that may not be allocated: those without references (there is no store behind them), and live ones,
// each with the one reference of its file.
func used(all []*pgallocpb.UnfreeRangeProto, live []span) []*pgallocpb.UnfreeRangeProto {
	ranges := slices.DeleteFunc(all, func(r *pgallocpb.UnfreeRangeProto) bool { return r.Refs > 0 })
	for _, s := range live {
		ranges = append(ranges, &pgallocpb.UnfreeRangeProto{Start: s.start, End: s.end, Refs: 1})
	}
	slices.SortFunc(ranges, func(a, b *pgallocpb.UnfreeRangeProto) int {
		if a.Start < b.Start {
			return -1
		}
		return 1
	})
	return ranges
}

// rewritePages copies the pages that stay. Where the file system can share blocks, the kernel copies nothing.
func (i *image) rewritePages(live []span) error {
	name := i.path(checkpointfiles.PagesFileName)
	old, err := os.Open(name)
	if err != nil {
		return err
	}
	defer old.Close()
	fresh, err := os.OpenFile(name+".new", os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer fresh.Close()
	var at uint64
	for _, account := range i.pages.MemAcct {
		if !account.KnownCommitted {
			continue
		}
		for _, part := range within(span{account.Start, account.End}, live) {
			if err := copyRange(fresh, old, at+part.start-account.Start, part.end-part.start); err != nil {
				return err
			}
		}
		at += account.End - account.Start
	}
	return os.Rename(name+".new", name)
}

func copyRange(to, from *os.File, at, count uint64) error {
	if _, err := from.Seek(int64(at), io.SeekStart); err != nil {
		return err
	}
	_, err := io.CopyN(to, from, int64(count))
	return err
}

func (i *image) rewriteDescription() error {
	content, err := proto.Marshal(i.pages)
	if err != nil {
		return err
	}
	described := append(binary.LittleEndian.AppendUint64(nil, uint64(len(content))), content...)
	i.manifest.MemoryFiles[0].PagesMetadataEnd = uint64(len(described))
	manifest, err := proto.Marshal(i.manifest)
	if err != nil {
		return err
	}
	return errors.Join(
		os.WriteFile(i.path(checkpointfiles.PagesMetadataFileName), described, 0o644),
		os.WriteFile(i.path(checkpointfiles.FSCheckpointManifestFileName), manifest, 0o644),
	)
}
