// SPDX-License-Identifier: Apache-2.0

package crash

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/innkeeper-iam/innkeeper/sigv4"
	"github.com/innkeeper-iam/innkeeper/test/server"
)

// TestDrain asks the server to end while requests are half sent: it takes no new
// ones, waits for the rest of these and answers them.
func TestDrain(t *testing.T) {
	s := server.Start(t, server.Options{})
	address := strings.TrimPrefix(s.URL, "http://")
	const requests = 8
	var conns []net.Conn
	var rests []string
	for i := range requests {
		head, body := signed(t, s, "Action=CreateUser&Version=2010-05-08&UserName=drained"+string(rune('a'+i)))
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := io.WriteString(conn, head+body[:10]); err != nil {
			t.Fatal(err)
		}
		conns, rests = append(conns, conn), append(rests, body[10:])
	}
	time.Sleep(100 * time.Millisecond) // the server has begun to read them
	if err := s.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			break
		}
		conn.Close()
		if time.Now().After(deadline) {
			t.Fatal("the server still takes connections")
		}
	}
	for i, conn := range conns {
		if _, err := io.WriteString(conn, rests[i]); err != nil {
			t.Fatal(err)
		}
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatalf("request %d under way: %v", i, err)
		}
		if resp.StatusCode != http.StatusOK {
			t.Errorf("request %d under way: %s", i, resp.Status)
		}
		resp.Body.Close()
	}
	if err := s.Wait(); err != nil {
		t.Errorf("the server ended with %v", err)
	}
	if err := s.Restart(); err != nil {
		t.Fatal(err)
	}
	out, err := s.IAM(s.Admin).ListUsers(t.Context(), &iam.ListUsersInput{})
	if err != nil || len(out.Users) != requests+1 {
		t.Errorf("ListUsers: %v, %v, want %d users", out, err, requests+1)
	}
}

// signed is the head and the body of a request.
func signed(t *testing.T, s *server.Server, body string) (string, string) {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, s.URL, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("User-Agent", "drain")
	signer := sigv4.Signer{AccessKeyID: s.Admin.ID, SecretAccessKey: s.Admin.Secret, Region: server.Region, Service: "iam"}
	if err := signer.Sign(r, sigv4.HashPayload([]byte(body))); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := r.Write(&b); err != nil {
		t.Fatal(err)
	}
	head, _, _ := strings.Cut(b.String(), "\r\n\r\n")
	return head + "\r\n\r\n", body
}

// TestParallelKeys creates 50 keys for one user at once, who may have two.
func TestParallelKeys(t *testing.T) {
	s := server.Start(t, server.Options{})
	admin := s.IAM(s.Admin)
	if _, err := admin.CreateUser(t.Context(), &iam.CreateUserInput{UserName: aws.String("ann")}); err != nil {
		t.Fatal(err)
	}
	const parallel = 50
	codes := make([]string, parallel)
	var ready, done sync.WaitGroup
	ready.Add(parallel)
	for i := range parallel {
		done.Go(func() {
			ready.Done()
			ready.Wait()
			_, err := admin.CreateAccessKey(t.Context(), &iam.CreateAccessKeyInput{UserName: aws.String("ann")})
			codes[i] = server.Code(err)
		})
	}
	done.Wait()
	count := make(map[string]int)
	for _, c := range codes {
		count[c]++
	}
	if count[""] != 2 || count["LimitExceeded"] != parallel-2 {
		t.Errorf("answers %v, want 2 keys and %d times LimitExceeded", count, parallel-2)
	}
	out, err := admin.ListAccessKeys(t.Context(), &iam.ListAccessKeysInput{UserName: aws.String("ann")})
	if err != nil || len(out.AccessKeyMetadata) != 2 {
		t.Errorf("ListAccessKeys: %v, %v, want 2 keys", out, err)
	}
}
