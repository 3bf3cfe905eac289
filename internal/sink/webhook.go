// SPDX-License-Identifier: Apache-2.0

package sink

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
)

// A Webhook posts batches of records, as lines of JSON (application/x-ndjson), to a
// URL. An answer of 2xx says that all have arrived. Redirects are not followed.
type Webhook struct {
	url    string
	token  string // file; "" for none
	client *http.Client
}

// How long a webhook may take to answer, and how much of an answer that is an
// error is read.
const (
	answerWithin = 30 * time.Second
	maxAnswer    = 1 << 10
	maxToken     = 8 << 10
)

// NewWebhook returns the webhook at a URL, which must be https beyond loopback.
// tokenFile, if not "", holds a token that is sent as Authorization: Bearer; it is
// read for each batch, so that it may change.
func NewWebhook(rawURL, tokenFile string) (*Webhook, error) {
	u, err := url.Parse(rawURL)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return nil, fmt.Errorf("the webhook must be a URL such as https://logs.example.com/innkeeper")
	case u.User != nil:
		return nil, fmt.Errorf("the webhook's URL must not hold a password: put a token into a file")
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return nil, fmt.Errorf("the webhook at %s must be https: it is reachable over the network", u.Host)
	}
	h := &Webhook{url: u.String(), token: tokenFile}
	if _, err := h.authorization(); err != nil {
		return nil, err
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost, transport.ResponseHeaderTimeout = 1, answerWithin
	h.client = &http.Client{
		Transport: transport, Timeout: answerWithin,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return h, nil
}

// loopback reports whether a host is on this machine.
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// authorization is the value of the header, "" for none.
func (h *Webhook) authorization() (string, error) {
	if h.token == "" {
		return "", nil
	}
	f, err := os.Open(h.token)
	if err != nil {
		return "", fmt.Errorf("the webhook's token: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxToken+1))
	if err != nil {
		return "", fmt.Errorf("the webhook's token: %w", err)
	}
	token := strings.TrimSpace(string(text))
	if token == "" || len(text) > maxToken || strings.ContainsFunc(token, func(c rune) bool { return c <= ' ' || c > '~' }) {
		return "", fmt.Errorf("%s holds no token of printable characters", h.token)
	}
	return "Bearer " + token, nil
}

// Send posts the lines.
func (h *Webhook) Send(ctx context.Context, lines [][]byte) error {
	auth, err := h.authorization()
	if err != nil {
		return err
	}
	body := append(bytes.Join(lines, []byte("\n")), '\n')
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-ndjson")
	req.Header.Set("User-Agent", "innkeeper")
	if auth != "" {
		req.Header.Set("Authorization", auth)
	}
	resp, err := h.client.Do(req)
	if err != nil {
		// The error names the URL, whose query may hold what is nobody's business.
		if e, ok := errors.AsType[*url.Error](err); ok {
			err = e.Err
		}
		return fmt.Errorf("the webhook: %w", err)
	}
	defer resp.Body.Close()
	_, _ = io.CopyN(io.Discard, resp.Body, maxAnswer) // so that the connection can serve again
	if resp.StatusCode/100 == 2 {
		return nil
	}
	return &RetryError{
		Err:   fmt.Errorf("the webhook answers %s", resp.Status),
		After: retryAfter(resp.Header.Get("Retry-After")),
		Fewer: resp.StatusCode == http.StatusRequestEntityTooLarge,
	}
}

// retryAfter reads the header's seconds; 0 if it has none.
func retryAfter(value string) time.Duration {
	n, err := strconv.ParseUint(value, 10, 16)
	if err != nil {
		return 0
	}
	return time.Duration(n) * time.Second
}

// Close closes the connections.
func (h *Webhook) Close() error {
	h.client.CloseIdleConnections()
	return nil
}
