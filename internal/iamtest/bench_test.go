// SPDX-License-Identifier: Apache-2.0

package iamtest

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"testing"
)

// BenchmarkRequest measures requests from one connection to a whole node over
// loopback: verified, decided, recorded and answered. The requests are signed
// and written beforehand, so that the time and the allocations are the server's.
func BenchmarkRequest(b *testing.B) {
	s := Options{Clock: NewClock()}.Start(b)
	admin := s.Admin()
	for i := range 100 {
		admin.OK("CreateUser", fmt.Sprintf("UserName=user-%02d", i))
	}
	admin.OK("CreateRole", "RoleName=app", `AssumeRolePolicyDocument={"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"`+Account+`"},"Action":"sts:AssumeRole"}}`)
	for _, op := range []struct {
		name   string
		params []string
	}{
		{"GetCallerIdentity", nil},
		{"GetUser", []string{"UserName=user-07"}},
		{"AssumeRole", []string{"RoleArn=arn:aws:iam::" + Account + ":role/app", "RoleSessionName=visit"}},
		{"ListUsers", nil},
		{"SimulatePrincipalPolicy", []string{"PolicySourceArn=arn:aws:iam::" + Account + ":user/admin", "ActionNames.member.1=s3:GetObject", "ActionNames.member.2=s3:PutObject"}},
		{"TagUser", []string{"UserName=user-07", "Tags.member.1.Key=k", "Tags.member.1.Value=v"}}, // a change: waits for the disk
	} {
		b.Run("op="+op.name, func(b *testing.B) {
			var request bytes.Buffer
			if err := admin.Request(op.name, Form(op.name, op.params...)).Write(&request); err != nil {
				b.Fatal(err)
			}
			conn, err := net.Dial("tcp", strings.TrimPrefix(s.URL, "http://"))
			if err != nil {
				b.Fatal(err)
			}
			defer conn.Close()
			in := bufio.NewReaderSize(conn, 64<<10)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := conn.Write(request.Bytes()); err != nil {
					b.Fatal(err)
				}
				readOK(b, in)
			}
		})
	}
}

var contentLength = []byte("Content-Length: ")

// readOK reads one answer, which must be 200, and allocates nothing.
func readOK(b *testing.B, in *bufio.Reader) {
	status, length := false, 0
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			b.Fatal(err)
		}
		switch {
		case bytes.HasPrefix(line, []byte("HTTP/1.1 200")):
			status = true
		case bytes.HasPrefix(line, contentLength):
			length, _ = strconv.Atoi(string(bytes.TrimSpace(line[len(contentLength):])))
		case len(line) == 2:
			if !status {
				b.Fatal("the request failed")
			}
			if _, err := io.CopyN(io.Discard, in, int64(length)); err != nil {
				b.Fatal(err)
			}
			return
		}
	}
}
