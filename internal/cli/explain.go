// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/innkeeper-iam/innkeeper/internal/config"
	"github.com/innkeeper-iam/innkeeper/internal/node"
	"github.com/innkeeper-iam/innkeeper/policy"
	"github.com/innkeeper-iam/innkeeper/policy/policytest"
)

// explain is the flags of the command.
type explain struct {
	cases []string

	principal, issuer, action, resource, resourceAccount string
	context                                              []string

	identity, session, scps, rcps      []string
	boundary, resourcePolicy, endpoint string

	cfg     config.Config
	record  string
	eventID string
	output  string
}

// The flags of explain by what they say.
var (
	requestFlags = []string{"principal", "issuer", "action", "resource", "resource-account"}
	policyFlags  = []string{"identity", "boundary", "session", "scp", "rcp", "resource-policy", "endpoint"}
	serverFlags  = []string{"data", "store", "master-key"}
	recordFlags  = []string{"record", "event-id"}
)

func explainCommand() *cobra.Command {
	e := new(explain)
	cmd := &cobra.Command{
		Use:   "explain [FILE]",
		Short: "Explain why a request is allowed or denied",
		Long: `Explain why a request is allowed or denied, and what would change that: a case of
an access-test file; a request in flags, with policies in files or, without any,
those in force on the server of the data directory; or a record of its audit log,
against the policies as they stand now.

With both --data and policy files the files add to what the server has: what would
be if. A boundary or resource policy takes the place of the server's. The server may
be running or not. Run this on its machine as the user that it runs as.

The exit code is 0 when the request is allowed, or every one of several, 1 when one
is denied, and 2 when there is no answer.`,
		Example: `  innkeeper explain access.yaml --case "fred reads his own folder"
  innkeeper explain --principal arn:aws:iam::111122223333:user/fred \
    --action s3:GetObject --resource arn:aws:s3:::b/home/fred/x \
    --context aws:SourceIp=203.0.113.7 --identity readers.json --boundary dev.json
  innkeeper explain --data inn --principal arn:aws:iam::111122223333:user/fred \
    --action iam:CreateUser --resource arn:aws:iam::111122223333:user/ann
  innkeeper explain --data inn --record inn/audit/audit.log  # the last one denied
  tail -1 inn/audit/audit.log | innkeeper explain --data inn --record -`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usageError(cmd, fmt.Sprintf("unexpected argument %q", args[1]))
			}
			return e.run(cmd, args)
		},
	}
	e.flags(cmd)
	outputFlag(cmd, &e.output, "text", "json")
	return cmd
}

func (e *explain) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.SortFlags = false
	f.StringArrayVar(&e.cases, "case", nil, "`NAME` of a case of FILE (default every case that fails)")
	f.StringVar(&e.principal, "principal", "", "who asks: `ARN` of a user, of a role's session, of a federated user or of an account's root; or anonymous, service:HOST, federated:PROVIDER")
	f.StringVar(&e.issuer, "issuer", "", "`ARN` of the role or user that the principal's session comes from, where its own ARN does not say")
	f.StringVar(&e.action, "action", "", "such as s3:GetObject")
	f.StringVar(&e.resource, "resource", "", "`ARN`, or * for an action without resources")
	f.StringVar(&e.resourceAccount, "resource-account", "", "`ID` of the account that owns it (default the one in its ARN, else the principal's)")
	f.StringArrayVar(&e.context, "context", nil, "a condition key, `KEY=VALUE`; given again, or with a JSON list as value, the key has several values")
	f.StringArrayVar(&e.identity, "identity", nil, "`FILE` of a policy attached to the principal, in JSON")
	f.StringVar(&e.boundary, "boundary", "", "`FILE` of the principal's permissions boundary")
	f.StringArrayVar(&e.session, "session", nil, "`FILE` of a session policy")
	f.StringArrayVar(&e.scps, "scp", nil, "`FILES` of the service control policies of one level, separated by commas; once a level, organization root first")
	f.StringArrayVar(&e.rcps, "rcp", nil, "`FILES` of the resource control policies of one level, likewise")
	f.StringVar(&e.resourcePolicy, "resource-policy", "", "`FILE` of the policy on the resource: a bucket's, a key's, a role's trust policy")
	f.StringVar(&e.endpoint, "endpoint", "", "`FILE` of the policy on the VPC endpoint")
	f.StringVar(&e.record, "record", "", "`FILE` of audit records, - for standard input; of several the last that was denied")
	f.StringVar(&e.eventID, "event-id", "", "`ID` of the record to take (default file audit/audit.log in the data directory)")
	f.StringVar(&e.cfg.Data, "data", config.Config{}.Defaults().Data, "data directory of the server")
	f.StringVar(&e.cfg.Store, "store", "", "as given to serve; needed when the server is not running")
	f.StringVar(&e.cfg.MasterKey, "master-key", "", "as given to serve; needed when the server is not running")
}

// given returns the first flag of the groups that the command line has.
func given(cmd *cobra.Command, groups ...[]string) (name string, ok bool) {
	for _, name := range slices.Concat(groups...) {
		if cmd.Flags().Changed(name) {
			return name, true
		}
	}
	return "", false
}

func (e *explain) run(cmd *cobra.Command, args []string) error {
	if e.output != "text" && e.output != "json" {
		return badOutput(e.output, "text", "json")
	}
	list, err := e.explanations(cmd, args)
	if err != nil {
		return err
	}
	if err := writeExplanations(cmd.OutOrStdout(), e.output, list); err != nil {
		return err
	}
	if slices.ContainsFunc(list, func(x *explanation) bool { return !x.allowed() }) {
		return errFailed
	}
	return nil
}

// explanations finds what the command line is about: at least one request.
func (e *explain) explanations(cmd *cobra.Command, args []string) ([]*explanation, error) {
	if len(args) == 1 {
		if other, ok := given(cmd, requestFlags, []string{"context"}, policyFlags, recordFlags, serverFlags); ok {
			return nil, usageError(cmd, fmt.Sprintf("--%s does not go with %s, whose cases say everything", other, args[0]))
		}
		return e.fromCases(cmd.ErrOrStderr(), args[0])
	}
	if len(e.cases) > 0 {
		return nil, usageError(cmd, "--case needs the access-test file that holds it")
	}
	if record, ok := given(cmd, recordFlags); ok {
		if other, ok := given(cmd, requestFlags); ok {
			return nil, usageError(cmd, fmt.Sprintf("--%s does not go with --%s: the record says who did what", other, record))
		}
		return e.fromRecord(cmd.Context(), cmd.InOrStdin())
	}
	var missing []string
	for _, name := range []string{"principal", "action", "resource"} {
		if !cmd.Flags().Changed(name) {
			missing = append(missing, "--"+name)
		}
	}
	switch {
	case len(missing) == 3:
		return nil, usageError(cmd, "say what to explain: an access-test file, --principal with --action and --resource, or --record")
	case len(missing) > 0:
		return nil, usageError(cmd, strings.Join(missing, " and ")+" missing")
	}
	_, files := given(cmd, policyFlags)
	_, server := given(cmd, serverFlags)
	return e.fromFlags(cmd.Context(), server || !files)
}

// fromCases explains the named cases of an access-test file, or those that fail.
func (e *explain) fromCases(stderr io.Writer, name string) ([]*explanation, error) {
	f, err := readTests(name)
	if err != nil {
		fmt.Fprintln(stderr, err)
		return nil, errTold
	}
	if len(f.Cases) == 0 {
		return nil, fmt.Errorf("%s has no cases", name)
	}
	for _, want := range e.cases {
		if !slices.ContainsFunc(f.Cases, func(c policytest.Case) bool { return c.Name == want }) {
			return nil, fmt.Errorf("%s has no case %q; it has %s", name, want, caseNames(f.Cases))
		}
	}
	var list []*explanation
	for i := range f.Cases {
		c := &f.Cases[i]
		result := c.Run(policy.Decide)
		chosen := slices.Contains(e.cases, c.Name)
		if chosen || len(e.cases) == 0 && (!result.Passed || len(f.Cases) == 1) {
			x := explained(&c.Request, &c.Set)
			x.Case = &caseOf{File: name, Line: c.Line, Name: c.Name, Expect: c.Expect, Passed: result.Passed, Failure: result.Failure}
			list = append(list, x)
		}
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("every case of %s passes; choose which to explain with --case: %s", name, caseNames(f.Cases))
	}
	return list, nil
}

// maxNamed is how many names an error lists.
const maxNamed = 10

func caseNames(cases []policytest.Case) string {
	var names []string
	for i := range cases[:min(len(cases), maxNamed)] {
		names = append(names, fmt.Sprintf("%q", cases[i].Name))
	}
	if more := len(cases) - len(names); more > 0 {
		names = append(names, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(names, ", ")
}

// fromFlags explains the request in the flags, under the policies of the server
// or only those in files.
func (e *explain) fromFlags(ctx context.Context, server bool) ([]*explanation, error) {
	r, err := e.request()
	if err != nil {
		return nil, err
	}
	if !server {
		policytest.Derive(r)
		x, err := e.under(r, new(policy.Set))
		return []*explanation{x}, err
	}
	q := node.Question{
		Principal: e.principal, Issuer: e.issuer, Action: e.action, Resource: e.resource, ResourceAccount: e.resourceAccount,
	}
	return e.ask(ctx, &q)
}

// fromRecord explains what a record of the audit log is about.
func (e *explain) fromRecord(ctx context.Context, stdin io.Reader) ([]*explanation, error) {
	name := cmp.Or(e.record, filepath.Join(e.cfg.Data, "audit", "audit.log"))
	record, err := readRecord(name, stdin, e.eventID)
	if err != nil {
		return nil, err
	}
	return e.ask(ctx, &node.Question{Record: record})
}

// ask explains what the server, or its store, says about a question, with the
// policies and condition keys of the flags added.
func (e *explain) ask(ctx context.Context, q *node.Question) ([]*explanation, error) {
	found, err := node.Inquire(ctx, e.cfg, q)
	if err != nil {
		return nil, err
	}
	list := make([]*explanation, len(found))
	for i := range found {
		if list[i], err = e.under(&found[i].Request, &found[i].Set); err != nil {
			return nil, err
		}
		list[i].Recorded, list[i].Notes = found[i].Recorded, append(found[i].Notes, e.sessionNote(&found[i])...)
	}
	return list, nil
}

// sessionNote tells of a session what the server cannot know, if the flags do not
// either.
func (e *explain) sessionNote(q *node.Inquiry) []string {
	switch q.Request.Principal.Type {
	case policy.RoleSession, policy.FederatedUser:
	default:
		return nil
	}
	if len(e.session) > 0 {
		return nil
	}
	return []string{"Session policies and session tags are known to the session alone: add those it has with --session FILE and --context aws:PrincipalTag/KEY=VALUE."}
}
