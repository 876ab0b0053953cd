package history

import (
	"slices"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/walltime"
)

// A Group is of rows of which only the latest matter; the zero Group is none.
type Group struct{ Kind, Name string }

// groups are small, because each client has some thousand: of each name, the kinds in bits.
type groups struct {
	kinds []string
	names map[string]uint64
}

func (all *groups) add(g Group) {
	kind := slices.Index(all.kinds, g.Kind)
	if kind < 0 {
		kind = len(all.kinds)
		all.kinds = append(all.kinds, g.Kind)
	}
	if all.names == nil {
		all.names = map[string]uint64{}
	}
	all.names[g.Name] |= 1 << kind
}

func (all *groups) has(g Group) bool {
	kind := slices.Index(all.kinds, g.Kind)
	return kind >= 0 && all.names[g.Name]>>kind&1 > 0
}

// A Retention says on which rows the facts rest, as of base; what is earlier than floor does not count any more.
type Retention func(rows map[string]*Row, base, floor time.Time, k *Retained)

// KeepOpen keeps what keep does, and the rows that have not ended.
func KeepOpen(keep Retention) Retention {
	return func(rows map[string]*Row, base, floor time.Time, k *Retained) {
		open := map[string]*Row{}
		for id, r := range rows {
			if !r.Attributes().Ended() && !r.Stamp.Latest().Before(floor) {
				open[id] = r
			}
		}
		keep(rows, base, floor, k)
		for id, r := range open {
			rows[id] = r
			k.Keep(id)
		}
	}
}

// Retained are the rows on which facts rest.
type Retained struct {
	rows map[string]bool
	// displaced are the groups of which rows were dropped, now and formerly.
	former, displaced groups
	// counted is since when rows must have ended to be counted; zero where none are.
	counted time.Time
	reread  []string
	// begun are the rows that matter by when they began, and kind is that of their groups.
	begun map[string]bool
	kind  string
}

// Counts says whether what ended then is counted.
func (k *Retained) Counts(end walltime.Moment) bool {
	return !k.counted.IsZero() && end.Latest().After(k.counted)
}

// CountSince has rows counted that ended since then, or came. Which they are is forgotten once nothing reads them again; rows with a
// name in reread are read for ever, so those stay known.
func (k *Retained) CountSince(t time.Time, reread ...string) { k.counted, k.reread = t, reread }

// Keep keeps a row.
func (k *Retained) Keep(id string) { k.rows[id] = true }

// Displace notes that a row was dropped because of the latest of a group.
func (k *Retained) Displace(g Group) { k.displaced.add(g) }

// Latest keeps the rows that may be the latest of their group by some moment.
func (k *Retained) Latest(rows map[string]*Row, of func(*Row) Group, by func(*Row) walltime.Moment) {
	k.latest(rows, 1, of, by, k.rows)
}

// LatestStarts keeps when the rows began that may be among the latest few of their group to begin; all groups are of one kind.
func (k *Retained) LatestStarts(rows map[string]*Row, few int, of func(*Row) Group) {
	k.latest(rows, few, of, StartOf, k.begun)
}

// StartOf is when a row started.
func StartOf(r *Row) walltime.Moment { return r.Start }

// EndOf is when a row ended.
func EndOf(r *Row) walltime.Moment { return r.End }

func (k *Retained) latest(rows map[string]*Row, few int, of func(*Row) Group, by func(*Row) walltime.Moment, kept map[string]bool) {
	bounds := boundOf(rows, few, of, by)
	var mayBe []*Row
	for _, r := range rows {
		switch g, m := of(r), by(r); {
		case g == (Group{}) || m.IsZero():
		case m.Before(bounds[g]):
			k.Displace(g)
		default:
			if few > 1 {
				k.kind = g.Kind
			}
			if k.former.has(g) {
				k.Displace(g)
			}
			mayBe = append(mayBe, r)
		}
	}
	for _, r := range mayBe {
		kept[r.ID] = true
		r.supersedes = r.supersedes || k.displaced.has(of(r))
	}
}

// LatestOf returns the latest moment of each group.
func LatestOf(rows map[string]*Row, of func(*Row) Group, by func(*Row) walltime.Moment) map[Group]walltime.Moment {
	return boundOf(rows, 1, of, by)
}

// boundOf returns the least of the latest few moments of each group, by their earliest readings; none of a group that has fewer.
func boundOf(rows map[string]*Row, few int, of func(*Row) Group, by func(*Row) walltime.Moment) map[Group]walltime.Moment {
	latest := map[Group][]walltime.Moment{} // in descending order
	for _, r := range rows {
		g, m := of(r), by(r)
		if g == (Group{}) || m.IsZero() {
			continue
		}
		at, _ := slices.BinarySearchFunc(latest[g], m, func(have, m walltime.Moment) int { return m.Earliest().Compare(have.Earliest()) })
		if at < few {
			all := slices.Insert(latest[g], at, m)
			latest[g] = all[:min(len(all), few)]
		}
	}
	bounds := map[Group]walltime.Moment{}
	for g, all := range latest {
		if len(all) == few {
			bounds[g] = all[few-1]
		}
	}
	return bounds
}
