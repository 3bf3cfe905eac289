// SPDX-License-Identifier: Apache-2.0

package refusal_test

import (
	"cmp"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/quota"
	"github.com/innkeeper-iam/innkeeper/internal/store"
	"github.com/innkeeper-iam/innkeeper/policy"
)

// racers is how many requests want the last place that a quota leaves.
const racers = 8

// A quotaCase fills one quota. $i in its steps and its request is the number of a
// racer, and a variable that ends in $i is made for each of them.
type quotaCase struct {
	quota   string
	before  []string // once
	each    []string // for every racer
	request string   // as a step
	have    int      // how much of the quota the sandbox uses; -1: ask the account
	limit   int      // beside have; 0 is 1, but for one that stands alone
	alone   bool     // one request is too much already
	org     bool     // in an organization
	code    string   // "" is LimitExceeded; of Organizations ConstraintViolationException
	text    string   // with the limit as %d; "" is "Cannot exceed quota for QUOTA: %d"; of Organizations the reason
}

var size = policy.SizeWithoutSpace(allowAll)

func quotaCases() []quotaCase {
	const newPolicy = "CreatePolicy PolicyName=p$i PolicyDocument=$policy"
	const ofAccount = "arn:aws:iam::$account:policy/"
	const scp = `{"Type":"SERVICE_CONTROL_POLICY","Name":"p$i","Description":"","Content":"$quotedDeny"}`
	return []quotaCase{
		{quota: quota.Users, request: "CreateUser UserName=u$i", have: -1},
		{quota: quota.Groups, request: "CreateGroup GroupName=g$i", have: -1},
		{quota: quota.Roles, request: "CreateRole RoleName=r$i AssumeRolePolicyDocument=$trust", have: -1},
		{quota: quota.Policies, request: newPolicy, have: -1},
		{quota: quota.Profiles, request: "CreateInstanceProfile InstanceProfileName=i$i", have: -1},
		{quota: quota.OIDCProviders, request: "CreateOpenIDConnectProvider Url=https://id$i.example.com ThumbprintList.member.1=0123456789abcdef0123456789abcdef01234567", have: -1},
		{quota: quota.SAMLProviders, request: "CreateSAMLProvider Name=s$i SAMLMetadataDocument=$metadata", have: -1},
		{quota: quota.VersionsInUse, request: "CreatePolicyVersion PolicyArn=" + ofAccount + "reader PolicyDocument=$policy", have: -1},
		{quota: quota.ServerCerts, request: "UploadServerCertificate ServerCertificateName=c$i CertificateBody=$cert PrivateKey=$key", have: -1},
		{quota: quota.UserPolicies, each: steps(newPolicy), request: "AttachUserPolicy UserName=ben PolicyArn=" + ofAccount + "p$i"},
		{quota: quota.GroupPolicies, each: steps(newPolicy), request: "AttachGroupPolicy GroupName=crew PolicyArn=" + ofAccount + "p$i"},
		{quota: quota.RolePolicies, each: steps(newPolicy), request: "AttachRolePolicy RoleName=app PolicyArn=" + ofAccount + "p$i"},
		{quota: quota.GroupsPerUser, each: steps("CreateGroup GroupName=g$i"), request: "AddUserToGroup UserName=ben GroupName=g$i"},
		{quota: quota.Versions, request: "CreatePolicyVersion PolicyArn=" + ofAccount + "reader PolicyDocument=$policy", have: 1,
			text: "A managed policy can have up to %d versions. Before you create a new version, you must delete an existing version."},
		{quota: quota.Keys, request: "CreateAccessKey UserName=ben"},
		{quota: quota.SigningCerts, request: "UploadSigningCertificate UserName=ben CertificateBody=$cert$i"},
		{quota: quota.Devices, each: steps("CreateVirtualMFADevice VirtualMFADeviceName=d$i > SerialNumber=serial$i Base32StringSeed=seed$i"),
			request: "EnableMFADevice UserName=ben SerialNumber=$serial$i AuthenticationCode1=$earlier$i AuthenticationCode2=$code$i"},
		{quota: quota.VirtualDevices, request: "CreateVirtualMFADevice VirtualMFADeviceName=d$i"},
		{quota: quota.SSHKeys, request: "UploadSSHPublicKey UserName=ben SSHPublicKeyBody=$ssh$i"},
		{quota: quota.ServiceCreds, request: "CreateServiceSpecificCredential UserName=ben ServiceName=codecommit.amazonaws.com"},
		{quota: quota.RolesPerProfile, each: steps("CreateRole RoleName=r$i AssumeRolePolicyDocument=$trust"), request: "AddRoleToInstanceProfile InstanceProfileName=vm RoleName=r$i"},
		{quota: quota.ClientIDs, before: steps(oidc), request: "AddClientIDToOpenIDConnectProvider OpenIDConnectProviderArn=$OpenIDConnectProviderArn ClientID=c$i", have: 1},
		{quota: quota.Thumbprints, before: steps(oidc), alone: true, code: "InvalidInput", text: "Thumbprint list must contain fewer than %d entries.", limit: 1,
			request: "UpdateOpenIDConnectProviderThumbprint OpenIDConnectProviderArn=$OpenIDConnectProviderArn ThumbprintList.member.1=0123456789abcdef0123456789abcdef01234567 ThumbprintList.member.2=1123456789abcdef0123456789abcdef01234567"},
		{quota: quota.SAMLKeys, before: steps(saml), alone: true, text: "Private key limit of %d is reached.", limit: 0,
			request: "UpdateSAMLProvider SAMLProviderArn=$SAMLProviderArn AddPrivateKey=$key"},
		{quota: quota.Tags, request: "TagUser UserName=ben Tags.member.1.Key=k$i Tags.member.1.Value=v"},
		{quota: quota.PolicySize, request: newPolicy, alone: true, limit: size - 1},
		{quota: quota.UserPolicySize, request: "PutUserPolicy UserName=ben PolicyName=p$i PolicyDocument=$policy", limit: 2*size - 1, text: "Maximum policy size of %d bytes exceeded for user ben"},
		{quota: quota.GroupPolicySize, request: "PutGroupPolicy GroupName=crew PolicyName=p$i PolicyDocument=$policy", limit: 2*size - 1, text: "Maximum policy size of %d bytes exceeded for group crew"},
		{quota: quota.RolePolicySize, request: "PutRolePolicy RoleName=app PolicyName=p$i PolicyDocument=$policy", limit: 2*size - 1, text: "Maximum policy size of %d bytes exceeded for role app"},
		{quota: quota.AssumePolicySize, request: "CreateRole RoleName=r$i AssumeRolePolicyDocument=$trust", alone: true, limit: 10},

		{quota: quota.OrgAccounts, org: true, request: `org:CreateAccount {"AccountName":"a$i","Email":"a$i-$account@example.com"}`, have: 2, text: "ACCOUNT_NUMBER_LIMIT_EXCEEDED"},
		{quota: quota.OrgUnits, org: true, request: `org:CreateOrganizationalUnit {"ParentId":"$RootId","Name":"u$i"}`, have: 1, text: "OU_NUMBER_LIMIT_EXCEEDED"},
		{quota: quota.OrgDepth, org: true, request: `org:CreateOrganizationalUnit {"ParentId":"$OrganizationalUnitId","Name":"u$i"}`, alone: true, limit: 1, text: "OU_DEPTH_LIMIT_EXCEEDED"},
		{quota: quota.OrgPolicies, org: true, request: "org:CreatePolicy " + scp, have: 2, text: "POLICY_NUMBER_LIMIT_EXCEEDED"},
		{quota: quota.OrgAttachments, org: true, each: steps("org:CreatePolicy " + scp + " > Id=policy$i"), request: `org:AttachPolicy {"PolicyId":"$policy$i","TargetId":"$OrganizationalUnitId"}`, have: 1, text: "MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED"},
		{quota: quota.SCPSize, org: true, request: "org:CreatePolicy " + scp, alone: true, limit: 10, text: "POLICY_CONTENT_LIMIT_EXCEEDED"},
		{quota: quota.RCPSize, org: true, before: steps(`org:EnablePolicyType {"RootId":"$RootId","PolicyType":"RESOURCE_CONTROL_POLICY"}`), alone: true, limit: 10, text: "POLICY_CONTENT_LIMIT_EXCEEDED",
			request: `org:CreatePolicy {"Type":"RESOURCE_CONTROL_POLICY","Name":"p","Description":"","Content":"{\"Version\":\"2012-10-17\",\"Statement\":{\"Effect\":\"Deny\",\"Principal\":\"*\",\"Action\":\"s3:*\",\"Resource\":\"*\"}}"}`},
		{quota: quota.AIPolicySize, org: true, before: steps(`org:EnablePolicyType {"RootId":"$RootId","PolicyType":"AISERVICES_OPT_OUT_POLICY"}`), alone: true, limit: 10, text: "POLICY_CONTENT_LIMIT_EXCEEDED",
			request: `org:CreatePolicy {"Type":"AISERVICES_OPT_OUT_POLICY","Name":"p","Description":"","Content":"{\"services\":{\"default\":{\"opt_out_policy\":{\"@@assign\":\"optOut\"}}}}"}`},
		{quota: quota.OrgPolicySize, org: true, before: steps(tagTypes), alone: true, limit: 10, text: "POLICY_CONTENT_LIMIT_EXCEEDED",
			request: `org:CreatePolicy {"Type":"TAG_POLICY","Name":"p","Description":"","Content":"{\"tags\":{\"cost\":{\"tag_key\":{\"@@assign\":\"Cost\"}}}}"}`},
	}
}

// untried are the quotas without a case: no request to the server comes near them.
var untried = map[string]bool{quota.RecordSize: true, quota.Buckets: true}

// TestQuotas: of many who want the last place that a quota leaves, at once, one
// gets it, and the others AWS's text. Every quota holds what its account says.
func TestQuotas(t *testing.T) {
	p := newPlace(t)
	p.issueMany()
	ops := operations(t, p.Services())
	tried := make(map[string]bool)
	for _, tc := range quotaCases() {
		tried[tc.quota] = true
		t.Run(tc.quota, func(t *testing.T) {
			t.Parallel()
			s := p.sandbox(t)
			s.race(ops, tc)
		})
	}
	for _, q := range quota.All {
		if !tried[q.Name] && !untried[q.Name] {
			t.Errorf("quota %s has no case", q.Name)
		}
	}
}

// race prepares a case, sets the quota of the account so that one request more
// fits, and sends all of them at once.
func (s *sandbox) race(ops map[string]*operation, tc quotaCase) {
	s.t.Helper()
	if tc.org {
		for _, step := range organization {
			s.step(ops, step)
		}
	}
	for _, step := range tc.before {
		s.step(ops, step)
	}
	requests := make([]*http.Request, racers)
	var o *operation
	for i := range racers {
		numbered := strings.NewReplacer("$i", strconv.Itoa(i))
		for _, step := range tc.each {
			s.step(ops, numbered.Replace(step))
		}
		var body string
		o, body = s.call(ops, numbered.Replace(tc.request))
		requests[i] = s.build(o, sender{Client: s.admin}, body)
	}
	limit := s.setQuota(tc)
	answers := make([]answer, racers)
	var wg sync.WaitGroup
	for i, r := range requests {
		wg.Go(func() { answers[i] = s.send(s.t, o, r) })
	}
	wg.Wait()
	s.judge(tc, limit, answers)
}

// setQuota sets the quota so that one thing more fits, or none, and returns it.
func (s *sandbox) setQuota(tc quotaCase) int {
	limit := max(tc.have, 0) + tc.limit
	if tc.limit == 0 && !tc.alone {
		limit++
	}
	err := s.Store().Update(s.t.Context(), s.account, func(tx *store.Tx) error {
		if tc.have < 0 {
			limit = tx.View().Usage(tc.quota) + 1
		}
		a := tx.Account()
		a.Quotas = map[string]int{tc.quota: limit}
		return tx.PutAccount(a)
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return limit
}

func (s *sandbox) judge(tc quotaCase, limit int, answers []answer) {
	s.t.Helper()
	code, want := cmp.Or(tc.code, "LimitExceeded"), cmp.Or(tc.text, "Cannot exceed quota for "+tc.quota+": %d")
	if tc.org {
		code = "ConstraintViolationException"
	} else {
		want = fmt.Sprintf(want, limit)
	}
	succeeded := 0
	for _, a := range answers {
		if a.status == http.StatusOK {
			succeeded++
			continue
		}
		got := a.message
		if tc.org {
			got = a.reason
		}
		if a.code != code || got != want {
			s.t.Errorf("%s at %d: %s: %s %s\nwant %s: %s", tc.quota, limit, a.code, a.message, a.reason, code, want)
		}
	}
	if tc.alone && succeeded != 0 || !tc.alone && succeeded != 1 {
		s.t.Errorf("%s at %d: %d of %d succeeded: %s", tc.quota, limit, succeeded, racers, answers[0].body)
	}
}

// issueMany makes certificates and keys that differ, one for each racer.
func (p *place) issueMany() {
	for i := range racers {
		private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			p.t.Fatal(err)
		}
		template := &x509.Certificate{
			SerialNumber: big.NewInt(int64(i + 1)), Subject: pkix.Name{CommonName: strconv.Itoa(i)},
			NotBefore: p.clock.Now().Add(-time.Hour), NotAfter: p.clock.Now().Add(time.Hour),
		}
		der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
		if err != nil {
			p.t.Fatal(err)
		}
		n, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 2047))
		if err != nil {
			p.t.Fatal(err)
		}
		n.SetBit(n.SetBit(n, 2047, 1), 0, 1) // nobody has the factors, nor needs them
		public, err := x509.MarshalPKIXPublicKey(&rsa.PublicKey{N: n, E: 65537})
		if err != nil {
			p.t.Fatal(err)
		}
		p.made["cert"+strconv.Itoa(i)] = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
		p.made["ssh"+strconv.Itoa(i)] = string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}))
	}
}
