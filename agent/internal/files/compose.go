package files

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"

	"torpor.dev/agent/internal/reply"
	"torpor.dev/agent/internal/users"
)

const maxComposeBytes = 1 << 20

type composeBody struct {
	SourcePaths []string `json:"source_paths"`
	Destination string   `json:"destination"`
	Username    string   `json:"username"`
}

// compose answers POST /files/compose: the sources, one after the other, become the destination.
func (h *Handler) compose(w http.ResponseWriter, r *http.Request) error {
	var body composeBody
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxComposeBytes)).Decode(&body); err != nil {
		return badRequest("the body is not valid: %w", err)
	}
	user, err := h.identity.User(body.Username)
	if err != nil {
		return failure(http.StatusUnauthorized, err)
	}
	sources, destination, err := h.composition(body, user)
	if err != nil {
		return err
	}
	content := &joined{paths: sources}
	defer content.Close()
	if err := (file{path: destination, owner: user}).write(content); err != nil {
		return err
	}
	reply.JSON(w, http.StatusOK, written{Path: destination, Name: filepath.Base(destination), Type: "file"})
	return nil
}

// composition resolves the paths and makes sure that every source can be read before the destination is emptied.
func (h *Handler) composition(body composeBody, user users.User) ([]string, string, error) {
	if len(body.SourcePaths) == 0 || body.Destination == "" {
		return nil, "", badRequest("source_paths and destination are required")
	}
	destination, err := h.identity.Resolve(body.Destination, user)
	if err != nil {
		return nil, "", err
	}
	target, targetErr := os.Stat(destination)
	sources := make([]string, 0, len(body.SourcePaths))
	for _, asked := range body.SourcePaths {
		source, err := h.identity.Resolve(asked, user)
		if err != nil {
			return nil, "", err
		}
		file, info, err := openRegular(source)
		if err != nil {
			return nil, "", err
		}
		file.Close()
		if source == destination || (targetErr == nil && os.SameFile(info, target)) {
			return nil, "", badRequest("path '%s' is both source and destination", source)
		}
		sources = append(sources, source)
	}
	return sources, destination, nil
}

// joined reads files one after the other, with one open at a time.
type joined struct {
	paths   []string
	current *os.File
}

func (j *joined) Read(buffer []byte) (int, error) {
	for {
		if j.current == nil {
			if len(j.paths) == 0 {
				return 0, io.EOF
			}
			file, _, err := openRegular(j.paths[0])
			if err != nil {
				return 0, err
			}
			j.current, j.paths = file, j.paths[1:]
		}
		n, err := j.current.Read(buffer)
		if n > 0 || err != io.EOF {
			return n, err
		}
		j.Close()
	}
}

// Close closes the file that is open, if any.
func (j *joined) Close() {
	if j.current != nil {
		_ = j.current.Close()
		j.current = nil
	}
}
