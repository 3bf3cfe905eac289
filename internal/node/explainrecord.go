// SPDX-License-Identifier: Apache-2.0

package node

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/audit"
	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/internal/session"
)

// recorded returns the requests that an audit record is about, in the order in
// which they were decided. What a record does not say is not made up: a
// session's policies and tags, and the referer.
func (n *Node) recorded(raw json.RawMessage) ([]asked, error) {
	var rec audit.Record
	if err := json.Unmarshal(raw, &rec); err != nil {
		return nil, fmt.Errorf("this is no audit record: %w", err)
	}
	switch {
	case rec.EventID == "" && rec.EventName == "":
		return nil, errors.New("this is no audit record: it has no eventID and no eventName")
	case rec.Decision.Action == "" && rec.ErrorCode != "":
		return nil, fmt.Errorf("%s was decided by no policy: it failed with %s: %s", rec.EventName, rec.ErrorCode, rec.ErrorMessage)
	case rec.Decision.Action == "":
		return nil, fmt.Errorf("the record of %s holds no decision of innkeeper", rec.EventName)
	case rec.Identity.ARN == "":
		return nil, fmt.Errorf("the record of %s does not say who asked", rec.EventName)
	}
	region := rec.Region
	if rec.Identity.AccessKeyID == "" {
		region = ""
	}
	all := append(rec.Decision.Checks[:len(rec.Decision.Checks):len(rec.Decision.Checks)], rec.Decision.Check)
	asks := make([]asked, 0, len(all))
	for _, c := range all {
		a := asked{
			principal: rec.Identity.ARN, principalID: rec.Identity.PrincipalID,
			action: c.Action, resource: c.Resource, region: region, claims: claimsOf(&rec),
			env: authz.Env{Time: rec.Time, UserAgent: rec.UserAgent, Secure: n.tls != nil},
			recorded: &Recorded{
				EventID: rec.EventID, Event: rec.EventName, Time: rec.Time, Outcome: c.Outcome, Layer: c.Layer, Reason: c.Reason,
			},
		}
		if s := rec.Identity.Session; s != nil {
			a.issuer = cmp.Or(s.Issuer.ARN, "arn:aws:iam::"+rec.Identity.AccountID+":root")
		}
		if addr, err := netip.ParseAddr(rec.SourceIP); err == nil {
			a.env.SourceIP = addr.String()
		}
		a.keys, a.lists = parameterKeys(c.Action, rec.RequestParameters)
		asks = append(asks, a)
	}
	return asks, nil
}

// claimsOf is what a record says about the session of its caller, nil for
// long-term credentials. The time of a second factor is taken to be that of the
// session's beginning.
func claimsOf(rec *audit.Record) *session.Claims {
	s := rec.Identity.Session
	if s == nil {
		return nil
	}
	claims := &session.Claims{
		Account: rec.Identity.AccountID, Kind: session.User, Issued: s.Created, SourceIdentity: s.SourceIdentity,
	}
	if s.MFA {
		claims.MFA = s.Created
	}
	return claims
}

// parameters are the request parameters that become condition keys (Service
// Authorization Reference, "AWS Identity and Access Management" and "AWS
// Security Token Service").
type parameters struct {
	PolicyARN         string   `json:"policyArn"`
	Boundary          string   `json:"permissionsBoundary"`
	SessionName       string   `json:"roleSessionName"`
	ExternalID        string   `json:"externalId"`
	SourceIdentity    string   `json:"sourceIdentity"`
	DurationSeconds   int      `json:"durationSeconds"`
	TagKeys           []string `json:"tagKeys"`
	TransitiveTagKeys []string `json:"transitiveTagKeys"`
	Tags              []struct {
		Key   string `json:"key"`
		Value string `json:"value"`
	} `json:"tags"`
}

// parameterKeys returns the condition keys that a request had because of its
// parameters. Parameters of another form give none.
func parameterKeys(action string, raw json.RawMessage) (map[string]string, map[string][]string) {
	var p parameters
	if json.Unmarshal(raw, &p) != nil {
		p = parameters{}
	}
	keys, lists := make(map[string]string), make(map[string][]string)
	set := func(key, value string) {
		if value != "" {
			keys[key] = value
		}
	}
	for _, t := range p.Tags {
		keys["aws:RequestTag/"+t.Key] = t.Value
		p.TagKeys = append(p.TagKeys, t.Key)
	}
	if len(p.TagKeys) > 0 {
		lists["aws:TagKeys"] = p.TagKeys
	}
	service, operation, _ := strings.Cut(action, ":")
	switch service {
	case "iam":
		if strings.HasPrefix(operation, "Attach") || strings.HasPrefix(operation, "Detach") {
			set("iam:PolicyARN", p.PolicyARN)
		}
		set("iam:PermissionsBoundary", p.Boundary)
		if operation == "PassRole" {
			keys["iam:PassedToService"] = "ec2.amazonaws.com" // what instance profiles pass roles to
		}
	case "sts":
		set("sts:RoleSessionName", p.SessionName)
		set("sts:ExternalId", p.ExternalID)
		set("sts:SourceIdentity", p.SourceIdentity)
		if p.DurationSeconds != 0 {
			keys["sts:DurationSeconds"] = strconv.Itoa(p.DurationSeconds)
		}
		if len(p.TransitiveTagKeys) > 0 {
			lists["sts:TransitiveTagKeys"] = p.TransitiveTagKeys
		}
	}
	return keys, lists
}

// EventTime is the time of the record in the form of the audit log.
func (r *Recorded) EventTime() string { return r.Time.UTC().Format(time.RFC3339) }
