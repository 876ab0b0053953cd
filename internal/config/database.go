package config

import (
	"errors"
	"io/fs"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	"go.yaml.in/yaml/v3"
)

func (r *reader) database(n *yaml.Node) Database {
	const (
		driverMend = "mysql (MariaDB too), postgres or sqlite"
		dsnMend    = "the DSN with its password as ${NAME}"
		fileMend   = "the path of a file that holds the DSN"
	)
	db := Database{MaxConnections: defaultMaxConnections}
	var dsn, file *yaml.Node
	r.fields(n, "database", map[string]field{
		"driver": {need: driverMend, read: func(n *yaml.Node) {
			text, ok := r.text(n, "database.driver", driverMend)
			switch driver := Driver(text); {
			case !ok:
			case driver == MySQL, driver == Postgres, driver == SQLite:
				db.Driver = driver
			default:
				r.fail(n.Line, "%s: write %s", shown("database.driver", text, " is not known"), driverMend)
			}
		}},
		"dsn":             {read: func(n *yaml.Node) { dsn = n }},
		"dsn_file":        {read: func(n *yaml.Node) { file = n }},
		"timezone":        {need: zoneMend, read: func(n *yaml.Node) { db.Timezone = r.zone(n, "database.timezone") }},
		"max_connections": {read: func(n *yaml.Node) { db.MaxConnections = r.maxConnections(n) }},
	})
	switch {
	case dsn != nil && file != nil:
		r.fail(file.Line, "database.dsn and database.dsn_file are both there: remove one of the two")
	case dsn != nil:
		template, ok := r.text(dsn, "database.dsn", dsnMend)
		if !ok {
			break
		}
		if holdsPassword(db.Driver, template) {
			r.fail(dsn.Line, "database.dsn holds a password: write ${NAME} in its place and set that environment variable, "+
				"or move the DSN to a file and name it as dsn_file")
			break
		}
		if db.Driver == SQLite {
			template = r.sqlitePath(template)
		}
		db.DSN = EnvSecret(template)
		db.DSN = r.checkDSN(dsn.Line, "database.dsn", db)
	case file != nil:
		if path, ok := r.text(file, "database.dsn_file", fileMend); ok {
			db.DSN = FileSecret(r.path(path))
			db.DSN = r.checkDSN(file.Line, "database.dsn_file", db)
		}
	default:
		r.fail(n.Line, "database.dsn_file is missing: write %s, or as database.dsn %s", fileMend, dsnMend)
	}
	return db
}

// maxConnections reads a whole number above 0.
func (r *reader) maxConnections(n *yaml.Node) int {
	const what, mend = "database.max_connections", "a whole number such as 5"
	text, ok := r.text(n, what, mend)
	if !ok {
		return 0
	}
	count, err := strconv.Atoi(text)
	if err != nil || count < 1 {
		r.fail(n.Line, "%s: write %s", shown(what, text, " is not a number above 0"), mend)
	}
	return count
}

// checkDSN reads the DSN once, and returns it with a note of what it held. The errors of the drivers quote what they
// cannot parse, so none is passed on.
func (r *reader) checkDSN(line int, what string, db Database) Secret {
	value, ok := r.secret(line, what, "the DSN", db.DSN)
	switch {
	case !ok:
	case db.Driver == MySQL:
		const mend = "write one such as user:password@tcp(host:3306)/database"
		if cfg, err := mysql.ParseDSN(value); err != nil {
			r.fail(line, "%s does not hold a DSN for mysql: %s", what, mend)
		} else if cfg.DBName == "" {
			r.fail(line, "%s does not name a database: %s", what, mend)
		}
	case db.Driver == Postgres && !parsesForPostgres(value):
		const mend = "write one such as postgres://user:password@host:5432/database"
		r.fail(line, "%s does not hold a DSN for postgres: %s", what, mend)
	case db.Driver == SQLite && networkDSN.MatchString(value):
		r.fail(line, "%s does not hold a path for sqlite: write one such as /var/lib/oms/ofbiz.db", what)
	}
	return db.DSN.as(value)
}

// secret reads a secret once. A path that cannot be read may be a misplaced secret, so it is not repeated.
func (r *reader) secret(line int, what, content string, s Secret) (string, bool) {
	value, err := s.Read()
	var unreadable *fs.PathError
	switch {
	case errors.As(err, &unreadable):
		r.fail(line, "%s cannot be read (%s): write the path of a readable file", what, unreadable.Err)
	case errors.Is(err, errEmptyFile):
		r.fail(line, "%s names an empty file: write %s into it", what, content)
	case err != nil:
		r.fail(line, "%s: %s: write the ${NAME} of a variable that is set for the exporter, or %s_file instead",
			what, err, what[strings.LastIndex(what, ".")+1:])
	}
	return value, err == nil
}

// networkDSN matches the DSNs of the servers, also after sqlitePath has made a path of a URL.
var networkDSN = regexp.MustCompile(`postgres(?:ql)?:/|@\w*\(`)

// parsesForPostgres is stricter than pgx, which takes any key for a setting of the server: that of a DSN for mysql
// with parameters, too, and the server's error would then quote it.
func parsesForPostgres(dsn string) bool {
	cfg, err := pgx.ParseConfig(dsn)
	if err != nil {
		return false
	}
	for key := range cfg.RuntimeParams {
		if !plain(key) {
			return false
		}
	}
	return true
}

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

// path takes a relative path from the configuration file's directory, as Prometheus does.
func (r *reader) path(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(r.dir, path)
}

// sqlitePath does the same for a plain path, which may have parameters: not for a URI, memory or a variable.
func (r *reader) sqlitePath(dsn string) string {
	for _, prefix := range []string{"file:", ":memory:", "${"} {
		if strings.HasPrefix(dsn, prefix) {
			return dsn
		}
	}
	path, params, found := strings.Cut(dsn, "?")
	path = r.path(path)
	if found {
		path += "?" + params
	}
	return path
}
