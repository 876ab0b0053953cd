package collector

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	dto "github.com/prometheus/client_model/go"
)

// families turns the batch into what Prometheus' encoders take, each with its series in order. A registry would check, hash
// and sort all of them at each scrape. Here none can be there twice: the batch joins what has the same labels, and no two
// collectors or clients have a series in common.
//
// Of each metric that is capped it keeps at most so many series, and tells how many it dropped, unless most is 0: see subjects.
// The worst values stay, and equal ones by their labels, so that the same series stay at the next scrape.
func (b *batch) families(most int) []*dto.MetricFamily {
	families := make([]*dto.MetricFamily, 0, len(b.samples)+len(b.distributions)+1)
	client := &dto.LabelPair{Name: new("client"), Value: &b.client}
	all := map[*metric][]sample{}
	for m := range b.samples {
		all[m] = b.series(m)
	}
	var dropped []sample
	kept := b.subjects(all, most)
	for m, series := range all {
		if m.capped && most > 0 {
			measured := len(series)
			if keep := kept[m.subject]; keep != nil {
				series = slices.DeleteFunc(series, func(s sample) bool { return !keep[m.of(s)] })
			}
			if len(series) > most {
				slices.SortFunc(series, m.kind.compare)
				series = series[:most]
				slices.SortFunc(series, sample.compare)
			}
			dropped = append(dropped, sample{[]string{m.name}, float64(measured - len(series) + b.left[m])})
		}
		if len(series) > 0 {
			families = append(families, m.family(series, client))
		}
	}
	for m, h := range b.distributions {
		families = append(families, &dto.MetricFamily{
			Name: &m.name, Help: &m.help, Type: dto.MetricType_HISTOGRAM.Enum(),
			Metric: []*dto.Metric{{Label: []*dto.LabelPair{client}, Histogram: h}},
		})
	}
	if len(dropped) > 0 {
		slices.SortFunc(dropped, sample.compare)
		families = append(families, seriesDropped.family(dropped, client))
	}
	return families
}

// subjects chooses which jobs, configurations, channels and so on are kept where there are more than the cap: the same ones in
// all metrics, or rules could not join them. The worst of each metric that judges are taken in turn, and then any. What is nil
// is kept whole.
func (b *batch) subjects(all map[*metric][]sample, most int) map[string]map[string]bool {
	kept := map[string]map[string]bool{}
	if most == 0 {
		return kept
	}
	known := map[string]map[string]bool{} // the names, where there may be too many
	for m, series := range all {
		if m.capped && len(series) > most {
			known[m.subject] = map[string]bool{}
		}
	}
	judges := map[string][]*metric{}
	for m, series := range all {
		names := known[m.subject]
		if !m.capped || names == nil {
			continue
		}
		if m.judges {
			judges[m.subject] = append(judges[m.subject], m)
		}
		for _, s := range series {
			names[m.of(s)] = true
		}
	}
	for subject, names := range known {
		if len(names) > most {
			kept[subject] = worst(judges[subject], all, names, most)
		}
	}
	return kept
}

// worst returns so many of the names.
func worst(judges []*metric, all map[*metric][]sample, names map[string]bool, most int) map[string]bool {
	slices.SortFunc(judges, func(a, b *metric) int { return strings.Compare(a.name, b.name) })
	var queues [][]string // of names, the worst first
	for _, m := range judges {
		series := slices.DeleteFunc(slices.Clone(all[m]), func(s sample) bool { return s.value == 0 })
		slices.SortFunc(series, m.kind.compare)
		queue := make([]string, len(series))
		for i, s := range series {
			queue[i] = m.of(s)
		}
		queues = append(queues, queue)
	}
	keep := map[string]bool{}
	for turn := 0; len(keep) < most; turn++ {
		over := true
		for _, queue := range queues {
			if turn < len(queue) && len(keep) < most {
				keep[queue[turn]], over = true, false
			}
		}
		if over {
			break
		}
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if len(keep) == most {
			break
		}
		keep[name] = true
	}
	return keep
}

// family makes few objects, and large ones: a client has thousands of series.
func (m *metric) family(series []sample, client *dto.LabelPair) *dto.MetricFamily {
	var (
		family  = &dto.MetricFamily{Name: &m.name, Help: &m.help, Type: dto.MetricType_GAUGE.Enum()}
		metrics = make([]dto.Metric, len(series))
		gauges  = make([]dto.Gauge, len(series))
		labels  = make([]*dto.LabelPair, len(series)*len(m.labels))
		pairs   = make([]dto.LabelPair, len(series)*(len(m.labels)-1))
	)
	family.Metric = make([]*dto.Metric, len(series))
	for i := range series {
		s, own := &series[i], 0
		for j, given := range m.given {
			if given < 0 {
				labels[j] = client
				continue
			}
			pairs[own].Name, pairs[own].Value = &m.labels[j], &s.labels[own]
			labels[j] = &pairs[own]
			own++
		}
		metrics[i].Label = labels[:len(m.labels):len(m.labels)]
		labels, pairs = labels[len(m.labels):], pairs[own:]
		if m.kind == total {
			metrics[i].Counter = &dto.Counter{Value: &s.value}
		} else {
			gauges[i].Value = &s.value
			metrics[i].Gauge = &gauges[i]
		}
		family.Metric[i] = &metrics[i]
	}
	if m.kind == total {
		family.Type = dto.MetricType_COUNTER.Enum()
	}
	return family
}

// merge sorts families by name and makes one of those with the same, which are of several clients or collectors. It does
// not change them: other scrapes may share them.
func merge(families []*dto.MetricFamily) []*dto.MetricFamily {
	slices.SortFunc(families, func(a, b *dto.MetricFamily) int { return strings.Compare(a.GetName(), b.GetName()) })
	var merged []*dto.MetricFamily
	for len(families) > 0 {
		same := 1
		for same < len(families) && families[same].GetName() == families[0].GetName() {
			same++
		}
		family := families[0]
		if same > 1 {
			family = &dto.MetricFamily{Name: family.Name, Help: family.Help, Type: family.Type}
			for _, part := range families[:same] {
				family.Metric = append(family.Metric, part.Metric...)
			}
			slices.SortFunc(family.Metric, byLabels)
		}
		merged, families = append(merged, family), families[same:]
	}
	return merged
}

// byLabels is the order that client_golang gives to the series of a family.
func byLabels(a, b *dto.Metric) int {
	return cmp.Or(len(a.Label)-len(b.Label), slices.CompareFunc(a.Label, b.Label, func(a, b *dto.LabelPair) int {
		return strings.Compare(a.GetValue(), b.GetValue())
	}))
}
