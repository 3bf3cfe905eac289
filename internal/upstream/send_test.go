// SPDX-License-Identifier: Apache-2.0

package upstream

import (
	"bytes"
	"io"
	"net/http"
	"testing"
)

func TestSendStores(t *testing.T) {
	u, mem := newStore(t)
	for _, size := range []int{0, 1, small, small + 1, 3 << 20} {
		want := bytes.Repeat([]byte("x"), size)
		resp, err := u.Send(t.Context(), &Request{Method: "PUT", Path: "/b/k", Header: http.Header{}, Body: bytes.NewReader(want), Length: int64(size)})
		if err != nil {
			t.Fatalf("Send(PUT %d bytes) = %v", size, err)
		}
		resp.Body.Close()
		o, err := mem.GetObject("b", "k", nil)
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := io.ReadAll(o.Contents); !bytes.Equal(got, want) {
			t.Errorf("%d bytes stored, want %d", len(got), size)
		}
		resp, err = u.Send(t.Context(), &Request{Method: "GET", Path: "/b/k"})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(resp.Body); err != nil || !bytes.Equal(got, want) {
			t.Errorf("Send(GET) = %d bytes, %v, want %d", len(got), err, size)
		}
		resp.Body.Close()
	}
}
