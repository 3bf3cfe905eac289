// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"

	"github.com/innkeeper-iam/innkeeper/internal/config"
	"github.com/innkeeper-iam/innkeeper/internal/upstream"
)

// Limits of a list of buckets that a store sends.
const (
	maxStoredBuckets = 100_000
	maxBucketPage    = 32 << 20 // bytes
)

// StoredBuckets lists the buckets that the S3 upstream of a configuration has, as
// its own credentials see them, sorted and each once.
func StoredBuckets(ctx context.Context, cfg config.Config) ([]string, error) {
	n := newNode(cfg.Defaults(), Options{})
	services, err := n.cfg.Gateway.Services()
	if err != nil {
		return nil, err
	}
	if services["s3"] == nil {
		return nil, errors.New("--upstream must be the URL of an S3 store")
	}
	up, err := n.upstream("s3", services["s3"])
	if err != nil {
		return nil, err
	}
	var names []string
	for token := ""; ; {
		page, err := bucketPage(ctx, up, token)
		if err != nil {
			return nil, fmt.Errorf("listing the buckets of %s: %w", services["s3"], err)
		}
		for _, b := range page.Buckets {
			names = append(names, b.Name)
		}
		switch {
		case len(names) > maxStoredBuckets:
			return nil, fmt.Errorf("%s has more than %d buckets: adopt them by name", services["s3"], maxStoredBuckets)
		case page.Token == "" || page.Token == token || len(page.Buckets) == 0:
			slices.Sort(names)
			return slices.Compact(names), nil
		}
		token = page.Token
	}
}

// A bucketList is the answer to ListBuckets (S3 API Reference).
type bucketList struct {
	XMLName xml.Name `xml:"ListAllMyBucketsResult"`
	Buckets []struct {
		Name string `xml:"Name"`
	} `xml:"Buckets>Bucket"`
	Token string `xml:"ContinuationToken"`
}

func bucketPage(ctx context.Context, up *upstream.Upstream, token string) (*bucketList, error) {
	query := ""
	if token != "" {
		query = "continuation-token=" + url.QueryEscape(token)
	}
	resp, err := up.Send(ctx, &upstream.Request{Method: http.MethodGet, Path: "/", Query: query, Header: make(http.Header)})
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("it answered %s", resp.Status)
	}
	list := new(bucketList)
	if err := xml.NewDecoder(io.LimitReader(resp.Body, maxBucketPage)).Decode(list); err != nil {
		return nil, fmt.Errorf("its answer cannot be read: %w", err)
	}
	return list, nil
}
