// Command testregistry serves the registry of go-containerregistry for tests of the whole platform: one image, made of a tar archive.
// With a certificate it speaks HTTPS and asks for the password `someone`:`secret`.
package main

import (
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

func main() {
	layer := flag.String("layer", "", "tar archive with the image's files")
	certificate := flag.String("certificate", "", "PEM file; with it, HTTPS and a password")
	key := flag.String("key", "", "PEM file")
	flag.Parse()
	if err := serve(*layer, *certificate, *key); err != nil {
		log.Fatal(err)
	}
}

// serve ends with its standard input; its first line of output is its port.
func serve(layer, certificate, key string) error {
	images := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	if err := seed(images, layer); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	if certificate == "" {
		return http.Serve(listener, images)
	}
	return http.ServeTLS(listener, protected(images), certificate, key)
}

func protected(images http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "someone" || password != "secret" {
			w.Header().Set("WWW-Authenticate", `Basic realm="test"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		images.ServeHTTP(w, r)
	})
}

func seed(images http.Handler, file string) error {
	inside := httptest.NewServer(images)
	defer inside.Close()
	layer, err := tarball.LayerFromFile(file)
	if err != nil {
		return err
	}
	config := v1.Config{Env: []string{"FROM_IMAGE=yes", "PATH=/usr/local/bin:/usr/bin:/bin"}, User: "nobody", WorkingDir: "/srv"}
	image, err := mutate.ConfigFile(empty.Image, &v1.ConfigFile{OS: "linux", Architecture: runtime.GOARCH, Config: config, RootFS: v1.RootFS{Type: "layers"}})
	if err != nil {
		return err
	}
	image, err = mutate.AppendLayers(image, layer)
	if err != nil {
		return err
	}
	reference, err := name.ParseReference(strings.TrimPrefix(inside.URL, "http://")+"/team/app:v1", name.Insecure)
	if err != nil {
		return err
	}
	return remote.Write(reference, image)
}
