package config

import (
	"slices"
	"time"

	"go.yaml.in/yaml/v3"
)

// A LastMileTarget is a system, such as an ERP, that every order must reach after its approval, and how the OMS notes that it did:
// by any of what is set.
type LastMileTarget struct {
	// Target is unique within the client.
	Target string
	// IdentificationTypes are values of order_identification.order_identification_type_id.
	IdentificationTypes []string
	// Attributes are values of order_attribute.attr_name.
	Attributes []string
	// ExternalID: order_header.external_id is filled in.
	ExternalID bool
	// Channels are those whose orders go there; without any, all do.
	Channels []string
	// Grace is how long after its approval an order may take.
	Grace time.Duration
}

const (
	defaultGrace = 4 * time.Hour
	minGrace     = time.Minute
	// maxGrace leaves most of the days that are looked at: an order is no longer counted a week after its entry.
	maxGrace = 4 * 24 * time.Hour
)

func (t LastMileTarget) equal(other LastMileTarget) bool {
	return t.Target == other.Target && slices.Equal(t.IdentificationTypes, other.IdentificationTypes) &&
		slices.Equal(t.Attributes, other.Attributes) && t.ExternalID == other.ExternalID &&
		slices.Equal(t.Channels, other.Channels) && t.Grace == other.Grace
}

func (r *reader) lastMile(n *yaml.Node) []LastMileTarget {
	const (
		targetMend = "the name of the system that orders must reach, such as netsuite"
		typesMend  = "types such as [NETSUITE_ORDER_ID]"
	)
	items := r.items(n, "last_mile", "a list of targets")
	targets := make([]LastMileTarget, 0, len(items))
	lines := map[string]int{}
	for _, item := range items {
		t := LastMileTarget{Grace: defaultGrace}
		list := func(to *[]string, name, hint string) field {
			return field{read: func(n *yaml.Node) {
				*to = r.names(n, "last_mile."+name, hint, map[string]int{})
				r.notEmpty(n, "last_mile."+name, hint)
			}}
		}
		arrives := false // something says when an order has arrived, be it wrong
		sign := func(f field) field {
			return field{read: func(n *yaml.Node) {
				arrives = true
				f.read(n)
			}}
		}
		r.fields(item, "last_mile", map[string]field{
			"target": {need: targetMend, read: func(n *yaml.Node) {
				t.Target, _ = r.text(n, "last_mile.target", targetMend)
				if t.Target != "" {
					r.unique(lines, n, "last_mile.target", "give each target a name of its own")
				}
			}},
			"identification_types": sign(list(&t.IdentificationTypes, "identification_types", typesMend)),
			"attributes":           sign(list(&t.Attributes, "attributes", "names such as [NETSUITE_ORDER_EXPORTED]")),
			"external_id": sign(field{read: func(n *yaml.Node) {
				var text string
				t.ExternalID = r.checked(n, &text, "last_mile.external_id", "true, or leave it out", trueFault)
			}}),
			"channels": list(&t.Channels, "channels", "channels such as [WEB_SALES_CHANNEL], or leave it out for all"),
			"grace": {read: func(n *yaml.Node) {
				t.Grace = r.duration(n, "last_mile.grace", "a duration such as 4h", "from 1m to 96h",
					func(d time.Duration) bool { return minGrace <= d && d <= maxGrace })
			}},
		})
		if item.Kind == yaml.MappingNode && !arrives {
			r.fail(item.Line, "last_mile does not say how an order is known to have arrived: write identification_types such as [NETSUITE_ORDER_ID], attributes, or external_id: true")
		}
		targets = append(targets, t)
	}
	return targets
}

func trueFault(text string) string {
	if text != "true" {
		return " is not true"
	}
	return ""
}
