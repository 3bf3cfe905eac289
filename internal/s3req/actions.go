// SPDX-License-Identifier: Apache-2.0

package s3req

// A facet is a set of condition keys that come from one part of a request.
type facet uint16

const (
	versioned   facet = 1 << iota // s3:VersionId, from versionId
	listed                        // s3:prefix, s3:delimiter, s3:max-keys
	annotations                   // s3:annotation-prefix, s3:max-annotation-results
	retained                      // s3:object-lock-remaining-retention-days and the duration of an event hold
	tagged                        // s3:RequestObjectTag/KEY and s3:RequestObjectTagKeys
	copySource                    // s3:x-amz-copy-source
	creation                      // s3:ObjectCreationOperation
	located                       // s3:locationconstraint, aws:RequestTag/KEY and aws:TagKeys, of a new bucket
	inventory                     // s3:InventoryAccessibleOptionalFields
	existing                      // s3:ExistingObjectTag/KEY, which only the object can tell
)

// An action has the condition keys that its name says, beside those that every action has.
type action struct {
	facets  facet
	headers mask // the headers whose values are condition keys
}

const (
	grantKeys  = hasACL | hasGrant
	objectKeys = grantKeys | hasMetadataDirective | hasSSE | hasSSEKey | hasSSEC | hasStorageClass | hasWebsite
	lockKeys   = hasLockMode | hasLockUntil | hasLegalHold | hasEventHold
)

// actions has the actions with condition keys of their own (Service Authorization Reference, "Actions,
// resources, and condition keys for Amazon S3"). Those that are not here have only what every action
// has.
var actions = map[string]action{
	"BypassGovernanceRetention":     {tagged | copySource, objectKeys},
	"CreateBucket":                  {located, grantKeys | hasOwnership | hasNamespace},
	"DeleteObject":                  {0, hasIfMatch},
	"DeleteObjectAnnotation":        {existing, hasObjectIfMatch},
	"DeleteObjectTagging":           {existing, 0},
	"DeleteObjectVersion":           {versioned, 0},
	"DeleteObjectVersionAnnotation": {versioned | existing, hasObjectIfMatch},
	"DeleteObjectVersionTagging":    {versioned | existing, 0},
	"GetObject":                     {existing, 0},
	"GetObjectAcl":                  {existing, 0},
	"GetObjectAnnotation":           {existing, 0},
	"GetObjectAttributes":           {existing, 0},
	"GetObjectTagging":              {existing, 0},
	"GetObjectVersion":              {versioned | existing, 0},
	"GetObjectVersionAcl":           {versioned | existing, 0},
	"GetObjectVersionAnnotation":    {versioned | existing, 0},
	"GetObjectVersionAttributes":    {versioned | existing, 0},
	"GetObjectVersionTagging":       {versioned | existing, 0},
	"ListBucket":                    {listed, 0},
	"ListBucketVersions":            {listed, 0},
	"ListObjectAnnotations":         {annotations | existing, 0},
	"ListObjectVersionAnnotations":  {annotations | versioned | existing, 0},
	"PutBucketAcl":                  {0, grantKeys},
	"PutInventoryConfiguration":     {inventory, 0},
	"PutObject":                     {tagged | copySource | creation | retained, objectKeys | lockKeys | hasAnnotationDirective | hasIfMatch | hasIfNoneMatch},
	"PutObjectAcl":                  {existing, grantKeys | hasStorageClass},
	"PutObjectAnnotation":           {existing, hasObjectIfMatch},
	"PutObjectLegalHold":            {0, hasLegalHold},
	"PutObjectRetention":            {retained, hasLockMode | hasLockUntil | hasEventHold},
	"PutObjectTagging":              {tagged | existing, 0},
	"PutObjectVersionAcl":           {versioned | existing, grantKeys | hasStorageClass},
	"PutObjectVersionAnnotation":    {versioned | existing, hasObjectIfMatch},
	"PutObjectVersionTagging":       {versioned | tagged | existing, 0},
	"TagResource":                   {located, 0},
	"UpdateObjectEncryption":        {existing, hasSSE | hasSSEKey},
}
