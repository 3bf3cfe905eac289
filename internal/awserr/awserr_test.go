// SPDX-License-Identifier: Apache-2.0

package awserr_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/innkeeper-iam/innkeeper/internal/awserr"
)

// table returns the errors that the tables define, by variable name.
func table(t *testing.T) map[string]awserr.Error {
	t.Helper()
	out := make(map[string]awserr.Error)
	for _, name := range []string{"codes.go", "codes_json.go"} {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		inspect(file, out)
	}
	return out
}

func inspect(file *ast.File, out map[string]awserr.Error) {
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 {
			return true
		}
		ref, ok := spec.Values[0].(*ast.UnaryExpr)
		if !ok {
			return true
		}
		var e awserr.Error
		for _, elt := range ref.X.(*ast.CompositeLit).Elts {
			kv := elt.(*ast.KeyValueExpr)
			switch v := kv.Value.(type) {
			case *ast.Ident:
				if kv.Key.(*ast.Ident).Name == "Fault" {
					e.Fault = awserr.Fault(v.Name)
				}
			case *ast.BasicLit:
				switch kv.Key.(*ast.Ident).Name {
				case "Code":
					e.Code, _ = strconv.Unquote(v.Value)
				case "Status":
					e.Status, _ = strconv.Atoi(v.Value)
				}
			}
		}
		out[spec.Names[0].Name] = e
		return true
	})
}

func TestTableIsConsistent(t *testing.T) {
	codes := table(t)
	if len(codes) < 60 {
		t.Fatalf("the tables define %d errors, want at least 60", len(codes))
	}
	for name, e := range codes {
		if e.Code != name {
			t.Errorf("%s has code %q, want the variable's own name", name, e.Code)
		}
		if want := map[bool]awserr.Fault{false: awserr.Sender, true: awserr.Receiver}[e.Status >= 500]; e.Fault != want {
			t.Errorf("%s with status %d has fault %q, want %q", name, e.Status, e.Fault, want)
		}
		if e.Status < 400 || e.Status > 599 {
			t.Errorf("%s has status %d, want 4xx or 5xx", name, e.Status)
		}
	}
}

// TestTableMatchesModels checks every error of the API models against the table.
func TestTableMatchesModels(t *testing.T) {
	codes := table(t)
	models, err := filepath.Glob("../gen/shapes/models/*.json")
	if err != nil || len(models) < 2 {
		t.Fatalf("Glob = %v, %v, want the IAM and STS models", models, err)
	}
	for _, file := range models {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var model struct {
			Shapes map[string]struct {
				Exception bool
				Fault     bool
				Error     struct {
					Code           string
					HTTPStatusCode int
					SenderFault    bool
				}
			}
		}
		if err := json.Unmarshal(raw, &model); err != nil {
			t.Fatal(err)
		}
		for shape, s := range model.Shapes {
			if !s.Exception {
				continue
			}
			code := s.Error.Code
			if code == "" {
				code, s.Error.HTTPStatusCode = shape, 400
			}
			if s.Fault {
				s.Error.HTTPStatusCode = 500
			}
			got, ok := codes[code]
			if !ok {
				t.Errorf("%s: %s: no error with code %s in the table", filepath.Base(file), shape, code)
			} else if got.Status != s.Error.HTTPStatusCode {
				t.Errorf("%s: %s has status %d, want %d", filepath.Base(file), code, got.Status, s.Error.HTTPStatusCode)
			}
		}
	}
}

func TestErrorKeepsCodeAndHidesCause(t *testing.T) {
	cause := errors.New("disk on fire")
	var err error = awserr.NoSuchEntity.Msg("The user with name %s cannot be found.", "ann").Because(cause).With("UserName", "ann")
	err = fmt.Errorf("reading: %w", err)

	if !errors.Is(err, awserr.NoSuchEntity) {
		t.Errorf("errors.Is(%v, NoSuchEntity) = false, want true", err)
	}
	if errors.Is(err, awserr.DeleteConflict) {
		t.Errorf("errors.Is(%v, DeleteConflict) = true, want false", err)
	}
	if !errors.Is(err, cause) {
		t.Errorf("errors.Is(%v, cause) = false, want true", err)
	}
	e := awserr.From(err)
	if want := "The user with name ann cannot be found."; e.Message != want {
		t.Errorf("From(err).Message = %q, want %q", e.Message, want)
	}
	if want := []awserr.Field{{Name: "UserName", Value: "ann"}}; !slices.Equal(e.Fields, want) {
		t.Errorf("From(err).Fields = %v, want %v", e.Fields, want)
	}
	if awserr.NoSuchEntity.Message != "" || awserr.NoSuchEntity.Unwrap() != nil || awserr.NoSuchEntity.Fields != nil {
		t.Errorf("the table's value changed: %v", awserr.NoSuchEntity)
	}
}

func TestWithNeverSharesFields(t *testing.T) {
	base := awserr.AccessDenied.With("A", "1").With("B", "2").With("C", "3")
	x, y := base.With("X", "x"), base.With("Y", "y")
	if got := x.Fields[3].Name; got != "X" {
		t.Errorf("after a second With the first copy's field is %s, want X", got)
	}
	if got := y.Fields[3].Name; got != "Y" {
		t.Errorf("the second copy's field is %s, want Y", got)
	}
}

func TestFrom(t *testing.T) {
	if got := awserr.From(nil); got != nil {
		t.Errorf("From(nil) = %v, want nil", got)
	}
	secret := errors.New("open secret.db: no such file")
	got := awserr.From(secret)
	if got.Code != "ServiceFailure" || got.Status != 500 || got.Fault != awserr.Receiver {
		t.Errorf("From(unknown) = %+v, want a ServiceFailure", got)
	}
	if got.Message != awserr.ServiceFailure.Message {
		t.Errorf("From(unknown).Message = %q, want %q", got.Message, awserr.ServiceFailure.Message)
	}
	if !errors.Is(got, secret) {
		t.Errorf("From(unknown) does not wrap its cause")
	}
}
