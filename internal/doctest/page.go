// SPDX-License-Identifier: Apache-2.0

package doctest

import (
	"fmt"
	"path/filepath"
	"strings"
)

// What the comment above a block asks for.
const (
	kindConsole = ""       // run the commands one by one
	kindServer  = "server" // start the one command and leave it running
	kindSkip    = "skip"   // do not run; the argument is the reason
	kindFile    = "file"   // write the text to the file that the argument names
)

// A block is one fenced block of a page that Run has something to do with.
type block struct {
	kind, arg string
	line      int // of the opening fence, from 1
	text      []string
	commands  []command // of a console block
}

// A command is one prompt of a console block with what is printed below it.
type command struct {
	line   int // of the prompt, from 1
	script string
	want   []string
	end    int // line after the last of want; want begins at end-len(want)
}

// parse returns the blocks of a page in order. It is an error to write a prompt
// in a block that is not a console block, where it would never be run, to ask
// for what is not known, or to leave a fence or a here-document open.
func parse(page string) ([]block, error) {
	lines := strings.Split(page, "\n")
	var blocks []block
	var kind, arg string
	for i := 0; i < len(lines); i++ {
		trimmed := strings.TrimSpace(lines[i])
		if text, ok := strings.CutPrefix(trimmed, "<!-- doctest:"); ok {
			text, _ = strings.CutSuffix(text, "-->")
			kind, arg, _ = strings.Cut(strings.TrimSpace(text), " ")
			if err := checkKind(kind, arg); err != nil {
				return nil, fmt.Errorf("line %d: %w", i+1, err)
			}
			continue
		}
		lang, fence := strings.CutPrefix(lines[i], "```")
		if !fence {
			if strings.HasPrefix(trimmed, "```") || strings.HasPrefix(trimmed, "~~~") {
				return nil, fmt.Errorf("line %d: a fence is three backticks at the start of its line", i+1)
			}
			if trimmed != "" && kind != "" {
				return nil, fmt.Errorf("line %d: a doctest comment stands right above its block", i+1)
			}
			continue
		}
		b := block{kind: kind, arg: arg, line: i + 1}
		kind, arg = "", ""
		for i++; i < len(lines) && lines[i] != "```"; i++ {
			b.text = append(b.text, lines[i])
		}
		if i == len(lines) {
			return nil, fmt.Errorf("line %d: the block is not closed", b.line)
		}
		use, err := b.read(strings.TrimSpace(lang))
		if err != nil {
			return nil, err
		}
		if use {
			blocks = append(blocks, b)
		}
	}
	return blocks, nil
}

func checkKind(kind, arg string) error {
	switch {
	case kind == kindServer && arg == "", kind == kindSkip && arg != "":
		return nil
	case kind == kindFile && filepath.IsLocal(arg):
		return nil
	}
	return fmt.Errorf("unknown: doctest: %s %s; want server, skip REASON or file NAME", kind, arg)
}

// read splits a console block into its commands and reports whether there is
// something to do with b.
func (b *block) read(lang string) (use bool, err error) {
	if lang != "console" {
		for i, line := range b.text {
			if strings.HasPrefix(line, "$ ") && b.kind != kindFile {
				return false, fmt.Errorf("line %d: a prompt in a %q block is never run; call the block console", b.line+1+i, lang)
			}
		}
		return b.kind == kindFile, nil
	}
	for i := 0; i < len(b.text); {
		if !strings.HasPrefix(b.text[i], "$ ") {
			return false, fmt.Errorf("line %d: a console block starts with a prompt, \"$ \"", b.line+1)
		}
		c := command{line: b.line + 1 + i}
		if i, err = c.readScript(b.text, i); err != nil {
			return false, err
		}
		for i < len(b.text) && !strings.HasPrefix(b.text[i], "$ ") {
			c.want = append(c.want, b.text[i])
			i++
		}
		c.end = b.line + i
		b.commands = append(b.commands, c)
	}
	if b.kind == kindServer && len(b.commands) != 1 {
		return false, fmt.Errorf("line %d: a server block has one command", b.line)
	}
	return true, nil
}

// readScript reads the command whose prompt is text[i] and returns the index
// of the line after it. It goes on over lines that begin with "> ", the shell's
// prompt for more, over lines that end in a backslash and to the end of a
// here-document.
func (c *command) readScript(text []string, i int) (int, error) {
	line := strings.TrimPrefix(text[i], "$ ")
	c.script = line
	until := hereDocument(line)
	for i++; i < len(text); i++ {
		more, prompted := strings.CutPrefix(text[i], "> ")
		if !prompted && !strings.HasSuffix(line, `\`) && until == "" {
			return i, nil
		}
		line = more
		c.script += "\n" + line
		if line == until {
			until = ""
		}
	}
	if strings.HasSuffix(line, `\`) || until != "" {
		return i, fmt.Errorf("line %d: the command does not end in its block", c.line)
	}
	return i, nil
}

// hereDocument returns the word that ends the here-document that line starts,
// or "".
func hereDocument(line string) string {
	_, rest, ok := strings.Cut(line, "<<")
	if !ok || strings.HasPrefix(rest, "<") {
		return ""
	}
	word, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
	return strings.Trim(word, `'"`)
}
