// SPDX-License-Identifier: Apache-2.0

// Command shapes generates the wire shapes of an API from its model: structures, decoders of forms,
// encoders of XML and of JSON for audit records.
//
// "shapes iam" writes shapes_gen.go and shapes_gen_test.go to the current folder from the models
// embedded in this program. "shapes -refresh DIR" renews those models in DIR from the pinned AWS SDK
// module, which needs the Go module proxy.
package main

import (
	"embed"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
)

// The models are trimmed copies of those in the AWS SDK for Go v1; see NOTICE.
//
//go:embed models/*.json
var models embed.FS

// sdk is where the models come from: the last release of the SDK that carries them.
const sdk = "github.com/aws/aws-sdk-go@v1.55.8"

// sources has each service's model within the SDK.
var sources = map[string]string{
	"iam": "models/apis/iam/2010-05-08/api-2.json",
	"sts": "models/apis/sts/2011-06-15/api-2.json",
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("shapes: ")
	dir := flag.String("refresh", "", "renew the models in this `folder` from "+sdk+" instead of generating")
	flag.Parse()
	if *dir != "" {
		if err := refresh(*dir); err != nil {
			log.Fatal(err)
		}
		return
	}
	if flag.NArg() != 1 {
		log.Fatal("usage: shapes iam|sts, or shapes -refresh DIR")
	}
	files, err := generate(flag.Arg(0))
	if err != nil {
		log.Fatal(err)
	}
	for name, content := range files {
		if err := os.WriteFile(name, content, 0o644); err != nil {
			log.Fatal(err)
		}
	}
}

// generate returns the generated files of a service by name.
func generate(service string) (map[string][]byte, error) {
	m, err := load(models, service)
	if err != nil {
		return nil, err
	}
	g, err := newGenerator(service+"api", m)
	if err != nil {
		return nil, err
	}
	code, err := g.source()
	if err != nil {
		return nil, err
	}
	test, err := g.testSource()
	if err != nil {
		return nil, err
	}
	return map[string][]byte{"shapes_gen.go": code, "shapes_gen_test.go": test}, nil
}

// refresh writes the trimmed models to dir.
func refresh(dir string) error {
	cmd := exec.Command("go", "mod", "download", "-json", sdk)
	cmd.Dir = os.TempDir() // outside our module, whose go.sum does not list the SDK
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("go mod download %s: %w", sdk, err)
	}
	var module struct{ Dir string }
	if err := json.Unmarshal(out, &module); err != nil {
		return err
	}
	for service, file := range sources {
		raw, err := os.ReadFile(filepath.Join(module.Dir, filepath.FromSlash(file)))
		if err != nil {
			return err
		}
		var m Model
		if err := json.Unmarshal(raw, &m); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		text, err := m.text()
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, service+".json"), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}
