// SPDX-License-Identifier: Apache-2.0

package s3gate

import "github.com/innkeeper-iam/innkeeper/internal/awserr"

// The errors of S3 that the gateway itself answers with, each code and its
// status once (S3 API Reference, "Error responses"). They are shared and never
// changed: Msg, With and Because return copies. An error without a message gets
// one where it is used.
var (
	accessDenied            = sender("AccessDenied", 403, "Access Denied")
	aclNotSupported         = sender("AccessControlListNotSupported", 400, "The bucket does not allow ACLs")
	badDigest               = sender("BadDigest", 400, "The Content-MD5 or checksum value that you specified did not match what the server received.")
	bucketAlreadyExists     = sender("BucketAlreadyExists", 409, "The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again.")
	bucketAlreadyOwned      = sender("BucketAlreadyOwnedByYou", 409, "Your previous request to create the named bucket succeeded and you already own it.")
	clientGone              = sender("ClientDisconnected", 499, "The client closed the connection before it was answered.") // for records
	entityTooLarge          = sender("EntityTooLarge", 400, "Your proposed upload exceeds the maximum allowed size")
	entityTooSmall          = sender("EntityTooSmall", 400, "Your proposed upload is smaller than the minimum allowed size")
	expiredToken            = sender("ExpiredToken", 400, "The provided token has expired.")
	headerMalformed         = sender("AuthorizationHeaderMalformed", 400, "")
	incompleteBody          = sender("IncompleteBody", 400, "You did not provide the number of bytes specified by the Content-Length HTTP header")
	incorrectNumberOfFiles  = sender("IncorrectNumberOfFilesInPostRequest", 400, "POST requires exactly one file upload per request.")
	invalidAccessKeyID      = sender("InvalidAccessKeyId", 403, "The AWS Access Key Id you provided does not exist in our records.")
	invalidArgument         = sender("InvalidArgument", 400, "Invalid Argument")
	invalidBucketName       = sender("InvalidBucketName", 400, "The specified bucket is not valid.")
	invalidDigest           = sender("InvalidDigest", 400, "The Content-MD5 or checksum value that you specified is not valid.")
	invalidLocation         = sender("InvalidLocationConstraint", 400, "The specified location-constraint is not valid")
	invalidPolicyDocument   = sender("InvalidPolicyDocument", 400, "Invalid Policy: Invalid JSON.")
	invalidRequest          = sender("InvalidRequest", 400, "Invalid Request")
	invalidToken            = sender("InvalidToken", 400, "The provided token is malformed or otherwise invalid.")
	invalidURI              = sender("InvalidURI", 400, "Couldn't parse the specified URI.")
	malformedPOST           = sender("MalformedPOSTRequest", 400, "The body of your POST request is not well-formed multipart/form-data.")
	malformedXML            = sender("MalformedXML", 400, "The XML you provided was not well-formed or did not validate against our published schema")
	maxPostPreData          = sender("MaxPostPreDataLengthExceededError", 400, "Your POST request fields preceding the upload file were too large.")
	methodNotAllowed        = sender("MethodNotAllowed", 405, "The specified method is not allowed against this resource.")
	missingContentLength    = sender("MissingContentLength", 411, "You must provide the Content-Length HTTP header.")
	noSuchBucket            = sender("NoSuchBucket", 404, "The specified bucket does not exist")
	operationAborted        = sender("OperationAborted", 409, "A conflicting conditional operation is currently in progress against this resource. Please try again.")
	noSuchBucketPolicy      = sender("NoSuchBucketPolicy", 404, "The bucket policy does not exist")
	noSuchKey               = sender("NoSuchKey", 404, "The specified key does not exist.")
	noSuchPublicAccessBlock = sender("NoSuchPublicAccessBlockConfiguration", 404, "The public access block configuration was not found")
	notImplemented          = sender("NotImplemented", 501, "A header or query you provided requested a function that is not implemented.")
	queryParametersError    = sender("AuthorizationQueryParametersError", 400, "")
	requestTimeTooSkewed    = sender("RequestTimeTooSkewed", 403, "The difference between the request time and the current time is too large.")
	signatureDoesNotMatch   = sender("SignatureDoesNotMatch", 403, "The request signature we calculated does not match the signature you provided. Check your key and signing method.")
	sha256Mismatch          = sender("XAmzContentSHA256Mismatch", 400, "The provided 'x-amz-content-sha256' header does not match what was computed.")
	tooManyBuckets          = sender("TooManyBuckets", 400, "You have attempted to create more buckets than allowed")

	internalError      = receiver("InternalError", 500, "We encountered an internal error. Please try again.")
	serviceUnavailable = receiver("ServiceUnavailable", 503, "Service is unable to handle request.")
	slowDown           = receiver("SlowDown", 503, "Please reduce your request rate.")
)

func sender(code string, status int, message string) *awserr.Error {
	return &awserr.Error{Code: code, Status: status, Fault: awserr.Sender, Message: message}
}

func receiver(code string, status int, message string) *awserr.Error {
	return &awserr.Error{Code: code, Status: status, Fault: awserr.Receiver, Message: message}
}
