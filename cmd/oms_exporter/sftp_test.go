package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

// dropped writes a file below the server's inbox, of an age in hours.
func dropped(t *testing.T, s *testserver.SSHServer, now time.Time, path, content string, hours int) {
	t.Helper()
	path = filepath.Join(s.Root, "inbox", path)
	written := now.Add(-time.Duration(hours) * time.Hour)
	for _, err := range []error{
		os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(content), 0o644), os.Chtimes(path, written, written),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
}

// value returns the value of a series.
func value(t *testing.T, page, series string) float64 {
	t.Helper()
	_, text, found := strings.Cut("\n"+page, "\n"+series+" ")
	text, _, _ = strings.Cut(text, "\n")
	v, err := strconv.ParseFloat(text, 64)
	if !found || err != nil {
		t.Errorf("no series %s in\n%s", series, omsLines(strings.Split(page, "\n")))
	}
	return v
}

// TestDropFolders has the exporter look at real files over real SFTP.
func TestDropFolders(t *testing.T) {
	t.Setenv("SFTP_PASSWORD", testserver.Password)
	wms, shopify := testserver.SSHD(t), testserver.SSHD(t)
	now := time.Now().Truncate(time.Second)
	const good = "facility-id,product-id,quantity\nSTORE_1,10001,5\n"
	for i, file := range []struct {
		path, content string
	}{
		{"good.csv", good}, {"Größe 1.csv", good}, {"sheet.csv", "PK\x03\x04\x14\x00\x06\x00"}, {"void.csv", ""},
		{"cut.csv", good[:len(good)-4]}, {"columns.csv", "a,b,c\n1,2,3\n"}, {"notes.txt", "later"},
		{"archive/a.csv", good}, {"failed/f.csv", good},
	} {
		dropped(t, wms, now, file.path, file.content, i+1)
	}
	dropped(t, wms, now, "archive/last week.csv", good, 7*24)
	for _, folder := range []string{"archive", "failed"} {
		dropped(t, shopify, now, folder+"/other.txt", "", 1)
	}
	file := filepath.Join(t.TempDir(), "oms_exporter.yml")
	location := func(name, source string, s *testserver.SSHServer) string {
		return sftpLocation(name, source, s.Address, "SFTP_PASSWORD", s.KnownHosts, filepath.Join(s.Root, "inbox"))
	}
	client := withSFTP(sqliteClient(t, "KREWE"), location("reset-inventory", "wms", wms), location("shop", "shopify", shopify))
	without := sqliteClient(t, "UCG")
	writeConfig(t, file, client, without)
	p := start(t, "--config.file="+file, "--web.enable-lifecycle")
	var seen strings.Builder // every page
	get := func(t *testing.T, path string, headers ...string) string {
		t.Helper()
		page := p.get(t, path, headers...)
		seen.WriteString(page)
		return page
	}
	probe := func(t *testing.T) string { t.Helper(); return get(t, "/probe?client=KREWE", timeoutHeader+": 10") }

	t.Run("files", func(t *testing.T) {
		in := func(metric, folder string) string {
			return metric + `{client="KREWE",folder="` + folder + `",location="reset-inventory",source="wms"}`
		}
		page := probe(t)
		for folder, want := range map[string]struct{ files, oldest, newest int }{"inbox": {6, 6, 1}, "archive": {1, 8, 8}, "failed": {1, 9, 9}} {
			if got := value(t, page, in("oms_sftp_files", folder)); got != float64(want.files) {
				t.Errorf("%s: %g files, want %d", folder, got, want.files)
			}
			age := time.Duration(value(t, page, in("oms_sftp_oldest_file_age_seconds", folder)) * float64(time.Second))
			if oldest := time.Duration(want.oldest) * time.Hour; age < oldest || age > oldest+time.Minute {
				t.Errorf("%s: oldest age %s, want %s", folder, age, oldest)
			}
			newest := now.Add(-time.Duration(want.newest) * time.Hour)
			if got := value(t, page, in("oms_sftp_newest_file_timestamp_seconds", folder)); got != float64(newest.Unix()) {
				t.Errorf("%s: newest %f, want %d", folder, got, newest.Unix())
			}
		}
		wantLines(t, page, in("oms_sftp_listing_truncated", "inbox")+" 0",
			`oms_sftp_files{client="KREWE",folder="inbox",location="shop",source="shopify"} 0`,
			`oms_sftp_oldest_file_age_seconds{client="KREWE",folder="inbox",location="shop",source="shopify"} 0`,
			`oms_sftp_folder_info{client="KREWE",folder="inbox",location="shop",source="shopify"} 1`,
			`oms_collector_success{client="KREWE",collector="sftp"} 1`)
		page = probe(t) // the files have stood still from one look to the next
		for reason, files := range map[string]int{"empty": 1, "not_csv": 1, "header": 1, "partial": 1, "encoding": 0} {
			wantLines(t, page,
				fmt.Sprintf(`oms_sftp_invalid_files{client="KREWE",location="reset-inventory",reason=%q,source="wms"} %d`, reason, files),
				fmt.Sprintf(`oms_sftp_invalid_files{client="KREWE",location="shop",reason=%q,source="shopify"} 0`, reason))
		}
		wantLines(t, page, `oms_sftp_invalid_file_info{client="KREWE",file="sheet.csv",location="reset-inventory",reason="not_csv",source="wms"} 1`)
		const remark = `location reset-inventory: the import would refuse the file sheet.csv (not_csv), which begins with: PK\x03\x04\x14\x00\x06\x00`
		if page := get(t, "/client?name=KREWE"); !strings.Contains(page, remark) {
			t.Errorf("the client's page does not say %q:\n%s", remark, page)
		}
	})

	t.Run("client without", func(t *testing.T) {
		all := get(t, "/metrics") + get(t, "/probe?client=UCG&collector=sftp")
		if strings.Contains(all, `client="UCG",collector="sftp"`) || !strings.Contains(all, `client="KREWE",collector="sftp"`) {
			t.Errorf("the clients with drop folders are not KREWE alone:\n%s", all)
		}
		if page := get(t, "/client?name=KREWE") + get(t, "/client?name=UCG"); strings.Count(page, ">sftp</th>") != 1 {
			t.Errorf("the clients with drop folders are not KREWE alone:\n%s", page)
		}
	})

	t.Run("folder missing", func(t *testing.T) {
		there := filepath.Join(wms.Root, "inbox", "failed")
		if err := os.Rename(there, there+" away"); err != nil {
			t.Fatal(err)
		}
		page := probe(t)
		wantLines(t, page, `oms_collector_success{client="KREWE",collector="sftp"} 0`, `oms_collector_success{client="KREWE",collector="jobs"} 1`,
			`oms_sftp_files{client="KREWE",folder="inbox",location="reset-inventory",source="wms"} 6`,
			`oms_sftp_files{client="KREWE",folder="failed",location="shop",source="shopify"} 0`)
		if strings.Contains(page, `oms_sftp_files{client="KREWE",folder="failed",location="reset-inventory"`) {
			t.Errorf("a folder that is not there has series:\n%s", page)
		}
		for _, path := range []string{"/", "/probe?client=KREWE&collector=sftp&debug=true"} {
			page := get(t, path)
			for _, want := range []string{"location reset-inventory: the folder failed ", there, " does not exist, make it or correct the path"} {
				if !strings.Contains(page, want) {
					t.Errorf("%s lacks %q:\n%s", path, want, page)
				}
			}
		}
		if err := os.Rename(there+" away", there); err != nil {
			t.Fatal(err)
		}
		wantLines(t, probe(t), `oms_collector_success{client="KREWE",collector="sftp"} 1`)
	})

	// reload loads the configuration anew, and looks.
	reload := func(t *testing.T, success int) {
		t.Helper()
		if status, body := p.ask(t, "POST", "/-/reload"); status != 200 {
			t.Fatalf("status %d: %s", status, body)
		}
		wantLines(t, probe(t), fmt.Sprintf(`oms_collector_success{client="KREWE",collector="sftp"} %d`, success))
	}

	t.Run("reload", func(t *testing.T) {
		before := wms.Logins(t)
		writeConfig(t, file, without, client)
		if reload(t, 1); wms.Logins(t) != before {
			t.Errorf("%d logins, %d before the reload: the connection of an untouched client was not kept", wms.Logins(t), before)
		}
		writeConfig(t, file, strings.Replace(client, "'*.csv'", "'*'", 1))
		if reload(t, 1); wms.Logins(t) != before+1 {
			t.Errorf("%d logins, %d before the client was changed", wms.Logins(t), before)
		}
		p.stderr.await(t, `(the connection is closed)`, 2) // those of the old client
	})

	t.Run("login refused", func(t *testing.T) {
		t.Setenv("SFTP_PASSWORD", canary)
		reload(t, 0)
		const want = " refuses the login of user exporter, check the username and the password or key"
		for _, path := range []string{"/", "/probe?client=KREWE&debug=true"} {
			if page := get(t, path); !strings.Contains(page, "location reset-inventory: "+wms.Address+want) {
				t.Errorf("%s lacks %q:\n%s", path, want, page)
			}
		}
	})
	reload(t, 1)

	t.Run("frozen", func(t *testing.T) {
		wms.Freeze(t)
		// First it has a connection, and then it tries to make one.
		for _, want := range []string{"the server does not answer in time", "is reached, but there is no SSH connection"} {
			begin := time.Now()
			page := get(t, "/probe?client=KREWE", timeoutHeader+": 3")
			if took := time.Since(begin); took > 3*time.Second {
				t.Errorf("the answer took %s", took)
			}
			failed := regexp.MustCompile(`(?m)^oms_collector_success\{.*collector="(\w+)"\} 0$`).FindAllStringSubmatch(page, -1)
			if len(failed) != 1 || failed[0][1] != "sftp" {
				t.Errorf("failed: %v", failed)
			}
			for _, name := range omsCollectors() {
				if took := value(t, page, `oms_collector_duration_seconds{client="KREWE",collector="`+name+`"}`); took > 1 {
					t.Errorf("%s took %g s", name, took)
				}
			}
			wantLines(t, page, `oms_sftp_files{client="KREWE",folder="inbox",location="shop",source="shopify"} 0`)
			if strings.Contains(page, `oms_sftp_files{client="KREWE",folder="inbox",location="reset-inventory"`) {
				t.Errorf("files of a silent server:\n%s", page)
			}
			if page := get(t, "/"); !strings.Contains(page, "location reset-inventory: ") || !strings.Contains(page, want) {
				t.Errorf("the status page does not say %q of the location:\n%s", want, page)
			}
		}
		wms.Thaw()
		testserver.Eventually(t, 30*time.Second, func() error { // it is tried again after 10 s
			page := probe(t)
			if !strings.Contains(page, `oms_collector_success{client="KREWE",collector="sftp"} 1`) {
				return errors.New(page)
			}
			return nil
		})
	})
	for where, text := range map[string]string{"a page": seen.String(), "stdout": p.stdout.String(), "stderr": p.stderr.String()} {
		if strings.Contains(text, testserver.Password) || strings.Contains(text, canary) {
			t.Errorf("a password stands in %s:\n%s", where, text)
		}
	}
}
