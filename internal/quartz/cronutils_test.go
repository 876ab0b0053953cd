package quartz

import (
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/testserver"
	"github.com/oms-exporter/oms_exporter/internal/walltime"
)

// The kinds of answers that may differ.
const (
	repeated = "the last run is in an hour that is repeated: its later reading counts"
	equal    = "the last run is an occurrence to the millisecond: Moqui takes the job again"
	beyond   = "the occurrence is further away than the answers reach, but it is the next execution"
	throws   = "cron-utils throws on its way through other months, but not once the occurrence has come"
)

// TestCronUtils compares with answers of com.cronutils:cron-utils 9.2.1, asked as Moqui asks it. A line is
// zone|expression|last run|OK|next execution|first instant at which Moqui takes the job, in milliseconds of Unix time, or
// REJECT where the library refuses the expression, or ERR where it throws later. Moqui takes a job from the millisecond after
// an occurrence. sensible.txt has expressions that people write, wild.txt odd ones. further.txt is a choice from 27 000
// random lines, of both kinds and with fields of random characters, in 21 zones, many of them near clock changes or ends of
// months. It has all outcomes, but few lines of the kind equal, and none on which the library hangs for seconds.
func TestCronUtils(t *testing.T) {
	for _, file := range []string{"sensible.txt", "wild.txt", "further.txt"} {
		text, err := os.ReadFile("testdata/" + file)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
		agree, differ := 0, map[string]int{}
		for _, line := range lines {
			switch kind, ok := compare(t, line); {
			case !ok:
				t.Errorf("%s: %s", file, line)
			case kind == "":
				agree++
			default:
				differ[kind]++
			}
		}
		t.Logf("%s: %d of %d lines agree; %v", file, agree, len(lines), differ)
		if accepted := len(lines) - agree; accepted*100 > len(lines) {
			t.Errorf("%s: %d of %d lines differ, more than 1 %%", file, accepted, len(lines))
		}
	}
}

// compare says whether a line agrees, or differs in an accepted way, and in which.
func compare(t *testing.T, line string) (kind string, ok bool) {
	f := strings.Split(line, "|")
	zone := testserver.Zone(t, f[0])
	last := time.UnixMilli(millis(t, f[2]))
	s, err := Parse(f[1])
	if f[3] != "OK" {
		if err == nil && f[3] == "ERR" && (strings.Contains(strings.ToUpper(f[1]), "W") || len(strings.Fields(f[1])) == 7) {
			return throws, true
		}
		return "", err != nil
	}
	if err != nil {
		t.Error(err)
		return "", false
	}
	want := time.Time{}
	if f[5] != "NONE" {
		want = time.UnixMilli(millis(t, f[5]) - 1)
	}
	exact := s.After(walltime.Instant(last), zone)
	stored := walltime.Wall(walltime.ClockOf(last, zone), zone)
	switch got := s.After(stored, zone); {
	case got.Equal(want):
		return "", true
	case !want.IsZero() && want.Equal(last) && (got.IsZero() || got.After(want)):
		return equal, true
	case f[5] == "NONE" && f[4] != "NONE" && got.Equal(time.UnixMilli(millis(t, f[4]))):
		return beyond, true
	case exact.Equal(want) && stored.Latest().After(stored.Earliest()) && got.After(want):
		return repeated, true
	default:
		t.Errorf("%s or %s, want %s", got, exact, want)
		return "", false
	}
}

func millis(t *testing.T, text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
