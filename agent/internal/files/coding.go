package files

import (
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

const (
	codingIdentity = "identity"
	codingGzip     = "gzip"
)

// chooseCoding picks gzip when the client wants just that. A list as HTTP libraries send it by themselves
// ("gzip, deflate") is no such wish, and compressing for a neighbour costs both more than it saves. Ranges are of the
// bytes of the file, so they are never compressed. It fails with 406 when neither coding is acceptable.
func chooseCoding(header http.Header) (string, error) {
	weights := parseAccept(header.Values("Accept-Encoding"))
	gzipWeight, gzipNamed := weights[codingGzip]
	identityWeight, identityNamed := weights[codingIdentity]
	others, othersNamed := weights["*"]
	if !gzipNamed && othersNamed {
		gzipWeight = others
	}
	if !identityNamed {
		// Acceptable unless excluded, but less than anything that is named.
		identityWeight = 0.0001
		if othersNamed && others == 0 {
			identityWeight = 0
		}
	}
	ranged := header.Get("Range") != ""
	switch {
	case ranged && identityWeight == 0, gzipWeight == 0 && identityWeight == 0:
		return "", failure(http.StatusNotAcceptable, errors.New("no acceptable encoding: identity and gzip are available"))
	case ranged, gzipWeight == 0:
		return codingIdentity, nil
	case identityWeight == 0:
		return codingGzip, nil
	case gzipWeight > identityWeight && gzipNamed && aloneOnTop(weights, gzipWeight):
		return codingGzip, nil
	default:
		return codingIdentity, nil
	}
}

func aloneOnTop(weights map[string]float64, gzipWeight float64) bool {
	for coding, weight := range weights {
		if coding != codingGzip && weight >= gzipWeight {
			return false
		}
	}
	return true
}

// parseAccept reads `coding;q=0.5, coding` into weights from 0 to 1; a weight that makes no sense is 0.
func parseAccept(lines []string) map[string]float64 {
	weights := map[string]float64{}
	for item := range strings.SplitSeq(strings.Join(lines, ","), ",") {
		coding, parameter, weighted := strings.Cut(item, ";")
		coding = strings.ToLower(strings.TrimSpace(coding))
		if coding == "" {
			continue
		}
		weight := 1.0
		if weighted {
			text, _ := strings.CutPrefix(strings.ReplaceAll(strings.ToLower(parameter), " ", ""), "q=")
			parsed, err := strconv.ParseFloat(text, 64)
			if err != nil || !(parsed >= 0 && parsed <= 1) {
				parsed = 0
			}
			weight = parsed
		}
		if coding == "x-gzip" {
			coding = codingGzip
		}
		weights[coding] = weight
	}
	return weights
}

// decoded undoes the Content-Encoding of an upload.
func decoded(r *http.Request) (io.ReadCloser, error) {
	switch coding := strings.ToLower(r.Header.Get("Content-Encoding")); coding {
	case "", codingIdentity:
		return r.Body, nil
	case codingGzip, "x-gzip":
		reader, err := gzip.NewReader(r.Body)
		if err != nil {
			return nil, badRequest("the body is not gzip: %w", err)
		}
		return reader, nil
	default:
		return nil, badRequest("unsupported Content-Encoding '%s', use gzip or none", coding)
	}
}

// typesByName are the types that browsers need and that the first bytes do not tell. The system's tables are not asked:
// reading them takes several opens.
var typesByName = map[string]string{
	".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".mjs": "text/javascript; charset=utf-8",
	".json": "application/json", ".svg": "image/svg+xml", ".csv": "text/csv; charset=utf-8", ".wasm": "application/wasm",
}

func contentType(path string, file *os.File) string {
	if known, ok := typesByName[strings.ToLower(filepath.Ext(path))]; ok {
		return known
	}
	start := make([]byte, 512)
	n, _ := file.ReadAt(start, 0)
	return http.DetectContentType(start[:n])
}
