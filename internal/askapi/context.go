// SPDX-License-Identifier: Apache-2.0

package askapi

import (
	"bytes"
	"encoding/json"

	"github.com/innkeeper-iam/innkeeper/internal/ask"
)

// contextOf reads condition keys: each value is a string, a number, true or false,
// or a list of these.
func contextOf(raw map[string]json.RawMessage) (ask.Context, error) {
	single, lists := make(map[string]string, len(raw)), make(map[string][]string)
	for key, value := range raw {
		var items []json.RawMessage
		if trimmed := bytes.TrimLeft(value, " \t\r\n"); len(trimmed) > 0 && trimmed[0] == '[' {
			if err := json.Unmarshal(value, &items); err != nil {
				return ask.Context{}, invalid("the context key %.128q has no value that is understood", key)
			}
			list := make([]string, len(items))
			for i := range items {
				text, ok := scalar(items[i])
				if !ok {
					return ask.Context{}, invalid("the context key %.128q has a value that is no text, number, true or false", key)
				}
				list[i] = text
			}
			lists[key] = list
			continue
		}
		text, ok := scalar(value)
		if !ok {
			return ask.Context{}, invalid("the context key %.128q has a value that is no text, number, true or false", key)
		}
		single[key] = text
	}
	c, err := ask.ContextOf(single, lists)
	if err != nil {
		return c, invalid("%s", err)
	}
	return c, nil
}

// scalar returns a JSON text, number or truth value as a condition compares it.
func scalar(raw json.RawMessage) (string, bool) {
	var text string
	if json.Unmarshal(raw, &text) == nil && !bytes.Equal(raw, []byte("null")) {
		return text, true
	}
	switch c := raw[0]; {
	case c == 't' || c == 'f' || c == '-' || c >= '0' && c <= '9':
		return string(raw), true
	}
	return "", false
}
