// SPDX-License-Identifier: Apache-2.0

package s3req

// A row is an operation as the table has it.
//
// sub is the parameter that selects the operation, with "" for those that need none. params are the others that it takes:
// "name!" is required, and "?name" besides tells the operation from its twin that has it not; a header may
// do that too. x-id and the parameters of a signature go with every operation.
type row struct {
	name    string
	method  string
	level   Level
	sub     string
	params  string
	headers headerGroup
	body    BodyKind
	needs   []permission
}

const (
	get, head, put, post, del = "GET", "HEAD", "PUT", "POST", "DELETE"

	response = "response-cache-control response-content-disposition response-content-encoding " +
		"response-content-language response-content-type response-expires"
	list      = "delimiter encoding-type max-keys prefix"
	uploading = sums | customerKey
)

// table has every operation of S3's REST API, sorted by name. Names are those of the AWS SDKs'
// model, permissions those of the S3 User Guide, "Required permissions for Amazon S3 API
// operations", of the Service Authorization Reference, "API operations defined by Amazon S3",
// and of each operation's page in the API Reference. PostObject, the browsers' form, is in no model.
var table = []row{
	{"AbortMultipartUpload", del, AtObject, "uploadId", "", abortIf, NoBody, does("AbortMultipartUpload")},
	{"CompleteMultipartUpload", post, AtObject, "uploadId", "", sums | customerKey | multipart, Document, does("PutObject")},
	{"CopyObject", put, AtObject, "", "?X-Amz-Copy-Source", newObject | copying | directives | multipart, NoBody, copies},
	{"CreateBucket", put, AtBucket, "", "", sums | acls | bucketNew, Judged, createsBucket},
	{"CreateBucketMetadataConfiguration", post, AtBucket, "metadataConfiguration", "", sums, Document, does("CreateBucketMetadataTableConfiguration")},
	{"CreateBucketMetadataTableConfiguration", post, AtBucket, "metadataTable", "", sums, Document, does("CreateBucketMetadataTableConfiguration")},
	{"CreateMultipartUpload", post, AtObject, "uploads", "", newObject | multipart, NoBody, creates},
	{"CreateSession", get, AtBucket, "session", "", encryption, NoBody, does("s3express:CreateSession")},
	{"DeleteBucket", del, AtBucket, "", "", 0, NoBody, does("DeleteBucket")},
	{"DeleteBucketAnalyticsConfiguration", del, AtBucket, "analytics", "id!", 0, NoBody, does("PutAnalyticsConfiguration")},
	{"DeleteBucketCors", del, AtBucket, "cors", "", 0, NoBody, does("PutBucketCORS")},
	{"DeleteBucketEncryption", del, AtBucket, "encryption", "", 0, NoBody, does("PutEncryptionConfiguration")},
	{"DeleteBucketIntelligentTieringConfiguration", del, AtBucket, "intelligent-tiering", "id!", 0, NoBody, does("PutIntelligentTieringConfiguration")},
	{"DeleteBucketInventoryConfiguration", del, AtBucket, "inventory", "id!", 0, NoBody, does("PutInventoryConfiguration")},
	{"DeleteBucketLifecycle", del, AtBucket, "lifecycle", "", 0, NoBody, does("PutLifecycleConfiguration")},
	{"DeleteBucketMetadataConfiguration", del, AtBucket, "metadataConfiguration", "", 0, NoBody, does("DeleteBucketMetadataTableConfiguration")},
	{"DeleteBucketMetadataTableConfiguration", del, AtBucket, "metadataTable", "", 0, NoBody, does("DeleteBucketMetadataTableConfiguration")},
	{"DeleteBucketMetricsConfiguration", del, AtBucket, "metrics", "id!", 0, NoBody, does("PutMetricsConfiguration")},
	{"DeleteBucketOwnershipControls", del, AtBucket, "ownershipControls", "", 0, NoBody, does("PutBucketOwnershipControls")},
	{"DeleteBucketPolicy", del, AtBucket, "policy", "", 0, NoBody, does("DeleteBucketPolicy")},
	{"DeleteBucketReplication", del, AtBucket, "replication", "", 0, NoBody, does("PutReplicationConfiguration")},
	{"DeleteBucketTagging", del, AtBucket, "tagging", "", 0, NoBody, does("PutBucketTagging")},
	{"DeleteBucketWebsite", del, AtBucket, "website", "", 0, NoBody, does("DeleteBucketWebsite")},
	{"DeleteObject", del, AtObject, "", "versionId", mfa | bypass | deleteIf, NoBody, deletes},
	{"DeleteObjectAnnotation", del, AtObject, "annotation", "annotationName! versionId", annotationIf | bypass, NoBody, deletesAnnotation},
	{"DeleteObjectTagging", del, AtObject, "tagging", "versionId", 0, NoBody, version("DeleteObjectTagging", "DeleteObjectVersionTagging")},
	{"DeleteObjects", post, AtBucket, "delete", "", sums | mfa | bypass, Judged, deletes},
	{"DeletePublicAccessBlock", del, AtBucket, "publicAccessBlock", "", 0, NoBody, does("PutBucketPublicAccessBlock")},
	{"GetBucketAbac", get, AtBucket, "abac", "", 0, NoBody, does("GetBucketAbac")},
	{"GetBucketAccelerateConfiguration", get, AtBucket, "accelerate", "", 0, NoBody, does("GetAccelerateConfiguration")},
	{"GetBucketAcl", get, AtBucket, "acl", "", 0, NoBody, does("GetBucketAcl")},
	{"GetBucketAnalyticsConfiguration", get, AtBucket, "analytics", "?id", 0, NoBody, does("GetAnalyticsConfiguration")},
	{"GetBucketCors", get, AtBucket, "cors", "", 0, NoBody, does("GetBucketCORS")},
	{"GetBucketEncryption", get, AtBucket, "encryption", "", 0, NoBody, does("GetEncryptionConfiguration")},
	{"GetBucketIntelligentTieringConfiguration", get, AtBucket, "intelligent-tiering", "?id", 0, NoBody, does("GetIntelligentTieringConfiguration")},
	{"GetBucketInventoryConfiguration", get, AtBucket, "inventory", "?id", 0, NoBody, does("GetInventoryConfiguration")},
	{"GetBucketLifecycleConfiguration", get, AtBucket, "lifecycle", "", 0, NoBody, does("GetLifecycleConfiguration")},
	{"GetBucketLocation", get, AtBucket, "location", "", 0, NoBody, does("GetBucketLocation")},
	{"GetBucketLogging", get, AtBucket, "logging", "", 0, NoBody, does("GetBucketLogging")},
	{"GetBucketMetadataConfiguration", get, AtBucket, "metadataConfiguration", "", 0, NoBody, does("GetBucketMetadataTableConfiguration")},
	{"GetBucketMetadataTableConfiguration", get, AtBucket, "metadataTable", "", 0, NoBody, does("GetBucketMetadataTableConfiguration")},
	{"GetBucketMetricsConfiguration", get, AtBucket, "metrics", "?id", 0, NoBody, does("GetMetricsConfiguration")},
	{"GetBucketNotificationConfiguration", get, AtBucket, "notification", "", 0, NoBody, does("GetBucketNotification")},
	{"GetBucketOwnershipControls", get, AtBucket, "ownershipControls", "", 0, NoBody, does("GetBucketOwnershipControls")},
	{"GetBucketPolicy", get, AtBucket, "policy", "", 0, NoBody, does("GetBucketPolicy")},
	{"GetBucketPolicyStatus", get, AtBucket, "policyStatus", "", 0, NoBody, does("GetBucketPolicyStatus")},
	{"GetBucketReplication", get, AtBucket, "replication", "", 0, NoBody, does("GetReplicationConfiguration")},
	{"GetBucketRequestPayment", get, AtBucket, "requestPayment", "", 0, NoBody, does("GetBucketRequestPayment")},
	{"GetBucketTagging", get, AtBucket, "tagging", "", 0, NoBody, does("GetBucketTagging")},
	{"GetBucketVersioning", get, AtBucket, "versioning", "", 0, NoBody, does("GetBucketVersioning")},
	{"GetBucketWebsite", get, AtBucket, "website", "", 0, NoBody, does("GetBucketWebsite")},
	{"GetObject", get, AtObject, "", "partNumber versionId " + response, customerKey, NoBody, version("GetObject", "GetObjectVersion")},
	{"GetObjectAcl", get, AtObject, "acl", "versionId", 0, NoBody, version("GetObjectAcl", "GetObjectVersionAcl")},
	{"GetObjectAnnotation", get, AtObject, "annotation", "?annotationName versionId", 0, NoBody, version("GetObjectAnnotation", "GetObjectVersionAnnotation")},
	{"GetObjectAttributes", get, AtObject, "attributes", "versionId", customerKey | attributes, NoBody,
		append(version("GetObject", "GetObjectVersion"), version("GetObjectAttributes", "GetObjectVersionAttributes")...)},
	{"GetObjectLegalHold", get, AtObject, "legal-hold", "versionId", 0, NoBody, does("GetObjectLegalHold")},
	{"GetObjectLockConfiguration", get, AtBucket, "object-lock", "", 0, NoBody, does("GetBucketObjectLockConfiguration")},
	{"GetObjectRetention", get, AtObject, "retention", "versionId", 0, NoBody, does("GetObjectRetention")},
	{"GetObjectTagging", get, AtObject, "tagging", "versionId", 0, NoBody, version("GetObjectTagging", "GetObjectVersionTagging")},
	{"GetObjectTorrent", get, AtObject, "torrent", "", 0, NoBody, does("GetObjectTorrent")},
	{"GetPublicAccessBlock", get, AtBucket, "publicAccessBlock", "", 0, NoBody, does("GetBucketPublicAccessBlock")},
	{"HeadBucket", head, AtBucket, "", "", 0, NoBody, does("ListBucket")},
	{"HeadObject", head, AtObject, "", "partNumber versionId " + response, customerKey, NoBody, version("GetObject", "GetObjectVersion")},
	{"ListBucketAnalyticsConfigurations", get, AtBucket, "analytics", "continuation-token", 0, NoBody, does("GetAnalyticsConfiguration")},
	{"ListBucketIntelligentTieringConfigurations", get, AtBucket, "intelligent-tiering", "continuation-token", 0, NoBody, does("GetIntelligentTieringConfiguration")},
	{"ListBucketInventoryConfigurations", get, AtBucket, "inventory", "continuation-token", 0, NoBody, does("GetInventoryConfiguration")},
	{"ListBucketMetricsConfigurations", get, AtBucket, "metrics", "continuation-token", 0, NoBody, does("GetMetricsConfiguration")},
	{"ListBuckets", get, AtService, "", "bucket-region continuation-token max-buckets prefix", 0, NoBody, does("ListAllMyBuckets")},
	{"ListDirectoryBuckets", get, AtService, "", "?max-directory-buckets continuation-token", 0, NoBody, does("s3express:ListAllMyDirectoryBuckets")},
	{"ListMultipartUploads", get, AtBucket, "uploads", "delimiter encoding-type key-marker max-uploads prefix upload-id-marker", 0, NoBody, does("ListBucketMultipartUploads")},
	{"ListObjectAnnotations", get, AtObject, "annotation", "annotation-prefix continuation-token max-annotation-results versionId", 0, NoBody,
		version("ListObjectAnnotations", "ListObjectVersionAnnotations")},
	{"ListObjectVersions", get, AtBucket, "versions", list + " key-marker version-id-marker", listing, NoBody, does("ListBucketVersions")},
	{"ListObjects", get, AtBucket, "", list + " marker", listing, NoBody, does("ListBucket")},
	{"ListObjectsV2", get, AtBucket, "list-type", list + " continuation-token fetch-owner start-after", listing, NoBody, does("ListBucket")},
	{"ListParts", get, AtObject, "uploadId", "max-parts part-number-marker", customerKey, NoBody, does("ListMultipartUploadParts")},
	{"PostObject", post, AtBucket, "", "", 0, Form, creates},
	{"PutBucketAbac", put, AtBucket, "abac", "", sums, Document, does("PutBucketAbac")},
	{"PutBucketAccelerateConfiguration", put, AtBucket, "accelerate", "", sums, Document, does("PutAccelerateConfiguration")},
	{"PutBucketAcl", put, AtBucket, "acl", "", sums | acls, Document, does("PutBucketAcl")},
	{"PutBucketAnalyticsConfiguration", put, AtBucket, "analytics", "id!", sums, Document, does("PutAnalyticsConfiguration")},
	{"PutBucketCors", put, AtBucket, "cors", "", sums, Document, does("PutBucketCORS")},
	{"PutBucketEncryption", put, AtBucket, "encryption", "", sums, Document, does("PutEncryptionConfiguration")},
	{"PutBucketIntelligentTieringConfiguration", put, AtBucket, "intelligent-tiering", "id!", sums, Document, does("PutIntelligentTieringConfiguration")},
	{"PutBucketInventoryConfiguration", put, AtBucket, "inventory", "id!", sums, Judged, does("PutInventoryConfiguration")},
	{"PutBucketLifecycleConfiguration", put, AtBucket, "lifecycle", "", sums | minimumSize, Document, does("PutLifecycleConfiguration")},
	{"PutBucketLogging", put, AtBucket, "logging", "", sums, Document, does("PutBucketLogging")},
	{"PutBucketMetricsConfiguration", put, AtBucket, "metrics", "id!", sums, Document, does("PutMetricsConfiguration")},
	{"PutBucketNotificationConfiguration", put, AtBucket, "notification", "", sums | skipDestination, Document, does("PutBucketNotification")},
	{"PutBucketOwnershipControls", put, AtBucket, "ownershipControls", "", sums, Document, does("PutBucketOwnershipControls")},
	{"PutBucketPolicy", put, AtBucket, "policy", "", sums | removeSelf, Document, does("PutBucketPolicy")},
	{"PutBucketReplication", put, AtBucket, "replication", "", sums | lockToken, Judged, replicates},
	{"PutBucketRequestPayment", put, AtBucket, "requestPayment", "", sums, Document, does("PutBucketRequestPayment")},
	{"PutBucketTagging", put, AtBucket, "tagging", "", sums, Document, does("PutBucketTagging")},
	{"PutBucketVersioning", put, AtBucket, "versioning", "", sums | mfa, Document, does("PutBucketVersioning")},
	{"PutBucketWebsite", put, AtBucket, "website", "", sums, Document, does("PutBucketWebsite")},
	{"PutObject", put, AtObject, "", "", newObject | sums, Object, creates},
	{"PutObjectAcl", put, AtObject, "acl", "versionId", sums | acls, Document, version("PutObjectAcl", "PutObjectVersionAcl")},
	{"PutObjectAnnotation", put, AtObject, "annotation", "annotationName! versionId", sums | annotationIf, Object, version("PutObjectAnnotation", "PutObjectVersionAnnotation")},
	{"PutObjectLegalHold", put, AtObject, "legal-hold", "versionId", sums, Judged, does("PutObjectLegalHold")},
	{"PutObjectLockConfiguration", put, AtBucket, "object-lock", "", sums | lockToken, Document, does("PutBucketObjectLockConfiguration")},
	{"PutObjectRetention", put, AtObject, "retention", "versionId", sums | bypass, Judged, retains},
	{"PutObjectTagging", put, AtObject, "tagging", "versionId", sums, Judged, version("PutObjectTagging", "PutObjectVersionTagging")},
	{"PutPublicAccessBlock", put, AtBucket, "publicAccessBlock", "", sums, Document, does("PutBucketPublicAccessBlock")},
	{"RenameObject", put, AtObject, "renameObject", "", 0, NoBody, does("s3express:CreateSession")},
	{"RestoreObject", post, AtObject, "restore", "versionId", sums, Judged, does("RestoreObject")},
	{"SelectObjectContent", post, AtObject, "select", "select-type!", sums | customerKey, Document, does("GetObject")},
	{"UpdateBucketMetadataAnnotationTableConfiguration", put, AtBucket, "metadataAnnotationTable", "", sums, Document, does("UpdateBucketMetadataAnnotationTableConfiguration")},
	{"UpdateBucketMetadataInventoryTableConfiguration", put, AtBucket, "metadataInventoryTable", "", sums, Document, does("UpdateBucketMetadataInventoryTableConfiguration")},
	{"UpdateBucketMetadataJournalTableConfiguration", put, AtBucket, "metadataJournalTable", "", sums, Document, does("UpdateBucketMetadataJournalTableConfiguration")},
	{"UpdateObjectEncryption", put, AtObject, "encryption", "versionId", sums, Judged, does("UpdateObjectEncryption")},
	{"UploadPart", put, AtObject, "uploadId", "partNumber!", uploading, Object, does("PutObject")},
	{"UploadPartCopy", put, AtObject, "uploadId", "?X-Amz-Copy-Source partNumber!", copying | copyRange | customerKey, NoBody, copiesPart},
	{"WriteGetObjectResponse", post, AtService, "", "", 0, Object, does("s3-object-lambda:WriteGetObjectResponse")},
}

// Operations that need more than one permission, or not always the same.
var (
	creates = []permission{
		{action: "PutObject"},
		{action: "PutObjectAcl", when: ifACL},
		{action: "PutObjectTagging", when: ifTagging},
		{action: "PutObjectRetention", when: ifRetention},
		{action: "PutObjectLegalHold", when: ifLegalHold},
	}
	copies = append([]permission{
		{action: "GetObject", version: "GetObjectVersion", on: theSource},
		{action: "GetObjectTagging", version: "GetObjectVersionTagging", on: theSource, when: ifSourceTags},
		{action: "GetObjectAnnotation", version: "GetObjectVersionAnnotation", on: theSource, when: ifAnnotations},
	}, append(creates,
		permission{action: "PutObjectTagging", when: ifSourceTags},
		permission{action: "PutObjectAnnotation", when: ifAnnotations})...)
	// What an upload was begun with is not known of its parts: quirk Q117.
	copiesPart = []permission{
		{action: "GetObject", version: "GetObjectVersion", on: theSource},
		{action: "PutObject"},
	}
	deletes = []permission{
		{action: "DeleteObject", version: "DeleteObjectVersion"},
		{action: "BypassGovernanceRetention", when: ifBypass},
	}
	deletesAnnotation = []permission{
		{action: "DeleteObjectAnnotation", version: "DeleteObjectVersionAnnotation"},
		{action: "BypassGovernanceRetention", when: ifBypass},
	}
	retains = []permission{
		{action: "PutObjectRetention"},
		{action: "BypassGovernanceRetention", when: ifBypass},
	}
	createsBucket = []permission{
		{action: "CreateBucket"},
		{action: "PutBucketAcl", when: ifACL},
		{action: "PutBucketObjectLockConfiguration", when: ifBucketLock},
		{action: "PutBucketVersioning", when: ifBucketLock},
		{action: "PutBucketOwnershipControls", when: ifOwnership},
		{action: "TagResource", when: ifBucketTags},
	}
	replicates = []permission{
		{action: "PutReplicationConfiguration"},
		{action: "iam:PassRole", on: theRole},
	}
)

// notSupported are the operations that the gateway refuses, and why.
var notSupported = map[string]string{
	"CreateBucketMetadataConfiguration":                "makes tables in another service",
	"CreateBucketMetadataTableConfiguration":           "makes tables in another service",
	"CreateSession":                                    "directory buckets only",
	"ListDirectoryBuckets":                             "directory buckets only",
	"RenameObject":                                     "directory buckets only",
	"UpdateBucketMetadataAnnotationTableConfiguration": "makes tables in another service",
	"UpdateBucketMetadataInventoryTableConfiguration":  "makes tables in another service",
	"WriteGetObjectResponse":                           "answers for a function behind an Object Lambda access point",
}
