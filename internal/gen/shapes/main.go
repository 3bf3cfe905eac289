// SPDX-License-Identifier: Apache-2.0

// Command shapes generates the wire shapes of an API from its model: structures, decoders of requests,
// encoders of XML or JSON for answers, and of JSON for audit records.
//
// "shapes iam" writes shapes_gen.go and shapes_gen_test.go to the current folder from the models
// embedded in this program. "shapes -package NAME iam OPERATION..." does so for some operations only, in
// a package of another name.
//
// "shapes -refresh models" renews those models from the pinned AWS SDK module, which needs the Go module
// proxy and is frozen. "shapes -botocore DIR -refresh models" also renews the files of what AWS added
// since, from the data folder of an installed botocore.
package main

import (
	"cmp"
	"embed"
	"flag"
	"log"
	"os"
)

// The models are trimmed copies of those in the AWS SDK for Go v1; see NOTICE.
//
//go:embed models/*.json
var models embed.FS

func main() {
	log.SetFlags(0)
	log.SetPrefix("shapes: ")
	dir := flag.String("refresh", "", "renew the models in this `folder` from "+sdk+" instead of generating")
	botocore := flag.String("botocore", "", "with -refresh: botocore's data `folder`, for what AWS added later")
	pkg := flag.String("package", "", "`name` of the package that is generated; default: that of the service")
	flag.Parse()
	if *dir != "" {
		if err := refresh(*dir, *botocore); err != nil {
			log.Fatal(err)
		}
		return
	}
	if flag.NArg() < 1 {
		log.Fatal("usage: shapes [-package NAME] iam|sts|org [OPERATION...], or shapes [-botocore DIR] -refresh DIR")
	}
	files, err := generate(cmp.Or(*pkg, flag.Arg(0)+"api"), flag.Arg(0), flag.Args()[1:]...)
	if err != nil {
		log.Fatal(err)
	}
	for name, content := range files {
		if err := os.WriteFile(name, content, 0o644); err != nil {
			log.Fatal(err)
		}
	}
}

// generate returns the generated files of a service by name, for all of its operations or those named.
func generate(pkg, service string, ops ...string) (map[string][]byte, error) {
	m, err := load(models, service)
	if err != nil {
		return nil, err
	}
	if err := m.only(ops); err != nil {
		return nil, err
	}
	g, err := newGenerator(pkg, m)
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
