package testserver

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/config"
)

// To make the data of a new server takes seconds of processor time: the server's own tables, User, and the tables of an OMS. So they
// are made once, as a template in the cache folder of the user who runs the tests, and each server gets a copy.

// unused is how long a template is kept that no test uses.
const unused = 7 * 24 * time.Hour

// template returns the folder of a template. The first process that needs one makes it, while others wait.
func template(tb testing.TB, owner *syscall.Credential, of func(dir string) kind) string {
	tb.Helper()
	cache, err := os.UserCacheDir()
	if err != nil { // who has no home has a temporary folder
		cache = os.TempDir()
	}
	folder := filepath.Join(cache, "oms_exporter", "testserver")
	check(tb, os.MkdirAll(folder, 0o700))
	lock, err := os.Create(filepath.Join(folder, "lock"))
	check(tb, err)
	defer func() { _ = lock.Close() }()
	check(tb, syscall.Flock(int(lock.Fd()), syscall.LOCK_EX))

	made := filepath.Join(folder, key(tb, owner, of("")))
	if _, err := os.Stat(made); errors.Is(err, fs.ErrNotExist) {
		removeUnused(tb, folder)
		part := filepath.Join(folder, "part")
		check(tb, os.RemoveAll(part)) // what a test that was killed has left
		copyData(tb, makeData(tb, owner, of), part)
		check(tb, os.Rename(part, made))
	}
	now := time.Now()
	check(tb, os.Chtimes(made, now, now))
	return made
}

// key is a name for all that the data follow from, so that no template is ever out of date.
func key(tb testing.TB, owner *syscall.Credential, of kind) string {
	tb.Helper()
	command, flavour := of.prepare("")
	text := fmt.Sprintf("%+v %q %q %q", owner, of.initialize, command, flavour.contents())
	for _, program := range []string{of.initialize[0], command[0]} {
		path, err := filepath.EvalSymlinks(program)
		check(tb, err)
		info, err := os.Stat(path)
		check(tb, err)
		text += fmt.Sprintf(" %q %d %d", path, info.Size(), info.ModTime().UnixNano())
	}
	return fmt.Sprintf("%x", sha256.Sum256([]byte(text)))
}

func removeUnused(tb testing.TB, folder string) {
	tb.Helper()
	templates, err := os.ReadDir(folder)
	check(tb, err)
	for _, template := range templates {
		info, err := template.Info()
		check(tb, err)
		if info.IsDir() && time.Since(info.ModTime()) > unused {
			check(tb, os.RemoveAll(filepath.Join(folder, info.Name())))
		}
	}
}

// copyData copies a folder of data with their owner and without the blocks of zeros that servers reserve, which are most of it.
func copyData(tb testing.TB, from, to string) {
	tb.Helper()
	run(tb, nil, filepath.Dir(to), "cp", "--archive", "--sparse=always", from, to)
}

// makeData makes the data of a template and returns their folder.
func makeData(tb testing.TB, owner *syscall.Credential, of func(dir string) kind) string {
	tb.Helper()
	dir := newFolder(tb, owner)
	here := of(dir)
	run(tb, owner, dir, here.initialize...)
	s := startServer(tb, owner, dir, here, nil)
	for _, part := range s.contents() {
		s.exec(tb, part.database, part.statements)
	}
	s.end(tb, here.quit)
	return filepath.Join(dir, "data")
}

// MySQL and MariaDB have the tables of an OMS twice. A server's first database gets those of spare, for a third of the processor
// time of making them like those of original, which is what its other databases get; and that takes a fifth of executing the schema.
const (
	original = "original"
	spare    = "spare"
)

// contents are the statements that make User and tables in data without them, and in which database.
func (f *flavour) contents() []struct{ database, statements string } {
	user, grants := access(f.access)
	if f.driver == config.Postgres {
		return []struct{ database, statements string }{
			{f.maintenance, user},
			{"template1", f.schema}, // which every new database is like
			{"template1", grants},
			// Nobody needs it, and copying costs by the file.
			{f.maintenance, "UPDATE pg_database SET datistemplate = false WHERE datname = 'template0'; DROP DATABASE template0"},
		}
	}
	return []struct{ database, statements string }{
		{f.maintenance, user},
		{f.maintenance, "CREATE DATABASE " + original + "; CREATE DATABASE " + spare},
		{original, f.schema},
		{spare, f.likeOriginal()},
		{f.maintenance, "SET GLOBAL innodb_fast_shutdown = 1"}, // no copy has to recover
	}
}

// addTables gives a database of MySQL or MariaDB the tables.
func (s *Server) addTables(tb testing.TB, database string) {
	tb.Helper()
	s.admin(tb, database, func(ctx context.Context, db *sql.DB) error {
		_, err := db.ExecContext(ctx, "RENAME TABLE "+eachTable(s.schema, spare+".%[1]s TO %[1]s", ", "))
		if err != nil && lacks(err) { // another database has them
			_, err = db.ExecContext(ctx, s.likeOriginal())
		}
		return err
	})
}

func (f *flavour) likeOriginal() string {
	return eachTable(f.schema, "CREATE TABLE %[1]s LIKE "+original+".%[1]s", "; ")
}

var createTable = regexp.MustCompile(`(?m)^CREATE TABLE (\w+)`)

// eachTable formats the names of a schema's tables.
func eachTable(schema, format, separator string) string {
	var all []string
	for _, match := range createTable.FindAllStringSubmatch(schema, -1) {
		all = append(all, fmt.Sprintf(format, match[1]))
	}
	return strings.Join(all, separator)
}
