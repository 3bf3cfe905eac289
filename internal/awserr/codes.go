// SPDX-License-Identifier: Apache-2.0

package awserr

// Errors that every query service shares. Codes, statuses and texts: IAM API Reference, "Common Errors";
// texts of signature and token errors as AWS sends them.
var (
	AccessDenied                = &Error{Code: "AccessDenied", Status: 403, Fault: Sender}
	ExpiredToken                = &Error{Code: "ExpiredToken", Status: 403, Fault: Sender, Message: "The security token included in the request is expired"}
	IncompleteSignature         = &Error{Code: "IncompleteSignature", Status: 400, Fault: Sender}
	InternalFailure             = &Error{Code: "InternalFailure", Status: 500, Fault: Receiver, Message: unknownFailure}
	InvalidAction               = &Error{Code: "InvalidAction", Status: 400, Fault: Sender}
	InvalidClientTokenId        = &Error{Code: "InvalidClientTokenId", Status: 403, Fault: Sender, Message: "The security token included in the request is invalid."}
	InvalidParameterCombination = &Error{Code: "InvalidParameterCombination", Status: 400, Fault: Sender}
	InvalidParameterValue       = &Error{Code: "InvalidParameterValue", Status: 400, Fault: Sender}
	InvalidQueryParameter       = &Error{Code: "InvalidQueryParameter", Status: 400, Fault: Sender}
	MalformedInput              = &Error{Code: "MalformedInput", Status: 400, Fault: Sender}
	MalformedQueryString        = &Error{Code: "MalformedQueryString", Status: 404, Fault: Sender, Message: "The query string contains a syntax error."}
	MissingAction               = &Error{Code: "MissingAction", Status: 400, Fault: Sender, Message: "The request is missing an action or a required parameter."}
	MissingAuthenticationToken  = &Error{Code: "MissingAuthenticationToken", Status: 403, Fault: Sender, Message: "Request is missing Authentication Token"}
	MissingParameter            = &Error{Code: "MissingParameter", Status: 400, Fault: Sender}
	OptInRequired               = &Error{Code: "OptInRequired", Status: 403, Fault: Sender}
	RequestEntityTooLarge       = &Error{Code: "RequestEntityTooLarge", Status: 413, Fault: Sender, Message: "The request is too large."}
	RequestExpired              = &Error{Code: "RequestExpired", Status: 400, Fault: Sender}
	ServiceUnavailable          = &Error{Code: "ServiceUnavailable", Status: 503, Fault: Receiver, Message: "The request has failed due to a temporary failure of the server."}
	SignatureDoesNotMatch       = &Error{Code: "SignatureDoesNotMatch", Status: 403, Fault: Sender, Message: "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."}
	Throttling                  = &Error{Code: "Throttling", Status: 400, Fault: Sender, Message: "Rate exceeded"}
	ValidationError             = &Error{Code: "ValidationError", Status: 400, Fault: Sender}
)

const unknownFailure = "The request processing has failed because of an unknown error, exception or failure."

// Errors of the IAM 2010-05-08 model.
var (
	ConcurrentModification        = &Error{Code: "ConcurrentModification", Status: 409, Fault: Sender}
	DeleteConflict                = &Error{Code: "DeleteConflict", Status: 409, Fault: Sender}
	DuplicateCertificate          = &Error{Code: "DuplicateCertificate", Status: 409, Fault: Sender}
	DuplicateSSHPublicKey         = &Error{Code: "DuplicateSSHPublicKey", Status: 400, Fault: Sender}
	EntityAlreadyExists           = &Error{Code: "EntityAlreadyExists", Status: 409, Fault: Sender}
	EntityTemporarilyUnmodifiable = &Error{Code: "EntityTemporarilyUnmodifiable", Status: 409, Fault: Sender}
	FeatureDisabled               = &Error{Code: "FeatureDisabled", Status: 404, Fault: Sender}
	FeatureEnabled                = &Error{Code: "FeatureEnabled", Status: 409, Fault: Sender}
	InvalidAuthenticationCode     = &Error{Code: "InvalidAuthenticationCode", Status: 403, Fault: Sender}
	InvalidCertificate            = &Error{Code: "InvalidCertificate", Status: 400, Fault: Sender}
	InvalidInput                  = &Error{Code: "InvalidInput", Status: 400, Fault: Sender}
	InvalidPublicKey              = &Error{Code: "InvalidPublicKey", Status: 400, Fault: Sender}
	InvalidUserType               = &Error{Code: "InvalidUserType", Status: 400, Fault: Sender}
	KeyPairMismatch               = &Error{Code: "KeyPairMismatch", Status: 400, Fault: Sender}
	LimitExceeded                 = &Error{Code: "LimitExceeded", Status: 409, Fault: Sender}
	MalformedCertificate          = &Error{Code: "MalformedCertificate", Status: 400, Fault: Sender}
	MalformedPolicyDocument       = &Error{Code: "MalformedPolicyDocument", Status: 400, Fault: Sender}
	NoSuchEntity                  = &Error{Code: "NoSuchEntity", Status: 404, Fault: Sender}
	NotSupportedService           = &Error{Code: "NotSupportedService", Status: 404, Fault: Sender}
	OpenIdIdpCommunicationError   = &Error{Code: "OpenIdIdpCommunicationError", Status: 400, Fault: Sender}
	PasswordPolicyViolation       = &Error{Code: "PasswordPolicyViolation", Status: 400, Fault: Sender}
	PolicyEvaluation              = &Error{Code: "PolicyEvaluation", Status: 500, Fault: Receiver}
	PolicyNotAttachable           = &Error{Code: "PolicyNotAttachable", Status: 400, Fault: Sender}
	ReportExpired                 = &Error{Code: "ReportExpired", Status: 410, Fault: Sender}
	ReportGenerationLimitExceeded = &Error{Code: "ReportGenerationLimitExceeded", Status: 409, Fault: Sender}
	ReportInProgress              = &Error{Code: "ReportInProgress", Status: 404, Fault: Sender}
	ReportNotPresent              = &Error{Code: "ReportNotPresent", Status: 410, Fault: Sender}
	ServiceFailure                = &Error{Code: "ServiceFailure", Status: 500, Fault: Receiver, Message: unknownFailure}
	UnmodifiableEntity            = &Error{Code: "UnmodifiableEntity", Status: 400, Fault: Sender}
	UnrecognizedPublicKeyEncoding = &Error{Code: "UnrecognizedPublicKeyEncoding", Status: 400, Fault: Sender}
)

// Errors of IAM's central management of member accounts' root users, whose model gives no status: 400.
var (
	AccountNotManagementOrDelegatedAdministratorException = &Error{Code: "AccountNotManagementOrDelegatedAdministratorException", Status: 400, Fault: Sender}
	CallerIsNotManagementAccountException                 = &Error{Code: "CallerIsNotManagementAccountException", Status: 400, Fault: Sender}
	OrganizationNotFoundException                         = &Error{Code: "OrganizationNotFoundException", Status: 400, Fault: Sender}
	OrganizationNotInAllFeaturesModeException             = &Error{Code: "OrganizationNotInAllFeaturesModeException", Status: 400, Fault: Sender}
	ServiceAccessNotEnabledException                      = &Error{Code: "ServiceAccessNotEnabledException", Status: 400, Fault: Sender}
)

// Errors of the STS 2011-06-15 model, besides MalformedPolicyDocument.
var (
	ExpiredTokenException                          = &Error{Code: "ExpiredTokenException", Status: 400, Fault: Sender}
	ExpiredTradeInTokenException                   = &Error{Code: "ExpiredTradeInTokenException", Status: 400, Fault: Sender}
	IDPCommunicationError                          = &Error{Code: "IDPCommunicationError", Status: 400, Fault: Sender}
	IDPRejectedClaim                               = &Error{Code: "IDPRejectedClaim", Status: 403, Fault: Sender}
	InvalidAuthorizationMessageException           = &Error{Code: "InvalidAuthorizationMessageException", Status: 400, Fault: Sender}
	InvalidIdentityToken                           = &Error{Code: "InvalidIdentityToken", Status: 400, Fault: Sender}
	JWTPayloadSizeExceededException                = &Error{Code: "JWTPayloadSizeExceededException", Status: 400, Fault: Sender}
	OutboundWebIdentityFederationDisabledException = &Error{Code: "OutboundWebIdentityFederationDisabledException", Status: 403, Fault: Sender}
	PackedPolicyTooLarge                           = &Error{Code: "PackedPolicyTooLarge", Status: 400, Fault: Sender}
	RegionDisabledException                        = &Error{Code: "RegionDisabledException", Status: 403, Fault: Sender}
	SessionDurationEscalationException             = &Error{Code: "SessionDurationEscalationException", Status: 403, Fault: Sender}
)
