// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"encoding/json"
	"time"
)

// UnmarshalJSON reads a record in CloudTrail's form, whoever wrote it. What a
// Record has no field for is ignored.
func (r *Record) UnmarshalJSON(b []byte) error {
	var w wireRecord
	if err := json.Unmarshal(b, &w); err != nil {
		return err
	}
	*r = Record{
		Time: w.EventTime, EventSource: w.EventSource, EventName: w.EventName, EventType: w.EventType,
		Region: w.AWSRegion, SourceIP: w.SourceIPAddress, UserAgent: w.UserAgent,
		ErrorCode: w.ErrorCode, ErrorMessage: w.ErrorMessage,
		RequestParameters:   notNull(w.RequestParameters),
		ResponseElements:    notNull(w.ResponseElements),
		AdditionalEventData: notNull(w.AdditionalEventData),
		RequestID:           w.RequestID, EventID: w.EventID, SharedEventID: w.SharedEventID,
		ReadOnly: w.ReadOnly, Data: w.EventCategory == "Data", Recipient: w.RecipientAccountID,
		Identity: w.UserIdentity.identity(),
		Decision: Decision{Check: w.Innkeeper.check()},
	}
	if r.EventType == "AwsApiCall" {
		r.EventType = ""
	}
	for _, res := range w.Resources {
		r.Resources = append(r.Resources, Resource(res))
	}
	for _, c := range w.Innkeeper.Checks {
		r.Decision.Checks = append(r.Decision.Checks, c.check())
	}
	return nil
}

func notNull(raw json.RawMessage) json.RawMessage {
	if string(raw) == "null" {
		return nil
	}
	return raw
}

type wireRecord struct {
	EventTime           time.Time       `json:"eventTime"`
	EventSource         string          `json:"eventSource"`
	EventName           string          `json:"eventName"`
	EventType           string          `json:"eventType"`
	AWSRegion           string          `json:"awsRegion"`
	SourceIPAddress     string          `json:"sourceIPAddress"`
	UserAgent           string          `json:"userAgent"`
	ErrorCode           string          `json:"errorCode"`
	ErrorMessage        string          `json:"errorMessage"`
	RequestParameters   json.RawMessage `json:"requestParameters"`
	ResponseElements    json.RawMessage `json:"responseElements"`
	AdditionalEventData json.RawMessage `json:"additionalEventData"`
	RequestID           string          `json:"requestID"`
	EventID             string          `json:"eventID"`
	SharedEventID       string          `json:"sharedEventID"`
	ReadOnly            bool            `json:"readOnly"`
	RecipientAccountID  string          `json:"recipientAccountId"`
	EventCategory       string          `json:"eventCategory"`
	UserIdentity        wireIdentity    `json:"userIdentity"`
	Innkeeper           wireDecision    `json:"innkeeper"`
	Resources           []struct {
		ARN       string `json:"ARN"`
		AccountID string `json:"accountId"`
		Type      string `json:"type"`
	} `json:"resources"`
}

type wireIdentity struct {
	Type             string `json:"type"`
	PrincipalID      string `json:"principalId"`
	ARN              string `json:"arn"`
	AccountID        string `json:"accountId"`
	AccessKeyID      string `json:"accessKeyId"`
	UserName         string `json:"userName"`
	IdentityProvider string `json:"identityProvider"`
	InvokedBy        string `json:"invokedBy"`
	Delegate         struct {
		AccountID string `json:"accountId"`
	} `json:"invokedByDelegate"`
	SessionContext *wireSession `json:"sessionContext"`
}

type wireSession struct {
	Issuer struct {
		Type        string `json:"type"`
		PrincipalID string `json:"principalId"`
		ARN         string `json:"arn"`
		AccountID   string `json:"accountId"`
		UserName    string `json:"userName"`
	} `json:"sessionIssuer"`
	Web struct {
		Provider string `json:"federatedProvider"`
	} `json:"webIdFederationData"`
	Attributes struct {
		Created time.Time `json:"creationDate"`
		MFA     string    `json:"mfaAuthenticated"`
	} `json:"attributes"`
	SourceIdentity string `json:"sourceIdentity"`
	AssumedRoot    string `json:"assumedRoot"`
}

type wireCheck struct {
	Action    string `json:"action"`
	Resource  string `json:"resource"`
	Decision  string `json:"decision"`
	Layer     string `json:"layer"`
	Policy    string `json:"policy"`
	Sid       string `json:"sid"`
	Statement int    `json:"statement"`
	Line      int    `json:"line"`
	Column    int    `json:"column"`
	Reason    string `json:"reason"`
	Learned   bool   `json:"learned"`
}

type wireDecision struct {
	wireCheck
	Checks []wireCheck `json:"checks"`
}

func (w *wireIdentity) identity() Identity {
	i := Identity{
		Type: w.Type, PrincipalID: w.PrincipalID, ARN: w.ARN, AccountID: w.AccountID,
		AccessKeyID: w.AccessKeyID, UserName: w.UserName,
		IdentityProvider: w.IdentityProvider, InvokedBy: w.InvokedBy, Delegate: w.Delegate.AccountID,
	}
	if s := w.SessionContext; s != nil {
		i.Session = &Session{
			Issuer: Issuer(s.Issuer), Created: s.Attributes.Created, MFA: s.Attributes.MFA == "true",
			SourceIdentity: s.SourceIdentity, Provider: s.Web.Provider, AssumedRoot: s.AssumedRoot == "true",
		}
	}
	return i
}

func (w wireCheck) check() Check {
	return Check{
		Action: w.Action, Resource: w.Resource, Outcome: w.Decision, Layer: w.Layer, Policy: w.Policy, Sid: w.Sid,
		Statement: w.Statement, Line: w.Line, Column: w.Column, Reason: w.Reason, Learned: w.Learned,
	}
}
