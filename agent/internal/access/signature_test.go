package access

import (
	"errors"
	"net/http/httptest"
	"net/url"
	"strconv"
	"testing"
	"time"
)

const sampleToken = "0tQG31xiMp0IOQfaz9dcwi72L1CPo8e0"

func TestSignMatchesThePublishedVector(t *testing.T) {
	got := Sign("hello.txt", Read, "user", sampleToken, "")
	if want := "v1_gUtH/s9YCJWgCizjfUxuWfhFE4QSydOWEIIvfLwDr6E"; got != want {
		t.Errorf("got %s", got)
	}
}

func TestCheckFiles(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	later, earlier := strconv.FormatInt(now.Unix()+1, 10), strconv.FormatInt(now.Unix()-1, 10)
	signed := func(path, user, expiration string) url.Values {
		query := url.Values{"path": {path}, "username": {user}, "signature": {Sign(path, Read, user, sampleToken, expiration)}}
		if expiration != "" {
			query.Set("signature_expiration", expiration)
		}
		return query
	}
	moved := signed("a", "user", "")
	moved.Set("path", "b")
	stretched := signed("a", "user", earlier)
	stretched.Set("signature_expiration", later)
	for _, test := range []struct {
		name, token, header string
		query               url.Values
		operation           Operation
		want                error
	}{
		{"everything is open without a token", "", "", url.Values{}, Read, nil},
		{"the header alone admits", sampleToken, sampleToken, url.Values{}, Write, nil},
		{"a wrong header is refused in spite of a signature", sampleToken, "wrong", signed("a", "user", ""), Read, ErrWrongToken},
		{"neither header nor signature", sampleToken, "", url.Values{"path": {"a"}}, Read, ErrMissingSignature},
		{"a signature admits", sampleToken, "", signed("a", "user", ""), Read, nil},
		{"a signature without user admits", sampleToken, "", signed("a", "", ""), Read, nil},
		{"a signature to read is none to write", sampleToken, "", signed("a", "user", ""), Write, ErrInvalidSignature},
		{"a signature of another path", sampleToken, "", moved, Read, ErrInvalidSignature},
		{"a signature that is not expired", sampleToken, "", signed("a", "user", later), Read, nil},
		{"a signature that is expired", sampleToken, "", signed("a", "user", earlier), Read, ErrExpiredSignature},
		{"an expiration that was changed", sampleToken, "", stretched, Read, ErrInvalidSignature},
		{"an expiration that is no number", sampleToken, "", signed("a", "user", "never"), Read, ErrInvalidSignature},
	} {
		t.Run(test.name, func(t *testing.T) {
			token := &Token{}
			token.Set(test.token)
			r := httptest.NewRequest("GET", "/files", nil)
			if test.header != "" {
				r.Header.Set(TokenHeader, test.header)
			}
			if err := token.CheckFiles(r, test.query, test.operation, now); !errors.Is(err, test.want) {
				t.Errorf("got %v, want %v", err, test.want)
			}
		})
	}
}

func FuzzNoForeignSignatureIsAccepted(f *testing.F) {
	f.Add("hello.txt", "user", "", "v1_gUtH/s9YCJWgCizjfUxuWfhFE4QSydOWEIIvfLwDr6E")
	f.Add("", "", "99999999999", "v1_")
	f.Fuzz(func(t *testing.T, path, user, expiration, signature string) {
		token := &Token{}
		token.Set(sampleToken)
		query := url.Values{"path": {path}, "username": {user}, "signature": {signature}, "signature_expiration": {expiration}}
		right := Sign(path, Read, user, sampleToken, expiration)
		err := token.CheckFiles(httptest.NewRequest("GET", "/files", nil), query, Read, time.Unix(0, 0))
		if err == nil && signature != right {
			t.Fatalf("accepted %q", signature)
		}
	})
}
