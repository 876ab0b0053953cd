package month

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/rules"
)

// fires is an alert that fires from one minute to another.
type fires struct {
	alert, client string
	from, to      int
}

// The month's own verdict finds what is wrong, and nothing else.
func TestJudge(t *testing.T) {
	watch := fires{alert: watchdog, client: "all", to: lastMinute}
	stuck := func(from, to int) fires { return fires{"OMSJobStuck", "KREWE", from, to} }
	unreachable := func(from, to int) fires { return fires{"OMSSFTPUnreachable", "KREWE", from, to} }
	for name, test := range map[string]struct {
		fault string
		fires []fires
		wrong []string // the beginning of each
	}{
		"prompt":          {"job-stuck", []fires{watch, stuck(63, 195)}, nil},
		"silent":          {"job-stuck", []fires{watch}, []string{"OMSJobStuck does not fire"}},
		"late":            {"job-stuck", []fires{watch, stuck(69, 186)}, []string{"OMSJobStuck fires only after 9m0s"}},
		"too early":       {"job-stuck", []fires{watch, stuck(57, 186)}, []string{"unexpected: ", "OMSJobStuck does not fire"}},
		"stops early":     {"job-stuck", []fires{watch, stuck(60, 99)}, []string{"OMSJobStuck stops at"}},
		"breaks off":      {"job-stuck", []fires{watch, stuck(60, 99), stuck(105, 186)}, []string{"OMSJobStuck stops at"}},
		"does not end":    {"job-stuck", []fires{watch, stuck(60, 198)}, []string{"unexpected: "}},
		"another client":  {"job-stuck", []fires{watch, stuck(60, 186), {"OMSJobStuck", "UCG", 60, 63}}, []string{"unexpected: "}},
		"another alert":   {"job-stuck", []fires{watch, stuck(60, 186), {"OMSJobOverdue", "KREWE", 60, 63}}, []string{"unexpected: "}},
		"shows later":     {"sftp-hung", []fires{watch, unreachable(69, 183)}, nil},
		"shows too late":  {"sftp-hung", []fires{watch, unreachable(72, 183)}, []string{"OMSSFTPUnreachable fires only after 12m0s"}},
		"ends later":      {"sftp-hung", []fires{watch, unreachable(66, 189)}, nil},
		"ends too late":   {"sftp-hung", []fires{watch, unreachable(66, 192)}, []string{"unexpected: "}},
		"nobody on watch": {"job-stuck", []fires{stuck(60, 186), {watchdog, "all", 6, 297}}, []string{watchdog + " did not"}},
		"watch broken": {
			"job-stuck", []fires{stuck(60, 186), {watchdog, "all", 0, 99}, {watchdog, "all", 105, lastMinute}},
			[]string{watchdog + " did not"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := fault{
				effect: effects()[test.fault], client: "KREWE", name: test.fault, on: minute(60), off: minute(180),
			}
			lingers := map[string]time.Duration{"OMSJobStuck": 10 * time.Minute}
			_, wrongs := history(test.fires).judge([]fault{f}, lingers, minute(0), minute(lastMinute))
			if !slices.EqualFunc(wrongs, test.wrong, strings.HasPrefix) {
				t.Errorf("got %q, want %q", wrongs, test.wrong)
			}
		})
	}
}

const lastMinute = 300

func minute(n int) time.Time { return clockChange.Add(time.Duration(n) * time.Minute) }

// history is the record of alerts that fired so.
func history(all []fires) *record {
	r := newRecord()
	for n := 0; n <= lastMinute; n += int(step / time.Minute) {
		var firing []*rules.Alert
		for _, f := range all {
			if f.from <= n && n <= f.to {
				firing = append(firing, &rules.Alert{
					Labels: labels.FromStrings("alertname", f.alert, "client", f.client),
				})
			}
		}
		r.note(minute(n), firing)
	}
	return r
}
