// SPDX-License-Identifier: Apache-2.0

package awserr

// Errors that every service of the JSON protocol shares, in place of those of the query services.
var (
	AccessDeniedException               = &Error{Code: "AccessDeniedException", Status: 400, Fault: Sender, Message: "You don't have permissions to access this resource."}
	IncompleteSignatureException        = &Error{Code: "IncompleteSignatureException", Status: 400, Fault: Sender}
	InvalidSignatureException           = &Error{Code: "InvalidSignatureException", Status: 400, Fault: Sender, Message: SignatureDoesNotMatch.Message}
	MissingAuthenticationTokenException = &Error{Code: "MissingAuthenticationTokenException", Status: 400, Fault: Sender, Message: "Missing Authentication Token"}
	RequestEntityTooLargeException      = &Error{Code: "RequestEntityTooLargeException", Status: 413, Fault: Sender, Message: "The request is too large."}
	SerializationException              = &Error{Code: "SerializationException", Status: 400, Fault: Sender}
	ServiceUnavailableException         = &Error{Code: "ServiceUnavailableException", Status: 503, Fault: Receiver, Message: "The request has failed due to a temporary failure of the server."}
	UnknownOperationException           = &Error{Code: "UnknownOperationException", Status: 400, Fault: Sender}
	UnrecognizedClientException         = &Error{Code: "UnrecognizedClientException", Status: 400, Fault: Sender, Message: "The security token included in the request is invalid."}
	ValidationException                 = &Error{Code: "ValidationException", Status: 400, Fault: Sender}
)

// Errors of the Organizations 2016-11-28 model, besides AccessDeniedException. The texts are those of its API
// reference.
var (
	AWSOrganizationsNotInUseException                = &Error{Code: "AWSOrganizationsNotInUseException", Status: 400, Fault: Sender, Message: "Your account is not a member of an organization."}
	AccessDeniedForDependencyException               = &Error{Code: "AccessDeniedForDependencyException", Status: 400, Fault: Sender}
	AccountAlreadyClosedException                    = &Error{Code: "AccountAlreadyClosedException", Status: 400, Fault: Sender, Message: "You attempted to close an account that is already closed."}
	AccountAlreadyRegisteredException                = &Error{Code: "AccountAlreadyRegisteredException", Status: 400, Fault: Sender, Message: "The provided account is already a delegated administrator for your organization."}
	AccountNotFoundException                         = &Error{Code: "AccountNotFoundException", Status: 400, Fault: Sender, Message: "You specified an account that doesn't exist."}
	AccountNotRegisteredException                    = &Error{Code: "AccountNotRegisteredException", Status: 400, Fault: Sender, Message: "The provided account is not a registered delegated administrator for your organization."}
	AccountOwnerNotVerifiedException                 = &Error{Code: "AccountOwnerNotVerifiedException", Status: 400, Fault: Sender}
	AlreadyInOrganizationException                   = &Error{Code: "AlreadyInOrganizationException", Status: 400, Fault: Sender, Message: "The AWS account is already a member of an organization."}
	ChildNotFoundException                           = &Error{Code: "ChildNotFoundException", Status: 400, Fault: Sender, Message: "We can't find an organizational unit (OU) or AWS account with the ChildId that you specified."}
	ConcurrentModificationException                  = &Error{Code: "ConcurrentModificationException", Status: 400, Fault: Sender, Message: "AWS Organizations can't complete your request because it conflicts with another attempt to modify the same entity. Try again later."}
	ConflictException                                = &Error{Code: "ConflictException", Status: 400, Fault: Sender}
	ConstraintViolationException                     = &Error{Code: "ConstraintViolationException", Status: 400, Fault: Sender}
	CreateAccountStatusNotFoundException             = &Error{Code: "CreateAccountStatusNotFoundException", Status: 400, Fault: Sender, Message: "We can't find a create account request with the CreateAccountRequestId that you specified."}
	DestinationParentNotFoundException               = &Error{Code: "DestinationParentNotFoundException", Status: 400, Fault: Sender, Message: "We can't find the destination container (a root or OU) with the ParentId that you specified."}
	DuplicateAccountException                        = &Error{Code: "DuplicateAccountException", Status: 400, Fault: Sender, Message: "That account is already present in the specified destination."}
	DuplicateHandshakeException                      = &Error{Code: "DuplicateHandshakeException", Status: 400, Fault: Sender, Message: "A handshake with the same action and target already exists."}
	DuplicateOrganizationalUnitException             = &Error{Code: "DuplicateOrganizationalUnitException", Status: 400, Fault: Sender, Message: "An OU with the same name already exists."}
	DuplicatePolicyAttachmentException               = &Error{Code: "DuplicatePolicyAttachmentException", Status: 400, Fault: Sender, Message: "The selected policy is already attached to the specified target."}
	DuplicatePolicyException                         = &Error{Code: "DuplicatePolicyException", Status: 400, Fault: Sender, Message: "A policy with the same name already exists."}
	EffectivePolicyNotFoundException                 = &Error{Code: "EffectivePolicyNotFoundException", Status: 400, Fault: Sender}
	FinalizingOrganizationException                  = &Error{Code: "FinalizingOrganizationException", Status: 400, Fault: Sender}
	HandshakeAlreadyInStateException                 = &Error{Code: "HandshakeAlreadyInStateException", Status: 400, Fault: Sender, Message: "The specified handshake is already in the requested state."}
	HandshakeConstraintViolationException            = &Error{Code: "HandshakeConstraintViolationException", Status: 400, Fault: Sender}
	HandshakeNotFoundException                       = &Error{Code: "HandshakeNotFoundException", Status: 400, Fault: Sender, Message: "We can't find a handshake with the HandshakeId that you specified."}
	InvalidHandshakeTransitionException              = &Error{Code: "InvalidHandshakeTransitionException", Status: 400, Fault: Sender, Message: "You can't perform the operation on the handshake in its current state."}
	InvalidInputException                            = &Error{Code: "InvalidInputException", Status: 400, Fault: Sender}
	InvalidResponsibilityTransferTransitionException = &Error{Code: "InvalidResponsibilityTransferTransitionException", Status: 400, Fault: Sender}
	MalformedPolicyDocumentException                 = &Error{Code: "MalformedPolicyDocumentException", Status: 400, Fault: Sender, Message: "The provided policy document does not meet the requirements of the specified policy type."}
	MasterCannotLeaveOrganizationException           = &Error{Code: "MasterCannotLeaveOrganizationException", Status: 400, Fault: Sender, Message: "You can't remove a management account from an organization."}
	OrganizationNotEmptyException                    = &Error{Code: "OrganizationNotEmptyException", Status: 400, Fault: Sender, Message: "The organization isn't empty. To delete an organization, you must first remove all accounts except the management account."}
	OrganizationalUnitNotEmptyException              = &Error{Code: "OrganizationalUnitNotEmptyException", Status: 400, Fault: Sender, Message: "The specified OU is not empty. Move all accounts to another root or to other OUs, remove all child OUs, and try the operation again."}
	OrganizationalUnitNotFoundException              = &Error{Code: "OrganizationalUnitNotFoundException", Status: 400, Fault: Sender, Message: "You specified an organizational unit that doesn't exist."}
	ParentNotFoundException                          = &Error{Code: "ParentNotFoundException", Status: 400, Fault: Sender, Message: "We can't find a root or OU with the ParentId that you specified."}
	PolicyChangesInProgressException                 = &Error{Code: "PolicyChangesInProgressException", Status: 400, Fault: Sender}
	PolicyInUseException                             = &Error{Code: "PolicyInUseException", Status: 400, Fault: Sender, Message: "The policy is attached to one or more entities. You must detach it from all roots, OUs, and accounts before performing this operation."}
	PolicyNotAttachedException                       = &Error{Code: "PolicyNotAttachedException", Status: 400, Fault: Sender, Message: "The policy isn't attached to the specified target in the specified root."}
	PolicyNotFoundException                          = &Error{Code: "PolicyNotFoundException", Status: 400, Fault: Sender, Message: "You specified a policy that doesn't exist."}
	PolicyTypeAlreadyEnabledException                = &Error{Code: "PolicyTypeAlreadyEnabledException", Status: 400, Fault: Sender, Message: "The specified policy type is already enabled."}
	PolicyTypeNotAvailableForOrganizationException   = &Error{Code: "PolicyTypeNotAvailableForOrganizationException", Status: 400, Fault: Sender, Message: "You can't use the specified policy type with the feature set currently enabled for this organization."}
	PolicyTypeNotEnabledException                    = &Error{Code: "PolicyTypeNotEnabledException", Status: 400, Fault: Sender, Message: "This operation can be performed only for enabled policy types."}
	ResourcePolicyNotFoundException                  = &Error{Code: "ResourcePolicyNotFoundException", Status: 400, Fault: Sender, Message: "We can't find a resource policy request with the parameter that you specified."}
	ResponsibilityTransferAlreadyInStatusException   = &Error{Code: "ResponsibilityTransferAlreadyInStatusException", Status: 400, Fault: Sender}
	ResponsibilityTransferNotFoundException          = &Error{Code: "ResponsibilityTransferNotFoundException", Status: 400, Fault: Sender, Message: "We can't find a transfer that you specified."}
	RootNotFoundException                            = &Error{Code: "RootNotFoundException", Status: 400, Fault: Sender, Message: "You specified a root that doesn't exist."}
	ServiceException                                 = &Error{Code: "ServiceException", Status: 500, Fault: Receiver, Message: "AWS Organizations can't complete your request because of an internal service error. Try again later."}
	SourceParentNotFoundException                    = &Error{Code: "SourceParentNotFoundException", Status: 400, Fault: Sender, Message: "We can't find a source root or OU with the ParentId that you specified."}
	TargetNotFoundException                          = &Error{Code: "TargetNotFoundException", Status: 400, Fault: Sender, Message: "You specified a target that doesn't exist."}
	TooManyRequestsException                         = &Error{Code: "TooManyRequestsException", Status: 400, Fault: Sender, Message: "You have sent too many requests in too short a period of time. Try again later."}
	UnsupportedAPIEndpointException                  = &Error{Code: "UnsupportedAPIEndpointException", Status: 400, Fault: Sender, Message: "This action isn't available in the current AWS Region."}
)
