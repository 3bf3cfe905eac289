// SPDX-License-Identifier: Apache-2.0

package node

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/config"
)

// The local socket is how commands of the operator reach a running node: the
// embedded store belongs to one process. Who may open the socket is who may read
// the data directory, mode 0700, and could read the master key there.

// socketFile is the local socket of the node with the given data directory.
func socketFile(data string) string { return filepath.Join(data, "node.sock") }

// A NewAccount is a request to make an account, and its Answer.
type NewAccount struct {
	Name    string `json:"name"`
	ID      string `json:"id,omitempty"` // twelve digits; "" for a random one
	Profile string `json:"profile"`      // of the credentials

	Credentials string `json:"credentials,omitempty"` // answer: a profile in the shared-credentials format
	Error       string `json:"error,omitempty"`       // answer: why not
}

// serveLocal begins to serve the operator, and the gateways of this node.
func (n *Node) serveLocal(ctx context.Context) error {
	mux := http.NewServeMux()
	if err := n.serveRelay(ctx, mux); err != nil {
		return err
	}
	l, err := listenLocal(n.cfg.Data)
	if errors.Is(err, syscall.EINVAL) {
		// A path too long for a socket does not stop the server from serving.
		n.log.Warn("no local socket: commands of the operator will not reach this node", "error", err)
		return nil
	}
	if err != nil {
		return fmt.Errorf("local socket: %w", err)
	}
	mux.HandleFunc("POST /accounts", n.postAccount)
	mux.HandleFunc("POST /quotas", n.postQuotas)
	mux.HandleFunc("POST /buckets", n.postBuckets)
	mux.HandleFunc("POST /inquiries", n.postInquiry)
	mux.HandleFunc("POST /trust", n.postTrust)
	mux.HandleFunc("POST /learning", n.postLearning)
	server := n.server(mux, nil)
	server.ReadTimeout, server.WriteTimeout, server.MaxHeaderBytes = 10*time.Second, 30*time.Second, 4<<10
	server.RegisterOnShutdown(n.relayed.Stop)
	n.run(server, l)
	return nil
}

// listenLocal opens the local socket. It gets its name with mode 0600: nobody
// else can connect at any moment, whatever the umask and the mode of the
// directory. A socket that another node left is replaced.
func listenLocal(data string) (net.Listener, error) {
	dir, err := os.MkdirTemp(data, ".") // mode 0700; a socket's path is 107 bytes at most
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	first := filepath.Join(dir, "s")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: first, Net: "unix"})
	if err != nil {
		return nil, err
	}
	l.SetUnlinkOnClose(false) // it has another name by then
	err = os.Chmod(first, 0o600)
	if err == nil {
		err = os.Rename(first, socketFile(data))
	}
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return &localListener{l, socketFile(data)}, nil
}

// A localListener removes its socket when it is closed.
type localListener struct {
	net.Listener
	name string
}

func (l *localListener) Close() error {
	if err := l.Listener.Close(); err != nil {
		return err
	}
	if err := os.Remove(l.name); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func (n *Node) postAccount(w http.ResponseWriter, r *http.Request) {
	var a NewAccount
	if err := json.NewDecoder(io.LimitReader(r.Body, 4096)).Decode(&a); err != nil {
		a.Error = err.Error()
	} else if err := n.addAccount(r.Context(), &a); err != nil {
		a.Error = err.Error()
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(a)
}

func (n *Node) addAccount(ctx context.Context, a *NewAccount) error {
	id, credentials, err := n.AddAccount(ctx, a.Name, a.ID, a.Profile)
	if err != nil {
		return err
	}
	a.ID, a.Credentials = id, credentials
	return nil
}

// ErrNotRunning says that no node serves the data directory.
var ErrNotRunning = errors.New("no server is running on this data directory")

// RequestAccount asks the node that serves the data directory for an account.
// It fills the answer into a, or returns an error that wraps ErrNotRunning when
// there is no such node, or none with a local socket.
func RequestAccount(ctx context.Context, data string, a *NewAccount) error {
	if err := callLocal(ctx, data, "/accounts", a, a, 64<<10); err != nil {
		return err
	}
	if a.Error != "" {
		return errors.New(a.Error)
	}
	return nil
}

// callLocal posts a question to the node that serves the data directory and
// decodes its answer, of at most limit bytes. The error wraps ErrNotRunning when
// there is no such node, or none with a local socket.
func callLocal(ctx context.Context, data, path string, question, answer any, limit int64) error {
	client := http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", socketFile(data))
		},
	}}
	defer client.CloseIdleConnections()
	body, err := json.Marshal(question)
	if err != nil {
		return err
	}
	u := url.URL{Scheme: "http", Host: "node", Path: path}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), bytes.NewReader(body))
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.EINVAL) {
		return fmt.Errorf("%s: %w", data, ErrNotRunning)
	}
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusNotFound {
		return fmt.Errorf("the server that runs on %s is of a version that does not answer this", data)
	}
	return json.NewDecoder(io.LimitReader(resp.Body, limit)).Decode(answer)
}

// AddAccountOffline makes an account on the store of a configuration that no
// node serves. The data directory, the master key and the store must exist.
func AddAccountOffline(ctx context.Context, cfg config.Config, a *NewAccount) error {
	return offline(ctx, cfg, func(n *Node) error { return n.addAccount(ctx, a) })
}
