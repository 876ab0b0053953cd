package config

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

const zoneHint = "one such as America/New_York"

// zone takes no name that stands for the machine's own zone: a zone that is silently wrong is the worst fault.
func (r *reader) zone(n *yaml.Node, what string) *time.Location {
	name, ok := r.text(n, what, zoneHint)
	if !ok {
		return nil
	}
	zone, err := time.LoadLocation(name)
	if err != nil || strings.EqualFold(name, "local") || strings.EqualFold(name, "localtime") {
		r.fail(n.Line, "%s: write %s", shown(what, n.Value, " is not an IANA zone"), zoneHint)
		return nil
	}
	return zone
}

var labelName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// labels takes none of the names that oms_client_info or Prometheus gives, and no empty value: that is no label.
func (r *reader) labels(n *yaml.Node) map[string]string {
	labels := map[string]string{}
	if !r.mapping(n, "labels") {
		return nil
	}
	for _, p := range r.pairs(n, "labels") {
		key, value := p.key, p.value
		switch name := key.Value; {
		case isNull(value): // left out, also where defaults has it
		case !labelName.MatchString(name):
			r.fail(key.Line, "%s: write letters, digits and _, and no digit first",
				shown("label", name, " is not a label name"))
		case slices.Contains([]string{"client", "timezone", "generation", "job", "instance"}, name),
			strings.HasPrefix(name, "__"):
			r.fail(key.Line, "%s: choose another name", shown("label", name, " is taken by the exporter or Prometheus"))
		default:
			if text, ok := r.text(value, "labels."+name, "a value, or leave the label out"); ok {
				labels[name] = text
			}
		}
	}
	return labels
}

func (r *reader) orders(n *yaml.Node) Orders {
	var o Orders
	list := func(to *[]string, what, hint string) field {
		return field{read: func(n *yaml.Node) { *to = r.names(n, what, hint, map[string]int{}) }}
	}
	r.fields(n, "orders", map[string]field{"created_exclude": {read: func(n *yaml.Node) {
		const path = "orders.created_exclude"
		r.fields(n, path, map[string]field{
			"channels": list(&o.CreatedExclude.Channels, path+".channels", "channels such as [LOOP_EXCH]"),
			"missing_attributes": list(&o.CreatedExclude.MissingAttributes, path+".missing_attributes",
				"names such as [SIGNIFYD_APPROVED]"),
		})
	}}})
	return o
}

func (r *reader) resetInventory(n *yaml.Node) []ResetSource {
	const sourceHint, idsHint = "the name of the source, such as wms", "ids such as [RESET_INVENTORY]"
	items := r.items(n, "reset_inventory", "a list of source and config_ids")
	sources := make([]ResetSource, 0, len(items))
	lines, idLines := map[string]int{}, map[string]int{} // a file is one source's, so an id is too
	for _, item := range items {
		var s ResetSource
		var processBy, days *yaml.Node
		r.fields(item, "reset_inventory", map[string]field{
			"source": {need: sourceHint, read: func(n *yaml.Node) {
				s.Source, _ = r.text(n, "reset_inventory.source", sourceHint)
				if s.Source != "" {
					r.unique(lines, n, "reset_inventory.source", "put its config_ids together")
				}
			}},
			"config_ids": {need: idsHint, read: func(n *yaml.Node) {
				s.ConfigIDs = r.names(n, "reset_inventory.config_ids", idsHint, idLines)
				r.notEmpty(n, "reset_inventory.config_ids", idsHint)
			}},
			"process_by": {read: func(n *yaml.Node) { processBy, s.ProcessBy = n, r.processBy(n) }},
			"days":       {read: func(n *yaml.Node) { days, s.Days = n, r.days(n) }},
		})
		if days != nil && processBy == nil {
			r.fail(days.Line, "reset_inventory.days is set but process_by is not: write process_by, or remove days")
		}
		sources = append(sources, s)
	}
	return sources
}
