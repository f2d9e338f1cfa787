package registry

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"torpor.dev/oci/internal/fault"
)

const (
	// silence is how long a registry may say nothing in the middle of an answer.
	silence        = 60 * time.Second
	connectTimeout = 20 * time.Second
	// maxManifestBytes is what registries themselves accept.
	maxManifestBytes = 4 << 20
)

var (
	errPlainHTTP     = errors.New("plain HTTP is not allowed for this host")
	errRefusedByRule = errors.New("addresses of this sort are no registries")
)

// newTransport makes the one way to registries. caFile, if any, holds certificates (PEM) that are trusted beside the system's.
func newTransport(insecure []string, caFile string) (http.RoundTripper, error) {
	trusted, err := certificates(caFile)
	if err != nil {
		return nil, err
	}
	dialer := &net.Dialer{Timeout: connectTimeout, Control: refuseAddresses}
	return &guard{insecure: insecure, next: &http.Transport{
		Proxy: http.ProxyFromEnvironment,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			connection, err := dialer.DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return &patientConnection{connection}, nil
		},
		TLSClientConfig:       &tls.Config{RootCAs: trusted},
		TLSHandshakeTimeout:   connectTimeout,
		ResponseHeaderTimeout: silence,
		ForceAttemptHTTP2:     true,
		MaxIdleConnsPerHost:   8,
		IdleConnTimeout:       silence,
	}}, nil
}

func certificates(caFile string) (*x509.CertPool, error) {
	if caFile == "" {
		return nil, nil
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	pem, err := os.ReadFile(caFile)
	if err != nil {
		return nil, fault.Wrap(err, fault.InvalidArgument, "The file of certificates (caFile) cannot be read.")
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fault.New(fault.InvalidArgument, "The file of certificates (caFile) holds no certificate in PEM form.")
	}
	return pool, nil
}

// refuseAddresses keeps users' image names away from what answers on link-local addresses: the cloud's metadata service with this machine's credentials.
func refuseAddresses(_, address string, _ syscall.RawConn) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return err
	}
	host, _, _ = strings.Cut(host, "%")
	ip := net.ParseIP(host)
	if ip == nil || ip.IsLinkLocalUnicast() || ip.IsUnspecified() || ip.IsMulticast() {
		return fmt.Errorf("%s: %w", address, errRefusedByRule)
	}
	return nil
}

// guard lets plain HTTP through to the hosts that the operator named only, redirections included, and bounds manifests.
type guard struct {
	insecure []string
	next     http.RoundTripper
}

func (g *guard) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.URL.Scheme != "https" && !slices.Contains(g.insecure, request.URL.Host) {
		return nil, errPlainHTTP
	}
	response, err := g.next.RoundTrip(request)
	if err == nil && strings.Contains(request.URL.Path, "/manifests/") {
		response.Body = http.MaxBytesReader(nil, response.Body, maxManifestBytes)
	}
	return response, err
}

// patientConnection ends a read that brings nothing for too long.
type patientConnection struct{ net.Conn }

func (c *patientConnection) Read(buffer []byte) (int, error) {
	if err := c.SetReadDeadline(time.Now().Add(silence)); err != nil {
		return 0, err
	}
	return c.Conn.Read(buffer)
}
