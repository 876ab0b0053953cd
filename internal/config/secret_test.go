package config_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/oms-exporter/oms_exporter/internal/config"
)

const canary = "c4nary-Passw0rd"

func TestSecretIsReadAnew(t *testing.T) {
	file := filepath.Join(t.TempDir(), "dsn")
	secret := config.FileSecret(file)
	for _, want := range []string{"first", "second"} {
		if err := os.WriteFile(file, []byte(want+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := secret.Read(); got != want || err != nil {
			t.Errorf("file: got %q, %v", got, err)
		}
	}
	for _, written := range []string{"\ufefffourth", "\ufeff fourth \r\n", "fourth\r\n\r\n"} { // as editors do
		if err := os.WriteFile(file, []byte(written), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := secret.Read(); got != "fourth" || err != nil {
			t.Errorf("file with %q: got %q, %v", written, got, err)
		}
	}
	secret = config.EnvSecret("$USER:${OMS_TEST_A}${OMS_TEST_B}@tcp(db)/ofbiz")
	t.Setenv("OMS_TEST_A", "${OMS_TEST_B}") // a value is not a template
	for _, b := range []string{"first", "second"} {
		t.Setenv("OMS_TEST_B", b)
		if got, err := secret.Read(); got != "$USER:${OMS_TEST_B}"+b+"@tcp(db)/ofbiz" || err != nil {
			t.Errorf("environment: got %q, %v", got, err)
		}
	}
}

func TestSecretErrors(t *testing.T) {
	t.Setenv("OMS_TEST_EMPTY", "")
	empty := filepath.Join(t.TempDir(), "empty.dsn")
	if err := os.WriteFile(empty, []byte(" \n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for want, secret := range map[string]config.Secret{
		"empty.dsn":      config.FileSecret(empty),
		"absent.dsn":     config.FileSecret("testdata/absent.dsn"),
		"OMS_TEST_EMPTY": config.EnvSecret(canary + "${OMS_TEST_EMPTY}"),
		"${NAME}":        config.EnvSecret("${" + canary),
		"not set":        {},
	} {
		value, err := secret.Read()
		if value != "" || err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), canary) {
			t.Errorf("want an error with %s, got %q, %v", want, value, err)
		}
	}
}

// TestSecretNeverPrints formats, marshals and logs a secret by itself, behind a pointer and within other values.
func TestSecretNeverPrints(t *testing.T) {
	t.Setenv("OMS_TEST_CANARY", canary)
	secret := config.EnvSecret("user:" + canary + "${OMS_TEST_CANARY}@/")
	exported := config.Config{Clients: []config.Client{{Database: config.Database{DSN: secret}}}}
	unexported := struct{ dsn config.Secret }{secret} // fmt cannot call its methods there

	for _, value := range []any{secret, &secret, exported, &exported, unexported, &unexported, []config.Secret{secret}} {
		var out bytes.Buffer
		for verb := 'A'; verb <= 'z'; verb++ {
			for _, flag := range []string{"", "+", "#", "20"} {
				fmt.Fprintf(&out, "%"+flag+string(verb), value)
			}
		}
		fmt.Fprintln(&out, value)
		slog.New(slog.NewTextHandler(&out, nil)).Info("", "secret", value)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("", "secret", value)
		for _, marshal := range []func(any) ([]byte, error){json.Marshal, yaml.Marshal} {
			text, err := marshal(value)
			if err != nil {
				t.Error(err)
			}
			out.Write(text)
		}
		for _, leak := range []string{canary, "OMS_TEST_CANARY"} {
			if strings.Contains(out.String(), leak) {
				t.Errorf("%T prints %s", value, leak)
			}
		}
	}
	if got := secret.String(); got != "<secret>" {
		t.Errorf("String is %s", got)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		if got := fmt.Sprintf(verb, secret); got != "<secret>" {
			t.Errorf("%s prints %s", verb, got)
		}
	}
}

// TestCanary puts a password into every kind of broken DSN and every place where one may be pasted by mistake.
func TestCanary(t *testing.T) {
	dsns := map[string][]string{
		"mysql": {
			canary, "krewe:" + canary, "krewe:" + canary + "@db/ofbiz", "krewe:" + canary + "@tcp(db:3306/ofbiz",
			"krewe:" + canary + "@tcp(db:3306)", "krewe:" + canary + "@tcp(db:3306)/", "krewe@db/ofbiz:" + canary,
			"krewe@tcp(db)/%zz" + canary, "krewe@tcp(db)/ofbiz?tls=" + canary, "krewe@tcp(db)/ofbiz?parseTime=" + canary,
			"krewe@tcp(db)/ofbiz?timeout=" + canary, "postgres://krewe:" + canary + "@db:5432/ofbiz",
		},
		"postgres": {
			canary, "password=" + canary + " host", "host=db password='" + canary, "password=" + canary + " port=x",
			"host=db password=" + canary + " sslmode=x", "port=" + canary, "host=db sslmode=" + canary,
			"host=db sslmode=require sslrootcert=/" + canary,
			"service=" + canary, "connect_timeout=" + canary, "target_session_attrs=" + canary,
			"default_query_exec_mode=" + canary, "postgres://krewe:" + canary + "@db:x/ofbiz",
			"postgres://krewe:%zz" + canary + "@db/ofbiz", "postgres://krewe:se:" + canary + "/ofbiz",
			"postgres://db/ofbiz?" + canary, "krewe:" + canary + "@tcp(db:3306)/ofbiz?parseTime=true",
		},
		"sqlite": {"krewe:" + canary + "@tcp(db:3306)/ofbiz", "postgres://krewe:" + canary + "@db/ofbiz"},
	}
	const client = "clients: [{name: A, timezone: UTC, database: {driver: %s, %s, timezone: UTC}}]"
	check := func(content string) {
		t.Helper()
		_, err := load(t, content)
		if err == nil {
			t.Errorf("was taken:\n%s", content)
		} else if strings.Contains(err.Error(), canary) {
			t.Errorf("%s\ngives %v", content, err)
		}
	}
	file := filepath.Join(t.TempDir(), "dsn")
	for driver, list := range dsns {
		for _, dsn := range list {
			t.Setenv("OMS_TEST_DSN", dsn)
			if err := os.WriteFile(file, []byte(dsn), 0o600); err != nil {
				t.Fatal(err)
			}
			check(fmt.Sprintf(client, driver, fmt.Sprintf("dsn_file: %q", file)))
			check(fmt.Sprintf(client, driver, `dsn: "${OMS_TEST_DSN}"`))
			check(fmt.Sprintf(client, driver, fmt.Sprintf("dsn: %q", dsn)))
		}
	}
	pasted := "krewe:" + canary + "@tcp(db:3306)/ofbiz"
	for _, content := range []string{
		fmt.Sprintf(client, "mysql", fmt.Sprintf("dsn_file: %q", pasted)),
		fmt.Sprintf(client, "mysql", fmt.Sprintf("%q: x", pasted)),
		fmt.Sprintf(client, "mysql", fmt.Sprintf("max_connections: %q", pasted)),
		fmt.Sprintf(client, fmt.Sprintf("%q", pasted), "dsn: x"),
		fmt.Sprintf("clients: [{name: %q, timezone: %q, labels: {%q: x}}]", pasted, pasted, pasted),
		fmt.Sprintf("global: {timeout_offset: %q}", pasted),
		"clients:\n- database:\n    driver: mysql\n    dsn:" + pasted + "\n",
		"clients:\n- database:\n    dsn:" + pasted + "\n",
		"clients:\n- database:\n    dsn: *" + canary + "\n",
		"clients:\n- database:\n    dsn: @" + canary + "\n",
		"clients:\n- database:\n    dsn: \"\\" + canary + "\"\n",
		"clients:\n- database:\n    dsn: !x!" + canary + "\n",
	} {
		check(content)
	}
	tokens := filepath.Join(t.TempDir(), "tokens")
	if err := os.WriteFile(tokens, []byte(canary+"\n"+canary), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, setting := range []string{
		"password: " + canary, "password: ${OMS_TEST_DSN}" + canary, "password: \"${" + canary + "\"", "password: [" + canary + "]",
		"password_file: " + canary, "private_key_file: /" + canary, "known_hosts_file: " + canary,
		fmt.Sprintf("password_file: %q, passphrase_file: %q", file, canary),
		fmt.Sprintf("private_key_file: %q", file), fmt.Sprintf("known_hosts_file: %q", file),
		fmt.Sprintf("location: %q", pasted), fmt.Sprintf("source: %q", pasted), fmt.Sprintf("address: %q", pasted),
		fmt.Sprintf("username: %q", pasted), fmt.Sprintf("path: %q", pasted), fmt.Sprintf("archive: %q", pasted),
		fmt.Sprintf("pattern: %q", "["+pasted), fmt.Sprintf("format: %q", pasted), fmt.Sprintf("%q: x", pasted),
	} {
		check("clients: [{name: A, timezone: UTC, database: {driver: sqlite, dsn: oms.db, timezone: UTC}, sftp: [{" + setting + "}]}]")
	}
	for _, setting := range []string{
		"password: " + canary, "password: ${OMS_TEST_DSN}" + canary, "password_file: " + canary, "token_file: " + canary,
		fmt.Sprintf("url: 'https://tathya', dashboards: [a], token_file: %q", tokens),
		fmt.Sprintf("url: %q", "https://krewe:"+canary+"@tathya"), fmt.Sprintf("url: %q", "https://tathya/?token="+canary),
		fmt.Sprintf("url: %q", "https://tathya:"+canary), fmt.Sprintf("provider: %q", pasted), fmt.Sprintf("interval: %q", pasted),
		fmt.Sprintf("dashboards: [%q, %q]", pasted, pasted), fmt.Sprintf("%q: x", pasted),
	} {
		check("clients: [{name: A, timezone: UTC, database: {driver: sqlite, dsn: oms.db, timezone: UTC}, superset: {" + setting + "}}]")
	}
}
