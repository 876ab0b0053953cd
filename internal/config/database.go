package config

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"github.com/go-sql-driver/mysql"
	"go.yaml.in/yaml/v3"
)

func (r *reader) database(n *yaml.Node) Database {
	const (
		driverHint = "mysql (MariaDB too), postgres or sqlite"
		dsnHint    = "the DSN with its password as ${NAME}"
		fileHint   = "the path of a file that contains the DSN"
	)
	db := Database{MaxConnections: DefaultMaxConnections}
	var dsn, file, tls *yaml.Node
	r.fields(n, "database", map[string]field{
		"driver": {need: driverHint, read: func(n *yaml.Node) {
			text, ok := r.text(n, "database.driver", driverHint)
			switch driver := Driver(text); {
			case !ok:
			case driver == MySQL, driver == Postgres, driver == SQLite:
				db.Driver = driver
			default:
				r.fail(n.Line, "%s: write %s", shown("database.driver", n.Value, " is not known"), driverHint)
			}
		}},
		"dsn":               {read: func(n *yaml.Node) { dsn = n }},
		"dsn_file":          {read: func(n *yaml.Node) { file = n }},
		"timezone":          {need: zoneHint, read: func(n *yaml.Node) { db.Timezone = r.zone(n, "database.timezone") }},
		"schedule_timezone": {read: func(n *yaml.Node) { db.ScheduleTimezone = r.zone(n, "database.schedule_timezone") }},
		"max_connections":   {read: func(n *yaml.Node) { db.MaxConnections = r.maxConnections(n) }},
		"tls":               {bare: true, read: func(n *yaml.Node) { tls = n }},
	})
	if tls != nil {
		db.TLS = r.tls(tls, "database.tls")
	}
	if tls != nil && db.Driver == SQLite {
		r.fail(tls.Line, "database.tls is set, but sqlite has no network connection: remove it")
	}
	switch {
	case dsn != nil && file != nil:
		r.fail(file.Line, "database.dsn and database.dsn_file are both set: remove one of the two")
	case dsn != nil:
		template, ok := r.text(dsn, "database.dsn", dsnHint)
		if !ok {
			break
		}
		if holdsPassword(db.Driver, template) {
			r.fail(dsn.Line, "database.dsn contains a password: write ${NAME} in its place and set that environment variable, "+
				"or move the DSN to a file and name it as dsn_file")
			break
		}
		if db.Driver == SQLite {
			template = r.sqlitePath(dsn, template)
		}
		db.DSN = r.dsn(dsn.Line, "database.dsn", EnvSecret(template), db)
	case file != nil:
		if path, ok := r.text(file, "database.dsn_file", fileHint); ok {
			db.DSN = r.dsn(file.Line, "database.dsn_file", r.held(file, path), db)
		}
	default:
		r.fail(n.Line, "database.dsn_file is missing: write %s, or as database.dsn %s", fileHint, dsnHint)
	}
	return db
}

// maxConnections reads a whole number above 0.
func (r *reader) maxConnections(n *yaml.Node) int {
	const what, hint = "database.max_connections", "a whole number such as 5"
	text, ok := r.text(n, what, hint)
	if !ok {
		return 0
	}
	count, err := strconv.Atoi(text)
	if err != nil || count < 1 {
		r.fail(n.Line, "%s: write %s", shown(what, n.Value, " is not a number above 0"), hint)
	}
	return count
}

// dsn takes in the DSN, with warnings of its risks.
func (r *reader) dsn(line int, what string, s Secret, db Database) Secret {
	s = r.outside(line, what, "the DSN", s, func(dsn string) string {
		fault, _ := db.judge(dsn)
		return fault
	})
	r.warnExposed(line, what, s)
	if dsn, err := s.Read(); err == nil {
		if _, risk := db.judge(dsn); risk != "" {
			r.warnings.add(line, r.client, what+risk, *s.text)
		}
	}
	return s
}

// judge says what is wrong with a DSN, also beside the settings of TLS, or else what is a risk. The errors of the drivers quote
// what they cannot parse, so none is passed on.
func (d Database) judge(dsn string) (fault, risk string) {
	if strings.ContainsFunc(dsn, func(c rune) bool { return invisible(c) && (d.Driver == MySQL || !unicode.IsSpace(c)) }) {
		return " contains a line break or an invisible character: write the DSN again, in one line", ""
	}
	switch d.Driver {
	case MySQL:
		return judgeMySQL(dsn, d.TLS)
	case Postgres:
		return judgePostgres(dsn, d.TLS)
	case SQLite:
		if networkDSN.MatchString(dsn) {
			return " does not contain a path for sqlite: write one such as /var/lib/oms/ofbiz.db", ""
		}
	}
	return "", ""
}

// invisible matches what no DSN holds on purpose, and a server would take for a part of a name or a password.
func invisible(c rune) bool { return unicode.IsControl(c) || unicode.Is(unicode.Cf, c) }

// networkDSN matches the DSNs of the servers, also after sqlitePath has made a path of a URL.
var networkDSN = regexp.MustCompile(`postgres(?:ql)?:/|@\w*\(`)

// absent stands for the variables of a template. No password has it.
const absent = "\x00"

// postgresPassword matches a password in either form of DSN. Pgx cannot tell it from one of PGPASSWORD or ~/.pgpass.
var postgresPassword = regexp.MustCompile(
	`(?:^|[\s?&])(?:ssl)?password\s*=\s*'?[^\s&'\x00]|://[^/@:]*:[^/@\x00][^/@]*@`)

// holdsPassword reports whether a template has a password, or a part of one, that is no variable.
func holdsPassword(driver Driver, template string) bool {
	template = variable.ReplaceAllLiteralString(template, absent)
	switch driver {
	case MySQL:
		cfg, err := mysql.ParseDSN(template)
		return err == nil && strings.Trim(cfg.Passwd, absent) != ""
	case Postgres:
		return postgresPassword.MatchString(template)
	case SQLite:
	}
	return false
}

// sqlitePath does what path does for a plain path, which may have parameters: not for a URI, memory or a variable.
func (r *reader) sqlitePath(n *yaml.Node, dsn string) string {
	for _, prefix := range []string{"file:", ":memory:", "${"} {
		if strings.HasPrefix(dsn, prefix) {
			return dsn
		}
	}
	path, params, found := strings.Cut(dsn, "?")
	path = r.path(n, path)
	if found {
		path += "?" + params
	}
	return path
}
