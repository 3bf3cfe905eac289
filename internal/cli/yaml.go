// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Limits of what yamlToJSON takes, so that aliases of aliases cannot grow it.
const (
	maxYAML      = 16 << 20 // bytes of JSON
	maxYAMLDepth = 64
)

// yamlToJSON turns one YAML document into JSON whose keys and scalars stand on
// the lines they have in the YAML, so that positions in later errors are right
// to the line. Scalars keep their text: 2012-10-17 and 203.0.113.7 are strings,
// and a number that JSON cannot write as it stands, such as 012345678901, is a
// string too.
func yamlToJSON(src []byte) ([]byte, error) {
	file, err := parser.ParseBytes(src, 0)
	if err != nil {
		return nil, err
	}
	switch {
	case len(file.Docs) > 1:
		return nil, errors.New("one YAML document is expected; there are several")
	case len(file.Docs) == 0 || file.Docs[0].Body == nil:
		return nil, errors.New("the file is empty")
	}
	w := yamlWriter{line: 1, anchors: make(map[string]ast.Node)}
	if err := w.node(file.Docs[0].Body, 0); err != nil {
		return nil, err
	}
	return w.out, nil
}

type yamlWriter struct {
	out     []byte
	line    int // that the end of out is on, from 1
	anchors map[string]ast.Node
	aliased int // depth of aliases that are being written
}

// at breaks lines until out is on the line of the token.
func (w *yamlWriter) at(t *token.Token) {
	if w.aliased > 0 || t == nil || t.Position == nil {
		return
	}
	for ; w.line < t.Position.Line; w.line++ {
		w.out = append(w.out, '\n')
	}
}

func (w *yamlWriter) node(n ast.Node, depth int) error {
	if depth > maxYAMLDepth || len(w.out) > maxYAML {
		return yamlError(n, "nested too deeply, or too large")
	}
	switch n := n.(type) {
	case *ast.MappingNode:
		return w.mapping(n.Values, depth)
	case *ast.MappingValueNode:
		return w.mapping([]*ast.MappingValueNode{n}, depth)
	case *ast.SequenceNode:
		return w.sequence(n, depth)
	case *ast.AnchorNode:
		w.anchors[n.Name.String()] = n.Value
		return w.node(n.Value, depth+1)
	case *ast.AliasNode:
		target, ok := w.anchors[n.Value.String()]
		if !ok {
			return yamlError(n, "unknown alias *"+n.Value.String())
		}
		w.at(n.GetToken())
		w.aliased++
		defer func() { w.aliased-- }()
		return w.node(target, depth+1)
	case *ast.TagNode:
		return yamlError(n, "tags are not supported")
	case nil:
		w.out = append(w.out, "null"...)
		return nil
	}
	return w.scalar(n)
}

func (w *yamlWriter) mapping(values []*ast.MappingValueNode, depth int) error {
	if len(values) > 0 {
		w.at(values[0].Key.GetToken())
	}
	w.out = append(w.out, '{')
	for i, v := range values {
		if i > 0 {
			w.out = append(w.out, ',')
		}
		if v.Key.Type() == ast.MergeKeyType {
			return yamlError(v, "merge keys are not supported")
		}
		w.at(v.Key.GetToken())
		if err := w.quoted(keyText(v.Key)); err != nil {
			return err
		}
		w.out = append(w.out, ':')
		if err := w.node(v.Value, depth+1); err != nil {
			return err
		}
	}
	w.out = append(w.out, '}')
	return nil
}

// keyText is a mapping key as it is meant: without its quotes.
func keyText(k ast.MapKeyNode) string {
	if s, ok := k.(*ast.StringNode); ok {
		return s.Value
	}
	return k.GetToken().Value
}

func (w *yamlWriter) sequence(n *ast.SequenceNode, depth int) error {
	w.out = append(w.out, '[')
	for i, v := range n.Values {
		if i > 0 {
			w.out = append(w.out, ',')
		}
		if err := w.node(v, depth+1); err != nil {
			return err
		}
	}
	w.out = append(w.out, ']')
	return nil
}

func (w *yamlWriter) scalar(n ast.Node) error {
	w.at(n.GetToken())
	switch n := n.(type) {
	case *ast.StringNode:
		return w.quoted(n.Value)
	case *ast.LiteralNode:
		return w.quoted(n.Value.Value)
	case *ast.NullNode:
		w.out = append(w.out, "null"...)
		return nil
	case *ast.BoolNode:
		w.out = fmt.Append(w.out, n.Value)
		return nil
	case *ast.IntegerNode, *ast.FloatNode:
		text := n.GetToken().Value
		if json.Valid([]byte(text)) {
			w.out = append(w.out, text...)
			return nil
		}
		return w.quoted(text)
	}
	return yamlError(n, "unexpected "+n.Type().String())
}

func (w *yamlWriter) quoted(s string) error {
	b, err := json.Marshal(s)
	w.out = append(w.out, b...)
	return err
}

func yamlError(n ast.Node, msg string) error {
	if t := n.GetToken(); t != nil && t.Position != nil {
		return fmt.Errorf("[%d:%d] %s", t.Position.Line, t.Position.Column, msg)
	}
	return errors.New(msg)
}
