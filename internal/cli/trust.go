// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/innkeeper-iam/innkeeper/internal/config"
	"github.com/innkeeper-iam/innkeeper/internal/node"
)

func trustCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "trust",
		Short:   "Find out whom a role trusts",
		Example: "  innkeeper trust test --token token.jwt --role arn:aws:iam::111122223333:role/ci",
	}
	cmd.AddCommand(trustTestCommand())
	return cmd
}

// trustTest is the flags of trust test.
type trustTest struct {
	cfg      config.Config
	token    string
	question node.TrustQuestion
	output   string
}

func trustTestCommand() *cobra.Command {
	var t trustTest
	cmd := &cobra.Command{
		Use:   "test",
		Short: "Say why a token is or is not accepted by a role",
		Long: `Say, check by check, why a web identity token or a SAML response is or is not
accepted by a role: the provider, the audience, the signature, the times, and each
statement of the trust policy. Nothing is issued.

The server of the data directory may be running or not. Run this on the server's
machine as the user that it runs as. The exit code is 0 when the role would be
given, 1 when not, and 2 when that cannot be found out.`,
		Example: `  innkeeper trust test --token token.jwt --role arn:aws:iam::111122223333:role/ci
  innkeeper trust test --token - --role arn:aws:iam::111122223333:role/ci < token.jwt
  innkeeper trust test --token response.b64 --role arn:aws:iam::111122223333:role/staff --output json`,
		Args: operands(),
		RunE: func(cmd *cobra.Command, _ []string) error { return t.run(cmd) },
	}
	d, f := config.Config{}.Defaults(), cmd.Flags()
	f.StringVar(&t.token, "token", "", "file with the token, or with the SAML response in base64; - reads it from standard input")
	f.StringVar(&t.question.Role, "role", "", "ARN of the role")
	f.StringVar(&t.question.Name, "session-name", "test", "name of the session, for a token")
	f.StringVar(&t.question.Provider, "provider", "", "ARN of the SAML provider (default the one that the response pairs with the role)")
	f.StringVar(&t.cfg.Data, "data", d.Data, "data directory of the server")
	f.StringVar(&t.cfg.Store, "store", "", "as given to serve; needed when the server is not running")
	f.StringVar(&t.cfg.MasterKey, "master-key", "", "as given to serve; needed when the server is not running")
	f.StringVar(&t.cfg.PublicURL, "public-url", "", "as given to serve; needed when the server is not running")
	f.StringSliceVar(&t.cfg.IssuerNetworks, "issuer-networks", nil, "as given to serve; needed when the server is not running")
	outputFlag(cmd, &t.output, "text", "json")
	return cmd
}

func (t *trustTest) run(cmd *cobra.Command) error {
	if t.output != "text" && t.output != "json" {
		return badOutput(t.output, "text", "json")
	}
	switch {
	case t.token == "":
		return usageError(cmd, "--token is missing")
	case t.question.Role == "":
		return usageError(cmd, "--role is missing")
	}
	proof, err := readProof(cmd.InOrStdin(), t.token)
	if err != nil {
		return err
	}
	t.question.Proof = proof
	report, err := node.TestTrust(cmd.Context(), t.cfg, t.question)
	if err != nil {
		return err
	}
	out := cmd.OutOrStdout()
	if t.output == "json" {
		err = json.NewEncoder(out).Encode(report)
	} else {
		_, err = io.WriteString(out, describeTrust(report))
	}
	if err == nil && !report.Accepted {
		err = errFailed
	}
	return err
}

// maxProof is more than the longest token or response, in bytes.
const maxProof = 1 << 18

func readProof(stdin io.Reader, name string) (string, error) {
	in := stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return "", err
		}
		defer f.Close()
		in = f
	}
	text, err := io.ReadAll(io.LimitReader(in, maxProof+1))
	if err != nil {
		return "", err
	}
	if len(text) > maxProof {
		return "", fmt.Errorf("%s is larger than %d bytes: that is no token", name, maxProof)
	}
	return string(text), nil
}

// describeTrust is a line for each check, and what the trust policy says below.
func describeTrust(r *node.TrustReport) string {
	var b strings.Builder
	for _, s := range r.Steps {
		mark := "✗"
		if s.Passed {
			mark = "✓"
		}
		fmt.Fprintf(&b, "%s %s: %s\n", mark, s.Check, s.Detail)
	}
	for _, d := range r.Decisions {
		fmt.Fprintf(&b, "\n%s\n", d.Action)
		for line := range strings.Lines(d.Trace) {
			b.WriteString("  " + line)
		}
	}
	verdict := "not accepted"
	if r.Accepted {
		verdict = "accepted"
	}
	fmt.Fprintf(&b, "\n%s by %s\n", verdict, r.Role)
	return b.String()
}
