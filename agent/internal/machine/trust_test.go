package machine

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func makeAuthority(t *testing.T, subject pkix.Name) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: subject, NotAfter: time.Now().Add(time.Hour), IsCA: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

func TestAuthoritiesAreAddedToWhatTheSystemTrusts(t *testing.T) {
	root := t.TempDir()
	if err := os.MkdirAll(filepath.Join(root, "etc/ssl/certs"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, bundleFile), []byte("the system's"), 0o644); err != nil {
		t.Fatal(err)
	}
	authority := makeAuthority(t, pkix.Name{CommonName: "Torpor on box"})
	for range 2 { // by two agents: what is there already is not added again
		New(root, nil).Write(Facts{CACertificates: []string{"no certificate", authority}})
	}
	if got := read(t, root, bundleFile); got != "the system's\n"+authority {
		t.Errorf("the bundle is %q", got)
	}
	found, err := filepath.Glob(filepath.Join(root, sourceDirectory, "torpor-*.crt"))
	if err != nil || len(found) != 1 {
		t.Fatalf("found %v, %v", found, err)
	}
}

func TestOpenSSLFindsThem(t *testing.T) {
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("there is no openssl here")
	}
	for _, subject := range []pkix.Name{
		{CommonName: "Torpor on box"},
		{CommonName: "  Two   Spaces ", Organization: []string{"ACME GmbH"}, Country: []string{"DE"}},
		{CommonName: "ÜBER Zürich"},
	} {
		root := t.TempDir()
		authority := makeAuthority(t, subject)
		New(root, nil).Write(Facts{CACertificates: []string{authority}})
		file := filepath.Join(root, "ca.pem")
		if err := os.WriteFile(file, []byte(authority), 0o644); err != nil {
			t.Fatal(err)
		}
		hash, err := exec.Command("openssl", "x509", "-noout", "-subject_hash", "-in", file).Output()
		if err != nil {
			t.Fatal(err)
		}
		name := fmt.Sprintf("%s/%s.0", lookupDirectory, strings.TrimSpace(string(hash)))
		if read(t, root, name) != authority {
			t.Errorf("%q: not found under %s", subject, name)
		}
	}
}
