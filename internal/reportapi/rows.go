// SPDX-License-Identifier: Apache-2.0

package reportapi

import (
	"bytes"
	"compress/flate"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/annex"
	"github.com/innkeeper-iam/innkeeper/internal/awserr"
	"github.com/innkeeper-iam/innkeeper/internal/store"
)

const (
	keyCredential = "credential"
	keyRecent     = "recent"
	dirJob        = "job/"
	dirPart       = "part/"
)

const (
	keep     = 7 * 24 * time.Hour // jobs
	maxJobs  = 10_000             // of an account; the oldest go first
	maxBytes = 16 << 20           // of all jobs and parts of an account, as they are stored
	maxPart  = 256 << 10          // of a result in one row, before it is base64
	maxParts = 32                 // of one result
	maxGone  = 50                 // rows that one transaction deletes
)

// newID returns an id of a job: a UUID that begins with the time, so that ids sort
// by age.
func (s *Reports) newID() string {
	return fmt.Sprintf("%08x", uint32(s.now().Unix())) + s.ids.RequestID()[8:]
}

// bornAt returns when an id was made.
func bornAt(id string) time.Time {
	if len(id) < 8 {
		return time.Time{}
	}
	unix, err := strconv.ParseUint(id[:8], 16, 32)
	if err != nil {
		return time.Time{}
	}
	return time.Unix(int64(unix), 0)
}

// A blob is a compressed result, in its row or in parts.
type blob struct {
	Z     []byte `json:"z,omitempty"`
	Parts int    `json:"parts,omitempty"`
}

func partKey(id string, n int) string { return fmt.Sprintf("%s%s/%02d", dirPart, id, n) }

// pack compresses a result and stores what does not fit into one row. The blob
// belongs into the row of the id.
func (s *Reports) pack(ctx context.Context, account, id string, result []byte) (blob, error) {
	var z bytes.Buffer
	w, err := flate.NewWriter(&z, flate.DefaultCompression)
	if err != nil {
		return blob{}, err
	}
	if _, err := w.Write(result); err != nil {
		return blob{}, err
	}
	if err := w.Close(); err != nil {
		return blob{}, err
	}
	if z.Len() <= maxPart {
		return blob{Z: z.Bytes()}, nil
	}
	n := 0
	for ; z.Len() > 0; n++ {
		if n == maxParts {
			return blob{}, awserr.LimitExceeded.Msg("The report is too large: it has more than %d bytes when it is compressed.", maxParts*maxPart)
		}
		value, err := json.Marshal(blob{Z: z.Next(maxPart)})
		if err != nil {
			return blob{}, err
		}
		err = s.update(ctx, account, func(tx *store.Tx) error {
			tx.PutAnnexed(store.AnnexReport, partKey(id, n), value)
			return nil
		})
		if err != nil {
			return blob{}, err
		}
	}
	return blob{Parts: n}, nil
}

// open returns the result in a blob.
func (b blob) open(v *store.View, id string) ([]byte, error) {
	z := b.Z
	for n := range b.Parts {
		var part blob
		if !load(v, partKey(id, n), &part) {
			return nil, fmt.Errorf("reportapi: part %d of %s is missing", n, id)
		}
		z = append(z, part.Z...)
	}
	out, err := io.ReadAll(flate.NewReader(bytes.NewReader(z)))
	if err != nil {
		return nil, fmt.Errorf("reportapi: result of %s: %w", id, err)
	}
	return out, nil
}

// load reads a row. A row that cannot be read counts as absent.
func load(v *store.View, key string, into any) bool {
	row, ok := v.Annex(store.AnnexReport).Row(key)
	return ok && json.Unmarshal(row.Value, into) == nil
}

// put writes a row.
func put(tx *store.Tx, key string, value any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	tx.PutAnnexed(store.AnnexReport, key, text)
	return nil
}

// deleteParts deletes the parts of a result.
func deleteParts(tx *store.Tx, id string, parts int) {
	for n := range parts {
		tx.DeleteAnnexed(store.AnnexReport, partKey(id, n))
	}
}

// sweep deletes jobs that have expired or are too many, and parts that belong to
// nothing, as far as one transaction should.
func (s *Reports) sweep(tx *store.Tx) {
	var jobs []annex.Row
	parts := make(map[string][]annex.Row)
	total := 0
	for row := range tx.View().Annex(store.AnnexReport).Rows() {
		if id, ok := strings.CutPrefix(row.Key, dirJob); ok {
			jobs = append(jobs, row)
			parts[id] = nil
		} else if rest, ok := strings.CutPrefix(row.Key, dirPart); ok {
			id, _, _ := strings.Cut(rest, "/")
			parts[id] = append(parts[id], row)
		} else if row.Key > dirPart {
			break
		} else {
			continue
		}
		total += len(row.Value)
	}
	now, gone := s.now(), 0
	discard := func(row annex.Row) {
		tx.DeleteAnnexed(store.AnnexReport, row.Key)
		total -= len(row.Value)
		gone++
	}
	for i, row := range jobs {
		id := row.Key[len(dirJob):]
		old := now.Sub(bornAt(id)) > keep || len(jobs)-i > maxJobs || total > maxBytes
		if !old || gone+len(parts[id]) >= maxGone {
			break
		}
		discard(row)
		for _, part := range parts[id] {
			discard(part)
		}
	}
	owned := make(map[string]bool, len(jobs)+1)
	for _, row := range jobs {
		owned[row.Key[len(dirJob):]] = true
	}
	if r := current(tx.View()); r != nil {
		owned[r.ID] = true
	}
	for id, list := range parts {
		if owned[id] || now.Sub(bornAt(id)) < time.Hour || gone+len(list) >= maxGone {
			continue
		}
		for _, part := range list {
			discard(part)
		}
	}
}
