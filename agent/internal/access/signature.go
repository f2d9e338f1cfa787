package access

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Operation is what a signed URL allows.
type Operation string

// The two operations of `/files`.
const (
	Read  Operation = "read"
	Write Operation = "write"
)

// The reasons to refuse a request to `/files`, with the texts of protocol.md §3.6.
var (
	ErrWrongToken       = errors.New(unauthorized)
	ErrMissingSignature = errors.New("missing signature query parameter")
	ErrInvalidSignature = errors.New("invalid signature")
	ErrExpiredSignature = errors.New("signature is already expired")
)

// Sign makes the signature of a `/files` URL. Path, username and expiration (unix seconds) are the literal query values;
// an absent expiration is empty and not part of the signature.
func Sign(path string, operation Operation, username, token, expiration string) string {
	text := path + ":" + string(operation) + ":" + username + ":" + token
	if expiration != "" {
		text += ":" + expiration
	}
	digest := sha256.Sum256([]byte(text))
	return "v1_" + base64.RawStdEncoding.EncodeToString(digest[:])
}

// CheckFiles lets a request to `/files` pass by its token header or, without one, by its signature. It returns one of the
// four errors above.
func (t *Token) CheckFiles(r *http.Request, query url.Values, operation Operation, now time.Time) error {
	value := t.value.Load()
	if value == nil {
		return nil
	}
	if header := r.Header.Get(TokenHeader); header != "" {
		if !equal(*value, header) {
			return ErrWrongToken
		}
		return nil
	}
	return checkSignature(query, operation, *value, now)
}

func checkSignature(query url.Values, operation Operation, token string, now time.Time) error {
	signature := query.Get("signature")
	if signature == "" {
		return ErrMissingSignature
	}
	expiration := query.Get("signature_expiration")
	if !equal(Sign(query.Get("path"), operation, query.Get("username"), token, expiration), signature) {
		return ErrInvalidSignature
	}
	if expiration == "" {
		return nil
	}
	end, err := strconv.ParseInt(expiration, 10, 64)
	if err != nil {
		return ErrInvalidSignature
	}
	if now.Unix() > end {
		return ErrExpiredSignature
	}
	return nil
}
