// SPDX-License-Identifier: Apache-2.0

package reportapi

import (
	"bytes"
	"cmp"
	"context"
	"encoding/csv"
	"fmt"
	"strconv"
	"time"

	"github.com/innkeeper-iam/innkeeper/arn"
	"github.com/innkeeper-iam/innkeeper/internal/api"
	"github.com/innkeeper-iam/innkeeper/internal/awserr"
	"github.com/innkeeper-iam/innkeeper/internal/iamop"
	"github.com/innkeeper-iam/innkeeper/internal/store"
)

// reuse is for how long a credential report is good (User Guide, "Generate
// credential reports": "as often as once every four hours").
const reuse = 4 * time.Hour

// A credentialReport is the row of the account's credential report.
type credentialReport struct {
	ID      string    `json:"id"`
	Started time.Time `json:"started"`
	Done    time.Time `json:"done,omitzero"` // zero: it is being made
	blob
}

// current returns the account's credential report, or nil.
func current(v *store.View) *credentialReport {
	r := new(credentialReport)
	if !load(v, keyCredential, r) {
		return nil
	}
	return r
}

func (r *credentialReport) pending() bool { return r.Done.IsZero() }

func (s *Reports) generateCredentialReport(c *api.Call, _ *GenerateCredentialReportInput) (*GenerateCredentialReportOutput, error) {
	r := current(c.View)
	switch now := s.now(); {
	case r == nil:
	case !r.pending() && now.Sub(r.Done) < reuse:
		return &GenerateCredentialReportOutput{State: new(ReportStateTypeComplete)}, nil
	case r.pending() && now.Sub(r.Started) < stale:
		return &GenerateCredentialReportOutput{State: new(ReportStateTypeInprogress)}, nil
	}
	if err := s.makeCredentialReport(c.Context(), c.View); err != nil {
		return nil, err
	}
	out := &GenerateCredentialReportOutput{State: new(ReportStateTypeStarted)}
	if r == nil {
		out.Description = new("No report exists. Starting a new report generation task")
	}
	return out, nil
}

// makeCredentialReport makes the report of an account, or has it made in the
// background if that takes long.
func (s *Reports) makeCredentialReport(ctx context.Context, v *store.View) error {
	account := v.Account().ID
	r := &credentialReport{ID: s.newID(), Started: s.stamp()}
	out := compute(s, account+"/"+keyCredential, func(context.Context) ([]byte, error) { return s.credentials(v) })
	finish := func(ctx context.Context, o outcome[[]byte]) error {
		if o.err != nil {
			return o.err
		}
		done := *r
		var err error
		if done.blob, err = s.pack(ctx, account, r.ID, o.value); err != nil {
			return err
		}
		done.Done = s.stamp()
		return s.putCredentialReport(ctx, account, &done)
	}
	if o, ok := await(out); ok {
		return finish(ctx, o)
	}
	if err := s.putCredentialReport(ctx, account, r); err != nil {
		return err
	}
	later(s, out, finish)
	return nil
}

// putCredentialReport replaces the account's report.
func (s *Reports) putCredentialReport(ctx context.Context, account string, r *credentialReport) error {
	return s.update(ctx, account, func(tx *store.Tx) error {
		if was := current(tx.View()); was != nil && was.ID != r.ID {
			deleteParts(tx, was.ID, was.Parts)
		}
		return put(tx, keyCredential, r)
	})
}

func (s *Reports) getCredentialReport(c *api.Call, _ *GetCredentialReportInput) (*GetCredentialReportOutput, error) {
	r := current(c.View)
	switch now := s.now(); {
	case r == nil:
		return nil, awserr.ReportNotPresent.Msg("The credential report does not exist. To generate a credential report, use GenerateCredentialReport.")
	case r.pending():
		if now.Sub(r.Started) >= stale && s.idle(c.View.Account().ID+"/"+keyCredential) {
			if err := s.makeCredentialReport(c.Context(), c.View); err != nil {
				return nil, err
			}
		}
		return nil, awserr.ReportInProgress.Msg("The credential report is still being generated.")
	case now.Sub(r.Done) >= reuse:
		return nil, awserr.ReportExpired.Msg("The most recent credential report has expired. To generate a new credential report, use GenerateCredentialReport.")
	}
	content, err := r.open(c.View, r.ID)
	if err != nil {
		return nil, err
	}
	return &GetCredentialReportOutput{Content: content, ReportFormat: new(ReportFormatTypeTextCsv), GeneratedTime: r.Done}, nil
}

// The values in a report that stand for none (User Guide, "Generate credential
// reports", "Understanding the report format").
const (
	notApplicable = "N/A"
	noInformation = "no_information" // a password that was never used
	notSupported  = "not_supported"  // for the root user
)

var columns = []string{
	"user", "arn", "user_creation_time", "password_enabled", "password_last_used", "password_last_changed",
	"password_next_rotation", "mfa_active",
	"access_key_1_active", "access_key_1_last_rotated", "access_key_1_last_used_date", "access_key_1_last_used_region", "access_key_1_last_used_service",
	"access_key_2_active", "access_key_2_last_rotated", "access_key_2_last_used_date", "access_key_2_last_used_region", "access_key_2_last_used_service",
	"cert_1_active", "cert_1_last_rotated", "cert_2_active", "cert_2_last_rotated",
}

// slots is how many keys and certificates have columns.
const slots = 2

// A holder is somebody with credentials.
type holder struct {
	name, arn, id string // id: of the login's last use and of the devices
	created       time.Time
	login         *store.LoginProfile
	rotation      string
	keys          []store.AccessKey
	certs         []store.SigningCert
}

// credentials returns the credential report: the root user first, then the users
// by name.
//
// quirk Q070: there is a further column, additional_credentials_info, if someone
// has more than two keys or certificates. AWS's guide has it always, its reports
// have 22 columns.
func (s *Reports) credentials(v *store.View) ([]byte, error) {
	a := v.Account()
	rows := [][]string{columns, s.credentialRow(v, &holder{
		name: "<root_account>", arn: string(arn.Root(arn.AccountID(a.ID))), id: a.ID, created: a.Created,
		login: a.Login, rotation: notSupported, keys: a.Keys, certs: a.Certs,
	})}
	more := []string{"additional_credentials_info", additional(len(a.Keys), len(a.Certs))}
	some := more[1] != notApplicable
	for u := range v.Users("") {
		h := &holder{
			name: u.Name, arn: v.UserARN(u), id: u.ID, created: u.Created,
			login: u.Login, rotation: notApplicable, keys: u.Keys, certs: u.Certs,
		}
		if u.Login != nil {
			h.rotation = date(u.Login.Expires(a.Rules))
		}
		rows = append(rows, s.credentialRow(v, h))
		more = append(more, additional(len(u.Keys), len(u.Certs)))
		some = some || more[len(more)-1] != notApplicable
	}
	if some {
		for i := range rows {
			rows[i] = append(rows[i][:len(rows[i]):len(rows[i])], more[i])
		}
	}
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	if err := w.WriteAll(rows); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// credentialRow returns one row. Keys and certificates are in the order of their
// creation (quirk Q071).
func (s *Reports) credentialRow(v *store.View, h *holder) []string {
	used, changed := notApplicable, notApplicable
	if h.login != nil {
		used = cmp.Or(stamped(s.store.LastUse(v.Account().ID, h.id).Time), noInformation)
		changed = date(h.login.LastSet())
	}
	row := []string{
		h.name, h.arn, date(h.created), strconv.FormatBool(h.login != nil), used, changed, h.rotation,
		strconv.FormatBool(v.DeviceCount(h.id) > 0),
	}
	for i := range slots {
		if i >= len(h.keys) {
			row = append(row, "false", notApplicable, notApplicable, notApplicable, notApplicable)
			continue
		}
		k := &h.keys[i]
		use := s.store.LastUse(v.Account().ID, k.ID)
		row = append(row, strconv.FormatBool(!k.Inactive), date(k.Created),
			date(use.Time), cmp.Or(use.Region, notApplicable), cmp.Or(use.Service, notApplicable))
	}
	for i := range slots {
		if i >= len(h.certs) {
			row = append(row, "false", notApplicable)
			continue
		}
		row = append(row, strconv.FormatBool(!h.certs[i].Inactive), date(h.certs[i].Uploaded))
	}
	return row
}

// stamped writes a time, "" for the zero time.
func stamped(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(iamop.ISO8601)
}

// date writes a time, N/A for the zero time.
func date(t time.Time) string { return cmp.Or(stamped(t), notApplicable) }

// additional says how many keys and certificates have no columns, and what lists
// them.
func additional(keys, certs int) string {
	text := ""
	if keys > slots {
		text = fmt.Sprintf("%d additional access keys: ListAccessKeys", keys-slots)
	}
	if certs > slots {
		if text != "" {
			text += "; "
		}
		text += fmt.Sprintf("%d additional certificates: ListSigningCertificates", certs-slots)
	}
	return cmp.Or(text, notApplicable)
}
