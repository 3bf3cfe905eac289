// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/innkeeper-iam/innkeeper/sigv4"
	"github.com/innkeeper-iam/innkeeper/test/server"
)

const answer = `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>` +
	`<Arn>arn:aws:iam::111122223333:user/admin</Arn><UserId>AIDAEXAMPLEEXAMPLE123</UserId><Account>111122223333</Account></GetCallerIdentityResult>` +
	`<ResponseMetadata><RequestId>01234567-89ab-cdef-0123-456789abcdef</RequestId></ResponseMetadata></GetCallerIdentityResponse>`

// serveFloor answers requests that a secret has signed, until its standard input
// ends. It prints its address.
func serveFloor(secret string) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(l.Addr())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	verifier := sigv4.Verifier{Services: []string{"iam", "sts"}, Keys: new(sigv4.KeyCache)}
	return http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var sig *sigv4.Signature
		if err == nil {
			sig, err = sigv4.Parse(r)
		}
		if err == nil {
			err = verifier.Verify(r, sig, secret, body)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusForbidden)
			return
		}
		w.Header().Set("Content-Type", "text/xml")
		_, _ = io.WriteString(w, answer)
	}))
}

// A floor is a running one.
type floor struct {
	target
	cmd  *exec.Cmd
	life io.Closer
}

// startFloor runs this program as the floor, which accepts one key, made for the
// run.
func startFloor(key server.Key) (*floor, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	key.Secret = "the-floor-has-a-secret-of-no-value-at-all"
	cmd := exec.Command(self, "-floor", key.Secret)
	cmd.Stderr = os.Stderr
	life, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		return nil, fmt.Errorf("the floor: %w", err)
	}
	cpu := func() (time.Duration, error) { return server.CPU(cmd.Process.Pid) }
	return &floor{target{"http://" + strings.TrimSpace(line), key, cpu}, cmd, life}, nil
}

func (f *floor) stop() {
	_ = f.life.Close()
	_ = f.cmd.Wait()
}
