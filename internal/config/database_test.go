package config_test

import (
	"testing"

	"github.com/oms-exporter/oms_exporter/internal/config"
)

// TestGoodDSN has DSNs that a hasty check would refuse, above all for a password that they do not hold.
func TestGoodDSN(t *testing.T) {
	setEnv(t)
	t.Setenv("PGPASSWORD", "from-the-environment")
	t.Setenv("KREWE_DSN", "krewe:p@ss/word:1@tcp(db.example.com:3306)/ofbiz")
	t.Setenv("KREWE_KEYWORDS", "host=db.example.com user=krewe password='a b' dbname=ofbiz")
	for _, test := range []struct{ driver, dsn string }{
		{"mysql", "${KREWE_DSN}"},
		{"mysql", "krewe@tcp(db.example.com:3306)/ofbiz"},
		{"mysql", "krewe:${KREWE_PASSWORD}@tcp(${KREWE_HOST}:3306)/ofbiz?tls=skip-verify"},
		{"mysql", "krewe@unix(/run/mysqld/mysqld.sock)/ofbiz"},
		{"postgres", "${KREWE_KEYWORDS}"},
		{"postgres", "host=db.example.com user=krewe dbname=ofbiz"},
		{"postgres", "host=db.example.com user=krewe password=${KREWE_PASSWORD} dbname=ofbiz"},
		{"postgres", "host=db.example.com user=krewe password='${KREWE_PASSWORD}' dbname=ofbiz"},
		{"postgres", "postgres://krewe@db.example.com:5432/ofbiz?application_name=oms_exporter"},
		{"postgres", "postgres://one.example.com:5432,two.example.com:5433/ofbiz?user=krewe&search_path=a"},
		{"sqlite", ":memory:"},
		{"sqlite", "file:///oms.db?mode=ro"},
		{"sqlite", "${KREWE_HOST}/oms.db"},
	} {
		c, err := load(t, "clients: [{name: A, timezone: UTC, database: {driver: "+test.driver+
			", dsn: \""+test.dsn+"\", timezone: UTC}}]")
		if err != nil {
			t.Error(err)
		} else if want := config.EnvSecret(test.dsn); !c.Clients[0].Equal(withDSN(c.Clients[0], want)) {
			t.Errorf("%s was changed", test.dsn)
		}
	}
}

func withDSN(c config.Client, dsn config.Secret) config.Client {
	c.Database.DSN = dsn
	return c
}
