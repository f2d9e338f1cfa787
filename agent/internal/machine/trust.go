package machine

import (
	"bytes"
	"crypto/sha1" // #nosec G505 -- the name OpenSSL looks a certificate up by, no protection
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/binary"
	"encoding/pem"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"
)

// Where Debian keeps what it trusts: curl reads the bundle, OpenSSL and Python look into the directory, and a later run of
// update-ca-certificates makes both anew from what it finds in the last.
const (
	bundleFile      = "etc/ssl/certs/ca-certificates.crt"
	lookupDirectory = "etc/ssl/certs"
	sourceDirectory = "usr/local/share/ca-certificates"
)

// trust makes programs of the sandbox accept what the authority signs.
func (f *Files) trust(authority string) {
	block, _ := pem.Decode([]byte(authority))
	if block == nil {
		log.Print("a certificate to trust is no PEM")
		return
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		log.Printf("a certificate to trust cannot be read: %v", err)
		return
	}
	hash, err := lookupHash(certificate)
	if err != nil {
		log.Printf("a certificate to trust has an odd name: %v", err)
		return
	}
	text := string(pem.EncodeToMemory(block))
	name := fmt.Sprintf("torpor-%08x.crt", hash)
	f.put(filepath.Join(sourceDirectory, name), text)
	f.put(filepath.Join(lookupDirectory, fmt.Sprintf("%08x.0", hash)), text)
	f.extendBundle(text)
}

func (f *Files) extendBundle(text string) {
	bundle, err := os.ReadFile(filepath.Join(f.root, bundleFile))
	if err != nil && !os.IsNotExist(err) {
		log.Printf("reading /%s: %v", bundleFile, err)
		return
	}
	if bytes.Contains(bundle, []byte(text)) {
		return
	}
	if len(bundle) > 0 && !bytes.HasSuffix(bundle, []byte("\n")) {
		text = "\n" + text
	}
	file, err := os.OpenFile(filepath.Join(f.root, bundleFile), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
	if err == nil {
		_, err = file.WriteString(text)
		if closing := file.Close(); err == nil {
			err = closing
		}
	}
	if err != nil {
		log.Printf("writing /%s: %v", bundleFile, err)
	}
}

func lowerASCII(character rune) rune {
	if character >= 'A' && character <= 'Z' {
		return character - 'A' + 'a'
	}
	return character
}

// lookupHash is OpenSSL's X509_NAME_hash of the subject: SHA-1 over the name with its texts in UTF-8, in lower case, and with
// single spaces, as `openssl x509 -subject_hash` prints it.
func lookupHash(certificate *x509.Certificate) (uint32, error) {
	var name pkix.RDNSequence
	if _, err := asn1.Unmarshal(certificate.RawSubject, &name); err != nil {
		return 0, err
	}
	type attribute struct {
		Type  asn1.ObjectIdentifier
		Value asn1.RawValue
	}
	var canonical []byte
	for _, set := range name {
		attributes := make([]attribute, 0, len(set))
		for _, each := range set {
			text := strings.Map(lowerASCII, strings.Join(strings.Fields(fmt.Sprint(each.Value)), " "))
			value := asn1.RawValue{Tag: asn1.TagUTF8String, Bytes: []byte(text)}
			attributes = append(attributes, attribute{Type: each.Type, Value: value})
		}
		encoded, err := asn1.MarshalWithParams(attributes, "set")
		if err != nil {
			return 0, err
		}
		canonical = append(canonical, encoded...)
	}
	sum := sha1.Sum(canonical) // #nosec G401 -- see above
	return binary.LittleEndian.Uint32(sum[:4]), nil
}
