// SPDX-License-Identifier: Apache-2.0

package main

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
)

// sdk is where the models come from: the last release of the SDK that carries them.
const sdk = "github.com/aws/aws-sdk-go@v1.55.8"

// sources has each service's folder of models, below models/apis in the SDK and below botocore's data.
var sources = map[string]string{
	"iam": "iam/2010-05-08",
	"sts": "sts/2011-06-15",
	"org": "organizations/2016-11-28",
}

// refresh writes the trimmed models to dir, and with botocore's data folder also what they lack.
func refresh(dir, botocore string) error {
	module, err := download()
	if err != nil {
		return err
	}
	for service, folder := range sources {
		base, err := read(filepath.Join(module, "models", "apis", filepath.FromSlash(folder), "api-2.json"))
		if err != nil {
			return err
		}
		if err := write(filepath.Join(dir, service+".json"), base); err != nil {
			return err
		}
		if botocore == "" {
			continue
		}
		latest, err := read(filepath.Join(botocore, filepath.FromSlash(folder), "service-2.json"))
		if err != nil {
			return err
		}
		newer, err := latest.since(base)
		if err != nil {
			return err
		}
		if err := write(filepath.Join(dir, service+".newer.json"), newer); err != nil {
			return err
		}
	}
	return nil
}

// download fetches the SDK into the module cache and returns its folder there.
func download() (string, error) {
	cmd := exec.Command("go", "mod", "download", "-json", sdk)
	cmd.Dir = os.TempDir() // outside our module, whose go.sum does not list the SDK
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("go mod download %s: %w", sdk, err)
	}
	var module struct{ Dir string }
	err = json.Unmarshal(out, &module)
	return module.Dir, err
}

// read reads a whole model, or its .gz, and keeps what Model has.
func read(name string) (*Model, error) {
	raw, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		raw, err = readGzip(name + ".gz")
	}
	if err != nil {
		return nil, err
	}
	m := new(Model)
	if err := json.Unmarshal(raw, m); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return m, nil
}

func readGzip(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}

func write(name string, m *Model) error {
	text, err := m.text()
	if err != nil {
		return err
	}
	return os.WriteFile(name, text, 0o644)
}

// since returns the operations and shapes of m that base lacks or has differently.
func (m *Model) since(base *Model) (*Model, error) {
	out := &Model{Metadata: m.Metadata, Operations: make(map[string]*Operation), Shapes: make(map[string]*Shape)}
	if err := changed(out.Operations, m.Operations, base.Operations); err != nil {
		return nil, err
	}
	return out, changed(out.Shapes, m.Shapes, base.Shapes)
}

func changed[V any](out, latest, base map[string]V) error {
	for name, v := range latest {
		was, err := encode(base[name])
		if err != nil {
			return err
		}
		is, err := encode(v)
		if err != nil {
			return err
		}
		if was != is {
			out[name] = v
		}
	}
	return nil
}
