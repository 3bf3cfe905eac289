// SPDX-License-Identifier: Apache-2.0

package sigv4_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/innkeeper-iam/innkeeper/sigv4"
)

// A server that is not S3 reads the body, with a limit, and verifies it.
func Example() {
	secrets := map[string]string{"AKIDEXAMPLE": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}
	verifier := &sigv4.Verifier{Services: []string{"iam"}, Keys: new(sigv4.KeyCache)}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		sig, err := sigv4.Parse(r)
		if err == nil {
			err = verifier.Verify(r, sig, secrets[sig.AccessKeyID], body)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusForbidden)
			return
		}
		fmt.Fprintf(w, "hello %s", sig.AccessKeyID)
	}))
	defer server.Close()

	signer := &sigv4.Signer{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: secrets["AKIDEXAMPLE"], Region: "us-east-1", Service: "iam"}
	const form = "Action=ListUsers&Version=2010-05-08"
	r, err := http.NewRequest(http.MethodPost, server.URL, strings.NewReader(form))
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := signer.Sign(r, sigv4.HashPayload([]byte(form))); err != nil {
		fmt.Println(err)
		return
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	fmt.Println(string(text), err)
	// Output: hello AKIDEXAMPLE <nil>
}
