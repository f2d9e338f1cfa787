package archive

import (
	"bytes"
	"io"
	"os"
)

const (
	copyBuffer = 1 << 20
	// granule is the smallest run of zeros that becomes a hole.
	granule = 64 << 10
)

var zeros = make([]byte, granule)

// writeSparse copies size bytes into a new file and leaves holes where the content is zero.
func writeSparse(file *os.File, content io.Reader, size int64, buffer []byte) error {
	end := int64(0) // how far the file reaches
	for offset := int64(0); offset < size; {
		want := min(int64(len(buffer)), size-offset)
		if _, err := io.ReadFull(content, buffer[:want]); err != nil {
			return unreadable(err)
		}
		reached, err := writeData(file, buffer[:want], offset)
		if err != nil {
			return err
		}
		end = max(end, reached)
		offset += want
	}
	if end < size {
		return file.Truncate(size)
	}
	return nil
}

// writeData writes the runs of a chunk that are not zero and returns where the last one ends.
func writeData(file *os.File, chunk []byte, offset int64) (end int64, err error) {
	for at := 0; at < len(chunk); {
		run := dataRun(chunk[at:])
		if run > 0 {
			if _, err := file.WriteAt(chunk[at:at+run], offset+int64(at)); err != nil {
				return end, err
			}
			end = offset + int64(at+run)
		}
		at += run
		for at < len(chunk) && isHole(chunk[at:]) {
			at += granule
		}
	}
	return end, nil
}

// dataRun returns how many bytes there are before the next hole.
func dataRun(chunk []byte) int {
	for at := 0; at < len(chunk); at += granule {
		if isHole(chunk[at:]) {
			return at
		}
	}
	return len(chunk)
}

func isHole(chunk []byte) bool { return len(chunk) >= granule && bytes.Equal(chunk[:granule], zeros) }
