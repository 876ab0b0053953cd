package dropfolder

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/oms"
	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

// onServers runs a test on real servers that have nothing in common but the protocol.
func onServers(t *testing.T, test func(t *testing.T, s *testserver.SSHServer)) {
	t.Helper()
	for name, start := range map[string]func(testing.TB) *testserver.SSHServer{
		"OpenSSH": func(tb testing.TB) *testserver.SSHServer { return testserver.SSHD(tb) }, "ProFTPD": testserver.ProFTPD,
	} {
		t.Run(name, func(t *testing.T) { test(t, start(t)) })
	}
}

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start is when the tests' first look is.
var start = time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)

const stock = "facility-id,product-id,quantity\nSTORE_1,10001,5\n"

// put writes a file below the server's root that is a while old at start.
func put(tb testing.TB, s *testserver.SSHServer, path, content string, age time.Duration) {
	tb.Helper()
	path = filepath.Join(s.Root, path)
	must(tb, os.MkdirAll(filepath.Dir(path), 0o755))
	must(tb, os.WriteFile(path, []byte(content), 0o644))
	must(tb, os.Chtimes(path, start, start.Add(-age)))
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

// folders makes the three folders of a location.
func folders(tb testing.TB, s *testserver.SSHServer, inbox string) {
	tb.Helper()
	for _, folder := range []string{"archive", "failed"} {
		must(tb, os.MkdirAll(filepath.Join(s.Root, inbox, folder), 0o755))
	}
}

func open(tb testing.TB, locations ...config.SFTP) *Folders {
	tb.Helper()
	f, err := Open(slog.New(slog.DiscardHandler), config.Client{Name: "KREWE", SFTP: locations})
	must(tb, err)
	tb.Cleanup(func() { must(tb, f.Close()) })
	return f
}

// look looks some time after start.
func look(tb testing.TB, f *Folders, after time.Duration) ([]oms.DropLocation, error) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), 20*time.Second)
	defer cancel()
	return f.Inspect(ctx, start.Add(after))
}

// see is look where nothing may go wrong.
func see(tb testing.TB, f *Folders, after time.Duration) []oms.DropLocation {
	tb.Helper()
	found, err := look(tb, f, after)
	must(tb, err)
	return found
}

// describe writes a look down in a comparable way.
func describe(found []oms.DropLocation) string {
	var b strings.Builder
	ago := func(t time.Time) string {
		if t.IsZero() {
			return "-"
		}
		return start.Sub(t).String()
	}
	for _, l := range found {
		fmt.Fprintf(&b, "%s of %s, age %s", l.Location, l.Source, l.Age)
		for _, folder := range l.Folders {
			fmt.Fprintf(&b, "; %s %d %s..%s", folder.Folder, folder.Files, ago(folder.Oldest), ago(folder.Newest))
			if folder.Truncated {
				b.WriteString(" truncated")
			}
		}
		if l.Invalid != nil {
			b.WriteString("; invalid")
			for _, reason := range slices.Sorted(maps.Keys(l.Invalid)) {
				if n := l.Invalid[reason]; n > 0 {
					fmt.Fprintf(&b, " %s %d", reason, n)
				}
			}
		}
		b.WriteString("\n")
	}
	return b.String()
}

func expect(tb testing.TB, found []oms.DropLocation, want string) {
	tb.Helper()
	if got := describe(found); got != want {
		tb.Errorf("got\n%swant\n%s", got, want)
	}
}

func mention(tb testing.TB, err error, words ...string) {
	tb.Helper()
	if err == nil {
		tb.Fatalf("no error, want one with %q", words)
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			tb.Errorf("error %q lacks %q", err, word)
		}
	}
	if strings.Contains(err.Error(), testserver.Password) || strings.Contains(err.Error(), "PRIVATE KEY") {
		tb.Errorf("error %q has the secret", err)
	}
}

func TestLook(t *testing.T) { onServers(t, testLook) }

func testLook(t *testing.T, s *testserver.SSHServer) {
	t.Helper()
	folders(t, s, "in")
	put(t, s, "in/a.csv", stock, time.Hour)
	put(t, s, "in/with space and Ümläut 在庫.csv", stock, 3*time.Hour)
	put(t, s, "in/not utf-8 \xfc.csv", stock, 2*time.Hour)
	put(t, s, "in/other.txt", stock, 9*time.Hour)
	put(t, s, "in/folder.csv/inside.csv", stock, 9*time.Hour)
	put(t, s, "elsewhere/target", stock, 4*time.Hour)
	for name, target := range map[string]string{
		"link.csv": "../elsewhere/target", "dangling.csv": "nowhere", "loop.csv": "loop.csv", "dir.csv": "../elsewhere",
	} {
		must(t, os.Symlink(target, filepath.Join(s.Root, "in", name)))
	}
	put(t, s, "in/archive/new.csv", stock, 47*time.Hour)
	put(t, s, "in/archive/old.csv", stock, 49*time.Hour)
	put(t, s, "apart/failed.csv", stock, 5*24*time.Hour)
	put(t, s, "second/b.csv", stock, time.Minute)
	must(t, os.Symlink("second", filepath.Join(s.Root, "linked")))

	first, second := s.Location("first", "in"), s.Location("second", "linked")
	first.Pattern, first.Source = "*.csv", "pos"
	first.Failed = filepath.Join(s.Root, "apart")
	second.Archive, second.Failed = "", ""
	f := open(t, first, second)
	want := "first of pos, age 0s; inbox 4 4h0m0s..1h0m0s; failed 1 120h0m0s..120h0m0s; archive 1 47h0m0s..47h0m0s\n" +
		"second of second, age 0s; inbox 1 1m0s..1m0s\n"
	expect(t, see(t, f, 0), want)

	// Both locations share one connection, from look to look.
	see(t, f, time.Minute)
	if n := s.Logins(t); n != 1 {
		t.Errorf("%d logins, want 1", n)
	}

	// The archive is listed when its time has changed, and every five minutes; the inbox at each look.
	archive := filepath.Join(s.Root, "in/archive")
	before, err := os.Stat(archive)
	must(t, err)
	put(t, s, "in/archive/newer.csv", stock, 0)
	must(t, os.Chtimes(archive, before.ModTime(), before.ModTime())) // as on a server that does not keep it
	put(t, s, "in/more.csv", stock, 0)
	expect(t, see(t, f, 4*time.Minute)[:1],
		"first of pos, age 4m0s; inbox 5 4h0m0s..-4m0s; failed 1 120h0m0s..120h0m0s; archive 1 47h0m0s..47h0m0s\n")
	expect(t, see(t, f, 5*time.Minute)[:1],
		"first of pos, age 0s; inbox 5 4h0m0s..-4m0s; failed 1 120h0m0s..120h0m0s; archive 2 47h0m0s..-5m0s\n")
	must(t, os.Rename(filepath.Join(s.Root, "in/more.csv"), filepath.Join(archive, "more.csv")))
	must(t, os.Chtimes(archive, before.ModTime(), before.ModTime().Add(time.Second)))
	expect(t, see(t, f, 6*time.Minute)[:1],
		"first of pos, age 0s; inbox 4 4h0m0s..1h0m0s; failed 1 120h0m0s..120h0m0s; archive 3 47h0m0s..-6m0s\n")
}

// TestArrivals uploads files that keep an old time: they came when they were first seen. So did one that another replaced under
// the same name, and one that came back. What lies there at first came when it was written.
func TestArrivals(t *testing.T) { onServers(t, testArrivals) }

func testArrivals(t *testing.T, s *testserver.SSHServer) {
	t.Helper()
	folders(t, s, "in")
	const week = 7 * 24 * time.Hour
	put(t, s, "in/there.csv", stock, week)
	put(t, s, "in/archive/there.csv", stock, week)
	l := s.Location("first", "in")
	l.Pattern, l.Source = "*.csv", "pos"
	f := open(t, l)
	want := func(after time.Duration, inbox, archive string) {
		t.Helper()
		expect(t, see(t, f, after), "first of pos, age 0s; inbox "+inbox+"; failed 0 -..-; archive "+archive+"\n")
	}
	want(0, "1 168h0m0s..168h0m0s", "0 -..-")
	put(t, s, "in/friday.csv", stock, 68*time.Hour)
	want(10*time.Minute, "2 168h0m0s..-10m0s", "0 -..-")
	must(t, os.Rename(filepath.Join(s.Root, "in/friday.csv"), filepath.Join(s.Root, "in/archive/friday.csv")))
	want(20*time.Minute, "1 168h0m0s..168h0m0s", "1 -20m0s..-20m0s")
	put(t, s, "in/there.csv", stock+stock, 100*time.Hour)
	want(30*time.Minute, "1 -30m0s..-30m0s", "1 -20m0s..-20m0s")
	must(t, os.Remove(filepath.Join(s.Root, "in/there.csv")))
	want(40*time.Minute, "0 -..-", "1 -20m0s..-20m0s")
	put(t, s, "in/there.csv", stock+stock, 100*time.Hour)
	want(50*time.Minute, "1 -50m0s..-50m0s", "1 -20m0s..-20m0s")
	want(50*time.Minute+48*time.Hour, "1 -50m0s..-50m0s", "0 -..-")
}

// TestMisfit has a pattern that matches nothing where files lie, which is told from an empty folder and from files beside those that
// match, however old these are.
func TestMisfit(t *testing.T) { onServers(t, testMisfit) }

func testMisfit(t *testing.T, s *testserver.SSHServer) {
	t.Helper()
	folders(t, s, "in")
	put(t, s, "in/failed/other.txt", stock, time.Hour)
	put(t, s, "in/.hidden", stock, time.Hour)
	l := s.Location("first", "in")
	l.Pattern, l.Source = "*.csv", "pos"
	f := open(t, l)
	want := func(after time.Duration, misfit bool, unmatched ...int) {
		t.Helper()
		found := see(t, f, after)[0]
		var counts []int
		for _, folder := range found.Folders {
			counts = append(counts, folder.Unmatched)
		}
		if found.Misfit() != misfit || !slices.Equal(counts, unmatched) {
			t.Errorf("misfit %v, unmatched %v, want %v and %v", found.Misfit(), counts, misfit, unmatched)
		}
	}
	want(0, false, 0, 1, 0)
	put(t, s, "in/Inventory.CSV", stock, time.Hour)
	want(time.Minute, true, 1, 1, 0)
	put(t, s, "in/archive/old.csv", stock, 30*24*time.Hour)
	put(t, s, "in/archive/old.txt", stock, 30*24*time.Hour)
	want(10*time.Minute, false, 1, 1, 1)
}

// TestReadsOnly shows that nothing is asked for by which anything could be changed.
func TestReadsOnly(t *testing.T) {
	s := testserver.SSHD(t)
	folders(t, s, "in")
	put(t, s, "in/a.csv", stock, time.Hour)
	must(t, os.Symlink("a.csv", filepath.Join(s.Root, "in", "link.csv")))
	c := s.Location("in", "in")
	c.CheckFormat = true
	f := open(t, c)
	for i := range 3 {
		see(t, f, time.Duration(i)*10*time.Minute)
	}
	asked := map[string]int{}
	for _, request := range s.Requests(t) {
		verb, rest, _ := strings.Cut(request, " ")
		asked[verb]++
		if verb == "open" && rest != "flags 1" { // SSH_FXF_READ
			t.Errorf("a file is opened with %q", rest)
		}
	}
	want := []string{"close", "fstat", "open", "opendir", "read", "readdir", "stat"}
	if got := slices.Sorted(maps.Keys(asked)); !slices.Equal(got, want) {
		t.Errorf("requests %v, want %v", asked, want)
	}
}

// TestPartial shows that what cannot be seen does not hide what can.
func TestPartial(t *testing.T) { onServers(t, testPartial) }

func testPartial(t *testing.T, s *testserver.SSHServer) {
	t.Helper()
	put(t, s, "in/a.csv", stock, time.Hour)
	must(t, os.MkdirAll(filepath.Join(s.Root, "in", "failed"), 0o755))
	must(t, os.Chmod(filepath.Join(s.Root, "in", "failed"), 0))
	folders(t, s, "unreadable")
	put(t, s, "unreadable/b.csv", stock, time.Hour)
	must(t, os.Chmod(filepath.Join(s.Root, "unreadable", "b.csv"), 0))
	put(t, s, "unreadable/c.csv", "", time.Hour)
	away := s.Location("away", "in")
	away.Address = "127.0.0.1:1"
	unreadable := s.Location("unreadable", "unreadable")
	unreadable.CheckFormat = true
	f := open(t, s.Location("in", "in"), s.Location("gone", "gone"), away, unreadable)
	see := func(after time.Duration) error {
		found, err := look(t, f, after)
		expect(t, found, "in of in, age 0s; inbox 1 1h0m0s..1h0m0s\ngone of gone, age 0s\naway of away, age 0s\n"+
			"unreadable of unreadable, age 0s; inbox 2 1h0m0s..1h0m0s; failed 0 -..-; archive 0 -..-; invalid"+
			map[bool]string{false: " empty 1"}[after == 0]+"\n")
		return err
	}
	mention(t, see(0),
		`client KREWE: location in: the folder failed "`+s.Root+`/in/failed" may not be read by user exporter`,
		`the folder archive "`+s.Root+`/in/archive" does not exist`,
		`client KREWE: location gone: the folder inbox "`+s.Root+`/gone" does not exist, make it or correct the path: file does not exist; in "`+s.Root+`" there are the folders `,
		`client KREWE: location away: 127.0.0.1:1 cannot be reached`)
	mention(t, see(5*time.Minute), `location unreadable: the file "`+s.Root+`/unreadable/b.csv" may not be read by user exporter`)
}

// TestMisfits has a pattern that fits none of the files, and folders that are written wrongly.
func TestMisfits(t *testing.T) { onServers(t, testMisfits) }

func testMisfits(t *testing.T, s *testserver.SSHServer) {
	t.Helper()
	for _, name := range []string{"a.CSV", "b.CSV", "c.CSV", ".hidden"} {
		put(t, s, "in/"+name, stock, time.Hour)
	}
	misfit, deep := s.Location("in", "in"), s.Location("deep", "in/none/such")
	misfit.Pattern, misfit.Archive, misfit.Failed = "*.csv", "", ""
	found, err := look(t, open(t, misfit, deep), 0)
	if names := found[0].Folders[0].Examples; !found[0].Misfit() || strings.Join(slices.Sorted(slices.Values(names)), " ") != "a.CSV b.CSV c.CSV" {
		t.Errorf("found %+v", found[0])
	}
	if found[0].Err != nil || found[1].Err == nil || found[1].Err.Error() != err.Error() {
		t.Errorf("errors %v and %v of %v", found[0].Err, found[1].Err, err)
	}
	mention(t, err, `location deep: the folder inbox "`+s.Root+`/in/none/such" does not exist`, `in "`+s.Root+`/in" there is no folder`)
}

func TestCheck(t *testing.T) { onServers(t, testCheck) }

func testCheck(t *testing.T, s *testserver.SSHServer) {
	t.Helper()
	long := stock + strings.Repeat("STORE_1,10001,5\n", 10_000)
	put(t, s, "in/good.csv", stock, time.Hour)
	put(t, s, "in/long.csv", long, time.Hour)
	put(t, s, "in/long cut.csv", long[:len(long)-5], time.Hour)
	put(t, s, "in/empty.csv", "", time.Hour)
	put(t, s, "in/zip.csv", "PK\x03\x04\x14\x00\x06\x00", time.Hour)
	put(t, s, "in/growing.csv", "facility-id", time.Hour)
	c := s.Location("in", "in")
	c.Archive, c.Failed, c.CheckFormat = "", "", true
	f := open(t, c)
	invalid := func(after time.Duration, want string, refused *oms.RefusedFile) {
		t.Helper()
		found := see(t, f, after)
		if got := found[0].Refused; !reflect.DeepEqual(got, refused) {
			t.Errorf("after %s: refused %+v, want %+v", after, got, refused)
		}
		_, got, _ := strings.Cut(describe(found), "; invalid")
		if got != want+"\n" {
			t.Errorf("after %s: invalid%swant%s", after, got, want)
		}
	}
	invalid(0, "", nil) // they are new
	put(t, s, "in/growing.csv", "facility-id,", 30*time.Minute)
	put(t, s, "in/later.csv", "", time.Hour)
	invalid(time.Minute, " empty 1 not_csv 1 partial 1", &oms.RefusedFile{Name: "zip.csv", Reason: oms.InvalidNotCSV, Begin: `PK\x03\x04\x14\x00\x06\x00`})
	growing := &oms.RefusedFile{Name: "growing.csv", Reason: oms.InvalidHeader, Begin: "facility-id,"}
	opens := func() (n int) {
		for _, request := range s.Requests(t) {
			if verb, _, _ := strings.Cut(request, " "); strings.EqualFold(verb, "open") {
				n++
			}
		}
		return n
	}
	before := opens()
	if before != 5 {
		t.Errorf("%d files opened, want the 5 that stood still", before)
	}
	invalid(2*time.Minute, " empty 2 header 1 not_csv 1 partial 1", growing)
	put(t, s, "in/zip.csv", stock, time.Hour)
	must(t, os.Remove(filepath.Join(s.Root, "in", "empty.csv")))
	invalid(3*time.Minute, " empty 1 header 1 partial 1", growing)
	if got := opens() - before; got != 2 {
		t.Errorf("%d files opened, want 2: the others have not changed since they were checked", got)
	}
}

func TestPattern(t *testing.T) {
	client := config.Client{Name: "KREWE", SFTP: []config.SFTP{{Location: "in", Pattern: "["}}}
	_, err := Open(slog.New(slog.DiscardHandler), client)
	mention(t, err, `client KREWE: location in: pattern "["`)
}

// TestChecksBounded shows that a look reads some files only, and that the next one goes on.
func TestChecksBounded(t *testing.T) { onServers(t, testChecksBounded) }

func testChecksBounded(t *testing.T, s *testserver.SSHServer) {
	t.Helper()
	for i := range maxChecks + 2 {
		put(t, s, fmt.Sprintf("in/%d.csv", i), "", time.Hour)
	}
	c := s.Location("in", "in")
	c.Archive, c.Failed, c.CheckFormat = "", "", true
	f := open(t, c)
	for i, want := range []int{0, maxChecks, maxChecks + 2} {
		if got := see(t, f, time.Duration(i)*time.Minute)[0].Invalid[oms.InvalidEmpty]; got != want {
			t.Errorf("look %d: %d empty files, want %d", i, got, want)
		}
	}
}

// TestJudge shows that a file is left for the next look when it is no more what was listed a moment ago.
func TestJudge(t *testing.T) { onServers(t, testJudge) }

func testJudge(t *testing.T, s *testserver.SSHServer) {
	t.Helper()
	put(t, s, "in/a.csv", "", time.Hour)
	put(t, s, "in/b.csv", "x", time.Hour)
	f := open(t, inboxOf(s, "in", "in"))
	see(t, f, 0)
	listed := start.Add(-time.Hour).Unix()
	for name, c := range map[string]struct {
		file    file
		checked bool
	}{
		"unchanged": {file{"a.csv", 0, listed}, true},
		"grown":     {file{"b.csv", 0, listed}, false},
		"shrunk":    {file{"a.csv", 1, listed}, false},
		"written":   {file{"a.csv", 0, listed - 1}, false},
		"gone":      {file{"c.csv", 0, listed}, false},
	} {
		_, judged, err := f.locations[0].judge(t.Context(), f.servers[0].conn, c.file)
		if err != nil || judged != c.checked {
			t.Errorf("%s: judged %v, error %v, want %v", name, judged, err, c.checked)
		}
	}
}

// TestTogether shows that looks may come together, and share the connection.
func TestTogether(t *testing.T) { onServers(t, testTogether) }

func testTogether(t *testing.T, s *testserver.SSHServer) {
	t.Helper()
	put(t, s, "in/a.csv", stock, time.Hour)
	c := s.Location("in", "in")
	c.Archive, c.Failed, c.CheckFormat = "", "", true
	f := open(t, c)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	errs := make(chan error)
	for range 8 {
		go func() {
			found, err := f.Inspect(ctx, start)
			if got := describe(found); got != "in of in, age 0s; inbox 1 1h0m0s..1h0m0s; invalid\n" {
				err = errors.Join(err, errors.New(got))
			}
			errs <- err
		}()
	}
	for range 8 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if n := s.Logins(t); n != 1 {
		t.Errorf("%d logins, want 1", n)
	}
}

func TestClosed(t *testing.T) { onServers(t, testClosed) }

func testClosed(t *testing.T, s *testserver.SSHServer) {
	t.Helper()
	before := goleak.IgnoreCurrent()
	f := open(t, inboxOf(s, "in", ""))
	see(t, f, 0)
	must(t, f.Close())
	goleak.VerifyNone(t, before)
	if _, err := look(t, f, 0); !errors.Is(err, errClosed) {
		t.Errorf("error %v, want %v", err, errClosed)
	}
}
