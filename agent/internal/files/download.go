package files

import (
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"os"
	"path/filepath"
	"syscall"

	"torpor.dev/agent/internal/access"
)

// download answers GET /files with the bytes of a file, a range of them, or all of them compressed.
func (h *Handler) download(w http.ResponseWriter, r *http.Request) error {
	user, query, err := h.enter(r, access.Read)
	if err != nil {
		return err
	}
	asked := query.Get("path")
	path, err := h.identity.Resolve(asked, user)
	if err != nil {
		return failure(http.StatusBadRequest, err)
	}
	coding, err := chooseCoding(r.Header)
	if err != nil {
		return err
	}
	file, info, err := openRegular(path)
	if err != nil {
		return err
	}
	defer file.Close()

	header := w.Header()
	header.Set("Content-Disposition", mime.FormatMediaType("inline", map[string]string{"filename": filepath.Base(path)}))
	header.Set("Content-Type", contentType(path, file))
	header.Set("Vary", "Accept-Encoding")
	switch {
	case coding == codingGzip:
		return sendCompressed(w, r, file)
	case info.Size() == 0:
		// Files of /proc claim to be empty.
		sendUnsized(w, r, file)
		return nil
	default:
		http.ServeContent(w, r, "", info.ModTime(), file)
		return nil
	}
}

// openRegular opens a file for reading without waiting, as a FIFO would make it.
func openRegular(path string) (*os.File, fs.FileInfo, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
			return nil, nil, failure(http.StatusNotFound, notExist(path))
		}
		return nil, nil, err
	}
	info, err := file.Stat()
	switch {
	case err != nil:
	case info.IsDir():
		err = isDirectory(path)
	case !info.Mode().IsRegular():
		err = badRequest("path '%s' is not a regular file", path)
	}
	if err != nil {
		file.Close()
		return nil, nil, err
	}
	return file, info, nil
}

func notExist(path string) error { return errors.New("path '" + path + "' does not exist") }

func sendCompressed(w http.ResponseWriter, r *http.Request, file io.Reader) error {
	w.Header().Set("Content-Encoding", "gzip")
	if r.Method == http.MethodHead {
		return nil
	}
	compressor, err := gzip.NewWriterLevel(w, gzip.BestSpeed)
	if err != nil {
		return err
	}
	copyOrAbort(compressor, file)
	if err := compressor.Close(); err != nil {
		panic(http.ErrAbortHandler)
	}
	return nil
}

func sendUnsized(w http.ResponseWriter, r *http.Request, file io.Reader) {
	if r.Method == http.MethodHead {
		return
	}
	copyOrAbort(w, file)
}

// copyOrAbort cuts the connection when the file cannot be read to its end: half a file must not look like a whole one.
func copyOrAbort(to io.Writer, from io.Reader) {
	if _, err := io.Copy(to, from); err != nil {
		panic(http.ErrAbortHandler)
	}
}
