// SPDX-License-Identifier: Apache-2.0

package sigv4

import (
	"crypto/sha1"
	"crypto/sha256"
	"hash"
	"hash/crc32"
	"hash/crc64"
	"sync"
)

var (
	castagnoli = sync.OnceValue(func() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) })
	nvme       = sync.OnceValue(func() *crc64.Table { return crc64.MakeTable(0x9a6c9329ac4bc9b5) }) // NVM Express, reversed
)

// NewChecksum returns the hash of an S3 checksum header, in lower case, whose
// value is its big-endian sum in standard base64, or nil for any other name (S3
// User Guide, "Checking object integrity").
func NewChecksum(header string) hash.Hash {
	switch header {
	case "x-amz-checksum-crc32":
		return crc32.NewIEEE()
	case "x-amz-checksum-crc32c":
		return crc32.New(castagnoli())
	case "x-amz-checksum-crc64nvme":
		return crc64.New(nvme())
	case "x-amz-checksum-sha1":
		return sha1.New()
	case "x-amz-checksum-sha256":
		return sha256.New()
	}
	return nil
}
