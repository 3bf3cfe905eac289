// SPDX-License-Identifier: Apache-2.0

package clients

import (
	"encoding/base64"
	"encoding/csv"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/innkeeper-iam/innkeeper/test/server"
)

func boto3Report(t *testing.T)      { boto3(t, "credential-report.py", 4, nil) }
func javaScriptReport(t *testing.T) { javaScript(t, "credential-report.mjs", 4, nil) }

// readReport returns the rows of a credential report by user, each by column.
func readReport(t *testing.T, content string) map[string]map[string]string {
	t.Helper()
	lines := must(csv.NewReader(strings.NewReader(content)).ReadAll())(t)
	rows := make(map[string]map[string]string, len(lines))
	for _, line := range lines[1:] {
		rows[line[0]] = make(map[string]string, len(line))
		for i, column := range lines[0] {
			rows[line[0]][column] = line[i]
		}
	}
	return rows
}

func cliReport(t *testing.T) {
	for _, path := range server.AWS(t) {
		t.Run(filepath.Dir(path), func(t *testing.T) {
			t.Parallel()
			s := server.Start(t, server.Options{})
			cli := s.CLI(t, path, s.Admin)
			cli.Refused("ReportNotPresent", nil, "iam", "get-credential-report")
			state := ""
			for end := time.Now().Add(30 * time.Second); state != "COMPLETE" && time.Now().Before(end); {
				state = cli.Run("iam", "generate-credential-report", "--query", "State")
			}
			content := must(base64.StdEncoding.DecodeString(cli.Run("iam", "get-credential-report", "--query", "Content")))(t)
			rows := readReport(t, string(content))
			if admin := rows["admin"]; len(rows) != 2 || admin["access_key_1_active"] != "true" || admin["access_key_1_last_used_service"] != "iam" || admin["access_key_1_last_used_region"] != server.Region {
				t.Errorf("get-credential-report = %s", content)
			}
		})
	}
}

func goReport(t *testing.T) {
	t.Parallel()
	s := server.Start(t, server.Options{})
	ctx, admin := t.Context(), s.IAM(s.Admin)
	_, err := admin.GetCredentialReport(ctx, nil)
	if _, ok := errors.AsType[*types.CredentialReportNotPresentException](err); !ok {
		t.Errorf("GetCredentialReport of none: %v", err)
	}
	must(admin.CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("ann")}))(t)
	ann := server.UserKey(must(admin.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: aws.String("ann")}))(t).AccessKey)
	must(s.STS(ann).GetCallerIdentity(ctx, nil))(t)
	if first := must(admin.GenerateCredentialReport(ctx, nil))(t); first.State != types.ReportStateTypeStarted || aws.ToString(first.Description) == "" {
		t.Errorf("GenerateCredentialReport = %s, %v", first.State, first.Description)
	}
	for end := time.Now().Add(10 * time.Second); must(admin.GenerateCredentialReport(ctx, nil))(t).State != types.ReportStateTypeComplete; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the report is not complete after ten seconds")
		}
	}
	got := must(admin.GetCredentialReport(ctx, nil))(t)
	rows := readReport(t, string(got.Content))
	if row := rows["ann"]; row["access_key_1_active"] != "true" || row["access_key_1_last_used_service"] != "sts" || row["password_enabled"] != "false" || row["mfa_active"] != "false" {
		t.Errorf("GetCredentialReport = %s", got.Content)
	}
	if got.ReportFormat != types.ReportFormatTypeTextCsv || time.Since(*got.GeneratedTime).Abs() > time.Minute {
		t.Errorf("GetCredentialReport = %s at %v", got.ReportFormat, got.GeneratedTime)
	}
}
