// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/innkeeper-iam/innkeeper/sigv4"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"innkeeper": main})
}

// TestScript runs the scripts in testdata/script, which are in the language of
// testscript and of scriptCommands.
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		Cmds:                scriptCommands,
		UpdateScripts:       flag.Lookup("update").Value.String() == "true", // doctest's
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Deadline:            time.Now().Add(4 * time.Minute),
		Setup: func(env *testscript.Env) error {
			env.Setenv("AWS_EC2_METADATA_DISABLED", "true")
			return nil
		},
	})
}

type scriptCommand = func(ts *testscript.TestScript, neg bool, args []string)

var scriptCommands = map[string]scriptCommand{
	"exits":     exits,
	"ready":     ready,
	"get":       get,
	"whoami":    whoami,
	"call":      call,
	"newkey":    newKey,
	"mode":      mode,
	"junit":     junit,
	"json":      validJSON,
	"cert":      certificate,
	"occupy":    occupy,
	"overwrite": overwrite,
	"s3store":   s3store,
}

func wantArgs(ts *testscript.TestScript, neg bool, args []string, least int, usage string) {
	if neg || len(args) < least {
		ts.Fatalf("usage: %s", usage)
	}
}

// exits runs a command that must end with the exit code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	wantArgs(ts, neg, args, 2, "exits CODE COMMAND [ARG...]")
	err := ts.Exec(args[1], args[2:]...)
	code := 0
	if e, ok := errors.AsType[*exec.ExitError](err); ok {
		code = e.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if strconv.Itoa(code) != args[0] {
		ts.Fatalf("%s exits with %d, want %s", strings.Join(args[1:], " "), code, args[0])
	}
}

var logURL = regexp.MustCompile(`"?\burl"?[=:]"?(https?://[^ "]+)`)

// ready waits until the log that a server writes to a file says that it is open,
// and puts its address into the variable URL.
func ready(ts *testscript.TestScript, neg bool, args []string) {
	wantArgs(ts, neg, args, 1, "ready LOGFILE")
	var text []byte
	for range 600 {
		var err error
		if text, err = os.ReadFile(ts.MkAbs(args[0])); err == nil {
			if m := logURL.FindSubmatch(text); m != nil {
				ts.Setenv("URL", string(m[1]))
				return
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
	ts.Fatalf("no server is open after 30 s; its log:\n%s", text)
}

// client trusts the certificates of a file too, if one is named.
func client(ts *testscript.TestScript, caFile ...string) *http.Client {
	t := &http.Transport{DisableKeepAlives: true}
	for _, file := range caFile {
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM([]byte(ts.ReadFile(file))) {
			ts.Fatalf("%s holds no certificate", file)
		}
		t.TLSClientConfig = &tls.Config{RootCAs: pool}
	}
	return &http.Client{Transport: t, Timeout: 30 * time.Second}
}

// get prints the body of an answer that must have the status.
func get(ts *testscript.TestScript, neg bool, args []string) {
	wantArgs(ts, neg, args, 2, "get STATUS URL [CAFILE]")
	resp, err := client(ts, args[2:]...).Get(args[1])
	ts.Check(err)
	answer(ts, resp, args[0])
}

func answer(ts *testscript.TestScript, resp *http.Response, status string) {
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	ts.Check(err)
	if strconv.Itoa(resp.StatusCode) != status {
		ts.Fatalf("answer %d, want %s:\n%s", resp.StatusCode, status, body)
	}
	ts.Stdout().Write(body)
}

// whoami calls GetCallerIdentity at $URL with the credentials of a file and
// prints the answer.
func whoami(ts *testscript.TestScript, neg bool, args []string) {
	wantArgs(ts, neg, args, 1, "whoami CREDENTIALSFILE [CAFILE]")
	resp := post(ts, args[0], "sts", url.Values{"Action": {"GetCallerIdentity"}, "Version": {"2011-06-15"}}, args[1:]...)
	answer(ts, resp, "200")
}

// call calls an operation at $URL with the credentials of a file and prints the
// answer, which must have the status.
func call(ts *testscript.TestScript, neg bool, args []string) {
	wantArgs(ts, neg, args, 4, "call STATUS CREDENTIALSFILE SERVICE OPERATION [PARAMETER=VALUE...]")
	answer(ts, post(ts, args[1], args[2], operation(ts, args[2], args[3:])), args[0])
}

// newKey makes a key of a user and writes it to a new file.
func newKey(ts *testscript.TestScript, neg bool, args []string) {
	wantArgs(ts, neg, args, 3, "newkey CREDENTIALSFILE USER NEWFILE")
	resp := post(ts, args[0], "iam", operation(ts, "iam", []string{"CreateAccessKey", "UserName=" + args[1]}))
	defer resp.Body.Close()
	var made struct {
		ID     string `xml:"CreateAccessKeyResult>AccessKey>AccessKeyId"`
		Secret string `xml:"CreateAccessKeyResult>AccessKey>SecretAccessKey"`
	}
	ts.Check(xml.NewDecoder(resp.Body).Decode(&made))
	text := fmt.Sprintf("aws_access_key_id = %s\naws_secret_access_key = %s\nregion = us-east-1\n", made.ID, made.Secret)
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), []byte(text), 0o600))
}

// operation is the form of an operation with its parameters.
func operation(ts *testscript.TestScript, service string, args []string) url.Values {
	form := url.Values{"Action": {args[0]}, "Version": {map[string]string{"iam": "2010-05-08", "sts": "2011-06-15"}[service]}}
	for _, arg := range args[1:] {
		name, value, ok := strings.Cut(arg, "=")
		if !ok {
			ts.Fatalf("%s: want PARAMETER=VALUE", arg)
		}
		form.Set(name, value)
	}
	return form
}

// post sends a form, signed with the credentials of a file, to $URL.
func post(ts *testscript.TestScript, credentials, service string, form url.Values, caFile ...string) *http.Response {
	values := make(map[string]string)
	for line := range strings.Lines(ts.ReadFile(credentials)) {
		name, value, _ := strings.Cut(line, "=")
		values[strings.TrimSpace(name)] = strings.TrimSpace(value)
	}
	body := form.Encode()
	req, err := http.NewRequest(http.MethodPost, ts.Getenv("URL")+"/", strings.NewReader(body))
	ts.Check(err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	signer := sigv4.Signer{AccessKeyID: values["aws_access_key_id"], SecretAccessKey: values["aws_secret_access_key"],
		Region: values["region"], Service: service}
	ts.Check(signer.Sign(req, sigv4.HashPayload([]byte(body))))
	resp, err := client(ts, caFile...).Do(req)
	ts.Check(err)
	return resp
}

// mode checks the type and permissions of files, written as by ls.
func mode(ts *testscript.TestScript, neg bool, args []string) {
	wantArgs(ts, neg, args, 2, "mode MODE FILE...")
	for _, file := range args[1:] {
		info, err := os.Lstat(ts.MkAbs(file))
		ts.Check(err)
		if got := info.Mode().String(); got != args[0] {
			ts.Fatalf("%s has mode %s, want %s", file, got, args[0])
		}
	}
}

// junit checks that a file is a JUnit report whose numbers add up.
func junit(ts *testscript.TestScript, neg bool, args []string) {
	wantArgs(ts, neg, args, 3, "junit FILE TESTS FAILURES")
	type counts struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
	}
	var report struct {
		XMLName xml.Name `xml:"testsuites"`
		counts
		Suites []struct {
			counts
			Name  string `xml:"name,attr"`
			Cases []struct {
				Name    string `xml:"name,attr"`
				Failure *struct {
					Message string `xml:"message,attr"`
					Text    string `xml:",chardata"`
				} `xml:"failure"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	dec := xml.NewDecoder(strings.NewReader(ts.ReadFile(args[0])))
	ts.Check(dec.Decode(&report))
	if _, err := dec.Token(); err != nil && !errors.Is(err, io.EOF) {
		ts.Fatalf("after the report: %v", err)
	}
	var all counts
	for _, s := range report.Suites {
		failures := 0
		for _, c := range s.Cases {
			if c.Failure != nil {
				failures++
				if c.Failure.Message == "" || c.Failure.Text == "" || c.Name == "" {
					ts.Fatalf("a failure of %s says nothing", s.Name)
				}
			}
		}
		if s.Tests != len(s.Cases) || s.Failures != failures || s.Name == "" {
			ts.Fatalf("suite %q has %d tests and %d failures, and says %d and %d", s.Name, len(s.Cases), failures, s.Tests, s.Failures)
		}
		all.Tests, all.Failures = all.Tests+s.Tests, all.Failures+s.Failures
	}
	got := []string{strconv.Itoa(report.Tests), strconv.Itoa(report.Failures)}
	if report.counts != all || got[0] != args[1] || got[1] != args[2] {
		ts.Fatalf("the report says %s tests and %s failures, its suites %d and %d, want %s and %s",
			got[0], got[1], all.Tests, all.Failures, args[1], args[2])
	}
}

// validJSON checks that a file is one JSON value.
func validJSON(ts *testscript.TestScript, neg bool, args []string) {
	wantArgs(ts, neg, args, 1, "json FILE")
	var v any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &v))
}

// certificate writes a certificate for 127.0.0.1 that signs itself, and its key.
func certificate(ts *testscript.TestScript, neg bool, args []string) {
	wantArgs(ts, neg, args, 2, "cert CERTFILE KEYFILE")
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ts.Check(err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "innkeeper test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	ts.Check(err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	ts.Check(err)
	for file, block := range map[string]*pem.Block{
		args[0]: {Type: "CERTIFICATE", Bytes: der},
		args[1]: {Type: "PRIVATE KEY", Bytes: private},
	} {
		ts.Check(os.WriteFile(ts.MkAbs(file), pem.EncodeToMemory(block), 0o600))
	}
}

// occupy listens on a free port of loopback until the script ends, and puts its
// address into a variable.
func occupy(ts *testscript.TestScript, neg bool, args []string) {
	wantArgs(ts, neg, args, 1, "occupy VARIABLE")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { l.Close() })
	ts.Setenv(args[0], l.Addr().String())
}

// overwrite damages a file: it fills its first bytes.
func overwrite(ts *testscript.TestScript, neg bool, args []string) {
	wantArgs(ts, neg, args, 2, "overwrite FILE BYTES")
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	f, err := os.OpenFile(ts.MkAbs(args[0]), os.O_WRONLY, 0)
	ts.Check(err)
	_, err = fmt.Fprintf(f, "%s", bytes.Repeat([]byte("#"), n))
	ts.Check(errors.Join(err, f.Close()))
}
