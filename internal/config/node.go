package config

import (
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// field says how the value of a key is read.
type field struct {
	read func(*yaml.Node)
	// need is what to write when the key is missing. Empty: it may be left out.
	need string
	// bare: the key also counts without a value.
	bare bool
}

// fields reads a mapping with known keys. A key without a value counts as missing. path names the mapping.
func (r *reader) fields(n *yaml.Node, path string, known map[string]field) {
	if !r.mapping(n, path) {
		return
	}
	missing := maps.Clone(known)
	keys := slices.Sorted(maps.Keys(known))
	for key, value := range r.pairs(n, path) {
		if f, ok := known[key.Value]; !ok {
			hint := "remove it, or write one of " + strings.Join(keys, ", ")
			if slip := nearest(key.Value, keys); slip != "" {
				hint = "write " + slip
				delete(missing, slip)
			}
			r.fail(key.Line, "%s: %s", shown("unknown key", key.Value, inside(path)), hint)
		} else if !isNull(value) || f.bare {
			delete(missing, key.Value)
			f.read(value)
		}
	}
	for _, key := range keys {
		if f := missing[key]; f.need != "" {
			r.fail(n.Line, "%s is missing: write %s", join(path, key), f.need)
		}
	}
}

// mapping reports whether a node is a mapping, or nothing, which stands for an empty one.
func (r *reader) mapping(n *yaml.Node, path string) bool {
	if n.Kind == yaml.MappingNode || isNull(n) {
		return true
	}
	r.fail(n.Line, "key: value pairs are expected%s: write each on a line of its own, with a space after the colon",
		inside(path))
	return false
}

// pairs yields the keys and values of a mapping, each key once.
func (r *reader) pairs(n *yaml.Node, path string) iter.Seq2[*yaml.Node, *yaml.Node] {
	return func(yield func(key, value *yaml.Node) bool) {
		lines := map[string]int{}
		for i := 0; i < len(n.Content); i += 2 {
			key, value := target(n.Content[i]), target(n.Content[i+1])
			if key.Kind != yaml.ScalarNode {
				r.fail(key.Line, "a key%s is not text: write key: value", inside(path))
			} else if r.unique(lines, key, "key", "remove one of the two") && !yield(key, value) {
				return
			}
		}
	}
}

// items returns the items of a list.
func (r *reader) items(n *yaml.Node, what, hint string) []*yaml.Node {
	if n.Kind != yaml.SequenceNode {
		r.fail(n.Line, "%s is not a list: write %s", what, hint)
		return nil
	}
	var items []*yaml.Node
	for _, item := range n.Content {
		items = append(items, target(item))
	}
	return items
}

// names returns the items of a list of texts. lines holds those that are taken already, see unique.
func (r *reader) names(n *yaml.Node, what, hint string, lines map[string]int) []string {
	var names []string
	for _, item := range r.items(n, what, hint) {
		if name, ok := r.text(item, "an item of "+what, hint); ok && r.unique(lines, item, what, "remove one of the two") {
			names = append(names, name)
		}
	}
	return names
}

// text returns a value as it is written, also where YAML would read a number.
func (r *reader) text(n *yaml.Node, what, hint string) (string, bool) {
	switch {
	case n.Kind != yaml.ScalarNode:
		r.fail(n.Line, "%s is not plain text: write %s", what, hint)
	case isNull(n) || strings.TrimSpace(n.Value) == "":
		r.fail(n.Line, "%s is empty: write %s", what, hint)
	default:
		return n.Value, true
	}
	return "", false
}

// checked reads a text into to, unless fault finds something wrong with it. It returns whether it did.
func (r *reader) checked(n *yaml.Node, to *string, what, hint string, fault func(string) string) bool {
	value, ok := r.text(n, what, hint)
	if !ok {
		return false
	}
	if wrong := fault(value); wrong != "" {
		r.fail(n.Line, "%s: write %s", shown(what, value, wrong), hint)
		return false
	}
	*to = value
	return true
}

// duration reads a duration within limits, which fits tells and limits says in words.
func (r *reader) duration(n *yaml.Node, what, hint, limits string, fits func(time.Duration) bool) time.Duration {
	text, ok := r.text(n, what, hint)
	if !ok {
		return 0
	}
	d, err := time.ParseDuration(text)
	switch {
	case err != nil:
		r.fail(n.Line, "%s: write %s", shown(what, text, " is not a duration"), hint)
	case !fits(d):
		r.fail(n.Line, "%s: write %s", shown(what, text, " is not "+limits), hint)
	}
	return d
}

// unique notes a mistake when the text of a node is in lines already, and else puts it there.
func (r *reader) unique(lines map[string]int, n *yaml.Node, what, hint string) bool {
	if first, taken := lines[n.Value]; taken {
		r.fail(n.Line, "%s in line %d already: %s", shown(what, n.Value, " is"), first, hint)
		return false
	}
	lines[n.Value] = n.Line
	return true
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

// target follows an alias.
func target(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}
