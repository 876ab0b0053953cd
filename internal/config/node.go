package config

import (
	"maps"
	"regexp"
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
	for _, p := range r.pairs(n, path) {
		key, value := p.key, p.value
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

// pair is a key of a mapping with its value.
type pair struct{ key, value *yaml.Node }

// pairs returns the keys and values of a mapping, each key once: its own, then those that it takes from other mappings by <<, then
// those that it inherits from defaults. Where it and defaults have a mapping for the same key, the one inherits from the other.
func (r *reader) pairs(n *yaml.Node, path string) []pair {
	all := r.merged(n, path, map[*yaml.Node]bool{})
	defaults := r.inherited[n]
	if defaults == nil {
		return all
	}
	inherited := r.merged(defaults, path, map[*yaml.Node]bool{})
	for i, p := range all {
		for _, d := range inherited {
			if d.key.Value == p.key.Value && d.value.Kind == yaml.MappingNode {
				all[i].value = r.inherit(p.value, d.value)
			}
		}
	}
	return below(all, inherited)
}

// inherit returns the mapping as one that takes from defaults the keys that it does not have. A list or scalar takes nothing.
func (r *reader) inherit(n, defaults *yaml.Node) *yaml.Node {
	if n.Kind != yaml.MappingNode || defaults == nil {
		return n
	}
	heir := *n // a copy, because an alias may use the mapping elsewhere
	r.inherited[&heir] = defaults
	return &heir
}

// merged is pairs without defaults. It skips the mappings in done, and adds those that it reads: a second time a mapping adds
// nothing, and one that takes from itself would have no end.
func (r *reader) merged(n *yaml.Node, path string, done map[*yaml.Node]bool) []pair {
	done[n] = true
	var all []pair
	var others []*yaml.Node
	lines := map[string]int{}
	for i := 0; i < len(n.Content); i += 2 {
		key, value := target(n.Content[i]), target(n.Content[i+1])
		hint := "remove one of the two"
		if key.Value == "<<" {
			hint = "write one with both, as <<: [*ONE, *OTHER]"
		}
		switch {
		case key.Kind != yaml.ScalarNode:
			r.fail(key.Line, "a key%s is not text: write key: value", inside(path))
		case !r.unique(lines, key, "key", hint):
		case key.ShortTag() == "!!merge":
			others = r.others(value)
		default:
			all = append(all, pair{key, value})
		}
	}
	for _, other := range others {
		if !done[other] {
			all = below(all, r.merged(other, path, done))
		}
	}
	return all
}

// others returns the mappings that a << names.
func (r *reader) others(n *yaml.Node) []*yaml.Node {
	list := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		list = r.items(n, "<<", "")
	}
	for _, other := range list {
		if other.Kind != yaml.MappingNode {
			r.fail(other.Line, "<< names something other than key: value pairs: write <<: *NAME of an anchor that has some, or a list of such")
			return nil
		}
	}
	return list
}

// instead returns the keys that a key replaces beside itself, because they say the same thing in another form.
func instead(key string) []string {
	switch key {
	case "dsn":
		return []string{"dsn_file"}
	case "dsn_file":
		return []string{"dsn"}
	case "password":
		return []string{"password_file", "token_file"}
	case "password_file":
		return []string{"password", "token_file"}
	case "username", "provider":
		return []string{"token_file"}
	case "token_file":
		return []string{"username", "password", "password_file", "provider"}
	}
	return nil
}

// below adds to the pairs of a mapping those of another one that it does not replace.
func below(all, others []pair) []pair {
	replaced := map[string]bool{}
	for _, p := range all {
		replaced[p.key.Value] = true
		for _, key := range instead(p.key.Value) {
			replaced[key] = replaced[key] || !isNull(p.value)
		}
	}
	for _, p := range others {
		if !replaced[p.key.Value] {
			all = append(all, p)
		}
	}
	return all
}

// peek is pairs without noting mistakes, for what must be known early.
func (r *reader) peek(n *yaml.Node) []pair {
	if n.Kind != yaml.MappingNode {
		return nil
	}
	quiet := &reader{sources: r.sources, inherited: r.inherited}
	return quiet.pairs(n, "")
}

// without returns a mapping without some of its keys.
func without(n *yaml.Node, drop func(key string) bool) *yaml.Node {
	rest := *n
	rest.Content = nil
	for i := 0; i+1 < len(n.Content); i += 2 {
		if key := target(n.Content[i]); key.Kind != yaml.ScalarNode || !drop(key.Value) {
			rest.Content = append(rest.Content, n.Content[i], n.Content[i+1])
		}
	}
	return &rest
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

// notEmpty wants items in a list.
func (r *reader) notEmpty(n *yaml.Node, what, hint string) {
	if n.Kind == yaml.SequenceNode && len(n.Content) == 0 {
		r.fail(n.Line, "%s is empty: write %s", what, hint)
	}
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

// placeholder matches what stands for the client's name in a text, and slips of it.
var placeholder = regexp.MustCompile(`(?i)<client\w*>`)

// text returns a value as it is written, also where YAML would read a number, but with the client's name for its placeholders.
// Messages show n.Value instead, which is what the file has.
func (r *reader) text(n *yaml.Node, what, hint string) (string, bool) {
	switch {
	case n.Kind != yaml.ScalarNode:
		r.fail(n.Line, "%s is not plain text: write %s", what, hint)
	case isNull(n) || strings.TrimSpace(n.Value) == "":
		r.fail(n.Line, "%s is empty: write %s", what, hint)
	default:
		return r.named(n, what)
	}
	return "", false
}

func (r *reader) named(n *yaml.Node, what string) (string, bool) {
	if r.client == "" {
		return n.Value, true
	}
	slip := ""
	text := placeholder.ReplaceAllStringFunc(n.Value, func(match string) string {
		switch match {
		case "<client>":
			return r.client
		case "<client_lower>":
			return strings.ToLower(r.client)
		}
		slip = match
		return ""
	})
	if slip != "" {
		r.fail(n.Line, "%s has %s in it: write <client> for the client's name, or <client_lower> for that in lower case", what, slip)
	}
	return text, slip == ""
}

// checked reads a text into to, unless fault finds something wrong with it. It returns whether it did.
func (r *reader) checked(n *yaml.Node, to *string, what, hint string, fault func(string) string) bool {
	value, ok := r.text(n, what, hint)
	if !ok {
		return false
	}
	if wrong := fault(value); wrong != "" {
		r.fail(n.Line, "%s: write %s", shown(what, n.Value, wrong), hint)
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
		r.fail(n.Line, "%s: write %s", shown(what, n.Value, " is not a duration"), hint)
	case !fits(d):
		r.fail(n.Line, "%s: write %s", shown(what, n.Value, " is not "+limits), hint)
	}
	return d
}

// unique notes a mistake when the text of a node is in lines already, and else puts it there.
func (r *reader) unique(lines map[string]int, n *yaml.Node, what, hint string) bool {
	if first, taken := lines[n.Value]; taken {
		r.fail(n.Line, "%s in %s already: %s", shown(what, n.Value, " is"), r.place(first, n.Line), hint)
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
