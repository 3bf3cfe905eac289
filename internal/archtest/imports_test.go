// SPDX-License-Identifier: Apache-2.0

package archtest

const module = "github.com/innkeeper-iam/innkeeper"

// allowed is the closed list of the main module's packages and of what each may
// import beyond the standard library: our own packages by their folder, foreign
// ones by their import path, "path/..." for a whole tree. Tests may import more.
//
// It is a statement of the design (DESIGN.md, "Who may import whom"). Do not
// change it to fix a build; change the design, or the code.
var allowed = map[string]string{
	// Public libraries: the standard library and each other, nothing else.
	"arn":     "",
	"catalog": "",
	"sigv4":   "",
	"policy": "arn policy/internal/action policy/internal/enum policy/internal/form policy/internal/given policy/internal/jsontext policy/internal/literal " +
		"policy/internal/operator policy/internal/prose policy/internal/spelling policy/internal/template policy/internal/textbook policy/internal/words",
	"policy/advice":     "arn policy policy/internal/literal policy/internal/prose policy/internal/template",
	"policy/policytest": "arn policy policy/internal/jsontext",

	"policy/internal/action":   "policy/internal/words",
	"policy/internal/enum":     "",
	"policy/internal/form":     "arn policy/internal/jsontext policy/internal/spelling",
	"policy/internal/given":    "policy/internal/literal policy/internal/words",
	"policy/internal/jsontext": "policy/internal/spelling",
	"policy/internal/literal":  "",
	"policy/internal/operator": "policy/internal/jsontext policy/internal/literal policy/internal/spelling policy/internal/template",
	"policy/internal/prose":    "arn",
	"policy/internal/spelling": "",
	"policy/internal/template": "",
	"policy/internal/textbook": "arn policy/internal/literal policy/internal/operator policy/internal/template",
	"policy/internal/words":    "",

	// Leaves.
	"internal/awserr":  "",
	"internal/ids":     "",
	"internal/seal":    "",
	"internal/managed": "",
	"internal/config":  "",
	"internal/audit":   "",
	"internal/wire":    "internal/awserr",

	"internal/wire/wiretest": "internal/wire",

	// Storage. Only node names an engine.
	"internal/kv":          "",
	"internal/kv/kvtest":   "internal/kv github.com/anishathalye/porcupine",
	"internal/kv/boltkv":   "internal/kv go.etcd.io/bbolt go.etcd.io/bbolt/errors",
	"internal/kv/memkv":    "internal/kv github.com/tidwall/btree",
	"internal/kv/relaykv":  "internal/kv",
	"internal/kv/etcdtest": "go.etcd.io/etcd/client/v3 go.uber.org/zap",
	"internal/kv/etcdkv":   "internal/kv go.etcd.io/etcd/api/v3/... go.etcd.io/etcd/client/v3 go.uber.org/zap google.golang.org/grpc/...",
	"internal/annex":       "internal/kv github.com/tidwall/btree",
	"internal/quota":       "internal/kv",
	"internal/store":       "arn policy internal/annex internal/kv internal/ids internal/quota internal/seal internal/managed github.com/tidwall/btree",

	// Credentials.
	"internal/passwords": "internal/store golang.org/x/crypto/argon2",
	"internal/pubkey":    "golang.org/x/crypto/ssh",

	"internal/usage": "internal/annex internal/audit internal/kv internal/store",
	"internal/trail": "arn internal/audit",
	"internal/sink":  "internal/audit",

	"internal/s3req":    "sigv4",
	"internal/classify": "arn catalog",

	"internal/principal": "arn policy internal/ids internal/store",
	"internal/buckets":   "arn catalog policy internal/annex internal/kv internal/principal internal/store",

	"internal/orgs":   "policy internal/annex internal/ids internal/quota internal/store",
	"internal/issuer": "internal/annex internal/ids internal/seal internal/store github.com/go-jose/go-jose/v4",

	// Who is asking, and may they. None of these sees wire or awserr.
	"internal/session": "internal/ids",
	"internal/federate": "internal/session " +
		"github.com/beevik/etree github.com/go-jose/go-jose/v4 github.com/russellhaering/goxmldsig/...",
	"internal/mfa":   "internal/store github.com/boombuler/barcode/qr",
	"internal/authn": "arn policy sigv4 internal/store internal/session internal/ids",
	"internal/authz": "arn policy internal/learning internal/orgs internal/store internal/authn internal/session internal/audit",

	"internal/learning": "arn policy internal/authn internal/store",

	"internal/replica": "",
	"internal/relay":   "sigv4 internal/audit internal/authn internal/ids internal/kv internal/kv/relaykv internal/replica internal/session internal/store",

	"internal/delegation": "policy internal/annex internal/authn internal/ids internal/session internal/store",

	// Operations. The *api packages never see each other.
	"internal/api": "arn policy sigv4 internal/wire internal/awserr internal/authn internal/authz " +
		"internal/audit internal/ids internal/orgs internal/session internal/store",
	"internal/iamapi": "arn policy internal/orgs internal/api internal/federate internal/awserr internal/wire internal/principal internal/quota internal/store internal/session " +
		"internal/authn internal/authz internal/ids internal/managed internal/iamop",
	"internal/credapi": "arn policy internal/api internal/awserr internal/wire internal/store internal/authz " +
		"internal/ids internal/iamop internal/mfa internal/passwords internal/pubkey internal/session",
	"internal/trustapi": "internal/api internal/awserr internal/ids internal/iamop internal/issuer internal/orgs internal/store internal/wire",
	"internal/iamop":    "arn internal/api internal/awserr internal/wire internal/quota internal/store internal/authz",
	"internal/stsapi": "arn policy internal/mfa internal/api internal/federate internal/issuer internal/awserr internal/wire internal/store internal/session " +
		"internal/authn internal/authz internal/delegation internal/ids internal/orgs",

	"internal/delegapi": "arn policy internal/api internal/authz internal/awserr internal/delegation internal/ids internal/iamop internal/store internal/wire",

	"internal/reportapi": "arn catalog policy internal/annex internal/api internal/awserr internal/wire internal/store internal/orgs internal/authz " +
		"internal/ids internal/iamop internal/usage",
	"internal/orgapi": "arn policy internal/api internal/awserr internal/wire internal/quota internal/store internal/orgs internal/authz internal/ids",

	// Gateways.
	"internal/s3gate": "policy sigv4 internal/audit internal/authn internal/authz internal/awserr internal/buckets internal/ids internal/s3req " +
		"internal/store internal/upstream internal/wire",
	"internal/upstream": "sigv4",
	"internal/awsgate":  "arn policy sigv4 internal/audit internal/authn internal/authz internal/awserr internal/classify internal/ids internal/store internal/upstream internal/wire",
	"internal/gateway":  "sigv4 internal/authz",

	// What a principal may do, for whoever guards something else.
	"internal/ask":    "arn policy policy/advice sigv4 internal/audit internal/authn internal/authz internal/ids internal/session internal/store",
	"internal/askapi": "arn policy internal/ask internal/authn internal/authz",
	"internal/extauthz": "internal/ask internal/authz github.com/envoyproxy/go-control-plane/envoy/... google.golang.org/genproto/googleapis/rpc/status " +
		"google.golang.org/grpc/...",

	// Assembly.
	"internal/node": "arn catalog policy sigv4 internal/api internal/ask internal/askapi internal/audit internal/authn internal/authz internal/awserr internal/awsgate internal/buckets " +
		"internal/config internal/credapi internal/delegapi internal/extauthz internal/federate internal/gateway internal/iamapi internal/ids internal/issuer internal/kv internal/learning internal/kv/boltkv internal/kv/etcdkv internal/kv/memkv " +
		"internal/managed internal/orgapi internal/quota internal/relay internal/reportapi internal/s3gate internal/seal internal/session internal/sink internal/store internal/stsapi internal/trustapi internal/upstream internal/usage internal/wire " +
		"github.com/prometheus/client_golang/...",
	"internal/dev":  "arn internal/ids internal/node internal/session",
	"innkeepertest": "internal/dev",
	"internal/cli": "arn policy policy/advice policy/policytest sigv4 internal/audit internal/config internal/dev internal/node internal/trail " +
		"github.com/goccy/go-yaml/... github.com/spf13/cobra",
	"cmd/innkeeper": "internal/cli",

	// Examples are what others write: public packages only.
	"docs/examples/notes": "arn policy",

	// Tests and generators.
	"internal/archtest": "",
	"internal/doctest":  "",
	"internal/refusal":  "",
	"internal/iamtest":  "sigv4 internal/api internal/audit internal/config internal/ids internal/mfa internal/node internal/store policy github.com/rogpeppe/go-internal/txtar",
}

// libraries are the public packages: what others may import from us, and so
// what may need nothing but the standard library.
var libraries = set("arn", "catalog", "sigv4", "policy", "policy/advice", "policy/policytest", "policy/internal/action", "policy/internal/enum", "policy/internal/form",
	"policy/internal/given", "policy/internal/jsontext", "policy/internal/literal", "policy/internal/operator", "policy/internal/prose", "policy/internal/spelling",
	"policy/internal/template", "policy/internal/textbook", "policy/internal/words")

// pure are the packages that compute and do nothing else: no I/O, log, clock,
// chance or goroutine. The current time reaches them as a value.
var pure = set("arn", "catalog", "policy", "policy/advice", "policy/internal/action", "policy/internal/enum", "policy/internal/form", "policy/internal/given", "policy/internal/jsontext",
	"policy/internal/literal", "policy/internal/operator", "policy/internal/prose", "policy/internal/spelling",
	"policy/internal/template", "policy/internal/textbook", "policy/internal/words")

var (
	impureImports = set("context", "log", "log/slog", "math/rand", "math/rand/v2", "crypto/rand", "net", "net/http",
		"os", "os/exec", "os/signal", "path/filepath", "runtime", "syscall", "testing", "unsafe")
	impureCalls = set("time.Now", "time.Since", "time.Until", "time.Sleep", "time.After", "time.AfterFunc",
		"time.Tick", "time.NewTimer", "time.NewTicker", "time.LoadLocation", "fmt.Print", "fmt.Printf", "fmt.Println")
)

// testers are the packages that only tests import: they may import testing, and
// no other package may import them.
var testers = set("internal/archtest", "internal/doctest", "internal/iamtest", "internal/kv/etcdtest",
	"internal/kv/kvtest", "internal/refusal", "internal/wire/wiretest")

// generators is the folder whose programs go generate runs; what they import
// is their own affair, except that nothing imports them.
const generators = "internal/gen"

// forbiddenNames name a drawer, not a thing.
var forbiddenNames = set("base", "common", "core", "helper", "helpers", "lib", "libs", "manager", "misc", "model",
	"models", "pkg", "shared", "types", "util", "utils")

// Budgets. Generated files are exempt and hold no logic; the lines of a
// package are those of its files that are neither generated nor tests.
const (
	maxFileLines     = 600
	maxFuncLines     = 100
	maxPackageLines  = 5000
	maxMethods       = 8
	maxMainLines     = 40
	maxMakefileGoals = 10
)

func set(names ...string) map[string]bool {
	m := make(map[string]bool, len(names))
	for _, n := range names {
		m[n] = true
	}
	return m
}
