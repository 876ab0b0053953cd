// Package alike finds what somebody may have meant who wrote a name wrongly.
package alike

import (
	"cmp"
	"slices"
	"strings"
)

// Names returns at most so many of the names, those first that have most in common with the name.
func Names(name string, all []string, most int) []string {
	wanted := pairs(name)
	common := make(map[string]float64, len(all))
	for _, other := range all {
		common[other] = share(wanted, pairs(other))
	}
	sorted := slices.Clone(all)
	slices.SortFunc(sorted, func(a, b string) int {
		return cmp.Or(cmp.Compare(common[b], common[a]), strings.Compare(a, b))
	})
	sorted = slices.Compact(sorted)
	return sorted[:min(len(sorted), most)]
}

// pairs are the pairs of neighbouring letters, whatever their case.
func pairs(name string) map[string]bool {
	found := map[string]bool{}
	letters := []rune(strings.ToUpper(name))
	for i := range len(letters) - 1 {
		found[string(letters[i:i+2])] = true
	}
	return found
}

// share is how much of two sets is in both (Dice's coefficient).
func share(a, b map[string]bool) float64 {
	both := 0
	for pair := range a {
		if b[pair] {
			both++
		}
	}
	return 2 * float64(both) / float64(max(1, len(a)+len(b)))
}
