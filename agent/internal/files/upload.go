package files

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"path/filepath"
	"time"

	"torpor.dev/agent/internal/access"
	"torpor.dev/agent/internal/metadata"
	"torpor.dev/agent/internal/reply"
	"torpor.dev/agent/internal/users"
)

// readBytes is the size of one read of a form.
const readBytes = 64 << 10

// What is read of a body that cannot be stored any more.
const (
	drainBytes = 256 << 20
	drainTime  = 5 * time.Second
)

// written is what the answer tells about a file.
type written struct {
	Path     string            `json:"path"`
	Name     string            `json:"name"`
	Type     string            `json:"type"`
	Metadata map[string]string `json:"metadata,omitempty"`
}

// upload answers POST /files: bodies go to the disk as they arrive.
func (h *Handler) upload(w http.ResponseWriter, r *http.Request) error {
	user, query, err := h.enter(r, access.Write)
	if err != nil {
		return err
	}
	values, err := metadata.FromHeader(r.Header)
	if err != nil {
		return failure(http.StatusBadRequest, err)
	}
	body, err := decoded(r)
	if err != nil {
		return err
	}
	defer body.Close()
	u := &uploading{handler: h, user: user, query: query, metadata: values, seen: map[string]bool{}}
	mediaType, parameters, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case err == nil && mediaType == "multipart/form-data" && parameters["boundary"] != "":
		// The reader of forms asks for small pieces, each of which would be a system call.
		err = u.multipart(multipart.NewReader(bufio.NewReaderSize(body, readBytes), parameters["boundary"]))
	case err == nil && mediaType == "application/octet-stream":
		err = u.octetStream(body)
	default:
		err = badRequest("unsupported Content-Type '%s', use multipart/form-data or application/octet-stream", r.Header.Get("Content-Type"))
	}
	if err != nil {
		drain(w, r.Body)
		return blameClient(err)
	}
	reply.JSON(w, http.StatusOK, u.files)
	return nil
}

// drain reads on for a while after a failure: many clients read no answer before they have sent everything, and would be told
// of a broken connection instead of a full disk.
func drain(w http.ResponseWriter, body io.Reader) {
	if err := http.NewResponseController(w).SetReadDeadline(time.Now().Add(drainTime)); err != nil {
		return
	}
	_, _ = io.CopyN(io.Discard, body, drainBytes)
}

// uploading is one request to write files.
type uploading struct {
	handler  *Handler
	user     users.User
	query    url.Values
	metadata map[string]string
	seen     map[string]bool
	files    []written
}

func (u *uploading) octetStream(body io.Reader) error {
	if !u.query.Has("path") {
		return badRequest("path is required")
	}
	return u.write(u.query.Get("path"), body)
}

func (u *uploading) multipart(parts *multipart.Reader) error {
	for {
		part, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return badRequest("the multipart body is not valid: %w", err)
		}
		if part.FormName() != "file" {
			continue
		}
		if err := u.write(u.target(part), part); err != nil {
			return err
		}
	}
	if len(u.files) == 0 {
		return badRequest("the multipart body has no part named 'file'")
	}
	return nil
}

// target is the path of the query, else the file name, which is taken whole: Part.FileName would cut its directories off.
func (u *uploading) target(part *multipart.Part) string {
	if path := u.query.Get("path"); path != "" {
		return path
	}
	_, parameters, err := mime.ParseMediaType(part.Header.Get("Content-Disposition"))
	if err != nil {
		return ""
	}
	return parameters["filename"]
}

func (u *uploading) write(asked string, content io.Reader) error {
	path, err := u.handler.identity.Resolve(asked, u.user)
	if err != nil {
		return err
	}
	if u.seen[path] {
		return badRequest("you cannot upload several files to the same path '%s'", path)
	}
	u.seen[path] = true
	if err := (file{path: path, owner: u.user, metadata: u.metadata}).write(content); err != nil {
		return err
	}
	u.files = append(u.files, written{Path: path, Name: filepath.Base(path), Type: "file", Metadata: u.metadata})
	return nil
}

// blameClient makes a body that ends early or is not what it claims the client's error.
func blameClient(err error) error {
	if _, known := errors.AsType[*statusError](err); known {
		return err
	}
	if oneOf(err, io.ErrUnexpectedEOF, gzip.ErrChecksum, gzip.ErrHeader) {
		return failure(http.StatusBadRequest, fmt.Errorf("the body is not complete: %w", err))
	}
	return err
}
