package sqlread

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

// answering is the address of a server that says the same to everybody.
func answering(t *testing.T, first, second string) string {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
			_, _ = conn.Write([]byte(first))
			if second != "" {
				_, _ = bufio.NewReader(conn).ReadByte()
				_, _ = conn.Write([]byte(second))
			}
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() {
		_ = listener.Close()
		<-done
	})
	return listener.Addr().String()
}

// TestWords makes real servers refuse, one reason after the other, and reads what people are told: where, who, and what to do. MySQL and
// MariaDB say it in German.
func TestWords(t *testing.T) {
	const http = "HTTP/1.1 400 Bad Request\r\n\r\n"
	onServers(t, "words", func(t *testing.T, server *testserver.Server, _ *DB, of testserver.Database) {
		good := dsnOf(t, of)
		address := addressIn(t, server.Driver(), good)
		at := func(other string) func(string) string {
			return func(dsn string) string { return strings.Replace(dsn, address, other, 1) }
		}
		replace := func(from, to string) func(string) string {
			return func(dsn string) string { return strings.Replace(dsn, from, to, 1) }
		}
		same := func(dsn string) string { return dsn }
		const refused = "ADDRESS refuses the login of user "
		type trouble struct {
			name string
			dsn  func(string) string
			do   string // as the superuser, before
			undo string
			want string // after "client KREWE: "
			next bool   // the next attempt is told
		}
		cases := []trouble{
			{"wrong password", replace(testserver.Password, "wrong"), "", "", refused + "exporter, check the user name and the password", true},
			{"no password", replace(":"+testserver.Password, ""), "", "", refused + "exporter, who has sent no password", true},
			{"no such user", replace(testserver.User+":", "nobody:"), "", "", refused + "nobody, check the user name", true},
			{"no such host", at("no-such-host.invalid:3306"), "", "", "no name server ", false},
			{"nobody listens", at("127.0.0.2:1"), "", "", "nothing listens at 127.0.0.2:1, check the address", false},
			{"hangs up", at(answering(t, "", "")), "", "", " hung up during the login", false},
			{"says nothing", nil, "", "", " is reached, but does not answer a login", false},
			{"no such database", replace("/words", "/elsewhere"), "", "", "ADDRESS has no database elsewhere", false},
		}
		if server.Driver() == config.MySQL {
			testserver.Execute(t, of.Admin, "SET GLOBAL lc_messages = 'de_DE'")
		}
		pooled := strings.HasSuffix(t.Name(), "/pgbouncer")
		switch {
		case server.Driver() == config.MySQL:
			const user = testserver.User + "@'%'"
			cases[len(cases)-1].do, cases[len(cases)-1].undo = "GRANT SELECT ON elsewhere.* TO "+user, "REVOKE SELECT ON elsewhere.* FROM "+user
			cases = append(cases, []trouble{
				{"no TLS here", same, "ALTER USER " + user + " REQUIRE SSL", "ALTER USER " + user + " REQUIRE NONE", "for TLS only", true},
				{"no grant on the database", replace("/words", "/other"), "CREATE DATABASE other", "", "user exporter may not use database other", true},
				{"user limit", same, "ALTER USER " + user + " WITH MAX_QUERIES_PER_HOUR 1", "ALTER USER " + user + " WITH MAX_QUERIES_PER_HOUR 0",
					"user exporter has reached a limit of its account", false},
				{"locked", same, "ALTER USER " + user + " ACCOUNT LOCK", "ALTER USER " + user + " ACCOUNT UNLOCK", "the account of user exporter at ADDRESS is locked", true},
				{"init_connect fails", same, "SET GLOBAL init_connect = 'SELECT no_such_column'", "SET GLOBAL init_connect = ''",
					"the init_connect of ADDRESS fails for user exporter", false},
				{"a view whose definer lacks a grant", same, "CREATE USER other; RENAME TABLE job_sandbox TO away; " +
					"CREATE DEFINER = other VIEW job_sandbox AS SELECT * FROM away", "", "a view in database words at ADDRESS is broken, or its definer", false},
				{"a view whose definer is gone", same, "DROP USER other", "DROP VIEW job_sandbox; RENAME TABLE away TO job_sandbox",
					"a view in database words at ADDRESS is broken, or its definer", false},
				{"expired", same, "ALTER USER " + user + " PASSWORD EXPIRE", "ALTER USER " + user + " IDENTIFIED BY '" + testserver.Password + "'",
					"the password of user exporter at ADDRESS has expired", true},
			}...)
			certificate := trouble{"no TLS there", replace("/words", "/words?tls=true"), "", "", "ADDRESS does not support TLS", false}
			if strings.HasSuffix(t.Name(), "/mysql") { // it makes itself a certificate
				certificate.want = "the certificate of ADDRESS is for another name"
			}
			cases = append(cases, certificate)
		case pooled: // what follows would have it try its server again after 15 s only
			cases = append(cases, trouble{"a parameter", replace("?", "?search_path=ofbiz&"), "", "", "the pooler at ADDRESS takes no such parameter", false})
		default:
			cases = append(cases, []trouble{
				{"SSH", at(answering(t, "SSH-2.0-OpenSSH_9.2p1\r\n", "Protocol mismatch.\r\n")), "", "", "what answers at ", false},
				{"HTTP", at(answering(t, "", http)), "", "", "what answers at ", false},
				{"no TLS there", replace("sslmode=disable", "sslmode=require"), "", "", "ADDRESS does not support TLS", false},
				{"no grant on the database", replace("/words", "/other"), "CREATE DATABASE other; REVOKE CONNECT ON DATABASE other FROM PUBLIC", "",
					"user exporter may not use database other", true},
				{"no login", same, "ALTER ROLE exporter NOLOGIN", "ALTER ROLE exporter LOGIN", "ADDRESS has no user exporter who may log in", true},
				{"expired", same, "ALTER ROLE exporter VALID UNTIL '2000-01-01'", "ALTER ROLE exporter VALID UNTIL 'infinity'", refused + "exporter", true},
				{"user limit", same, "ALTER ROLE exporter CONNECTION LIMIT 0", "ALTER ROLE exporter CONNECTION LIMIT 20", "user exporter has reached a limit of its account", false},
				{"a materialized view without data", same, "ALTER TABLE job_sandbox RENAME TO away; CREATE MATERIALIZED VIEW job_sandbox AS TABLE away WITH NO DATA; " +
					"GRANT SELECT ON job_sandbox TO exporter", "DROP MATERIALIZED VIEW job_sandbox; ALTER TABLE away RENAME TO job_sandbox",
					"a materialized view in database words at ADDRESS has no data yet", false},
				{"database limit", same, "ALTER DATABASE words CONNECTION LIMIT 0", "ALTER DATABASE words CONNECTION LIMIT -1", "ADDRESS has no connection left", false},
			}...)
		}
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				of := of
				if c.dsn == nil {
					silent, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
					if err != nil {
						t.Fatal(err)
					}
					defer func() { _ = silent.Close() }()
					c.dsn = at(silent.Addr().String())
				}
				of.Config.DSN = config.EnvSecret(c.dsn(good))
				testserver.Execute(t, of.Admin, c.do)
				err := read(t, openTwoTables(t, testLogger(t), of), 3*time.Second)
				testserver.Execute(t, of.Admin, c.undo)
				c.want = strings.ReplaceAll(c.want, "ADDRESS", address)
				if err == nil || !strings.HasPrefix(err.Error(), "client KREWE: ") || !strings.Contains(err.Error(), c.want) {
					t.Errorf("error %v, want %q in it", err, c.want)
				}
				if err != nil && strings.Contains(err.Error(), "the next attempt is at ") != c.next {
					t.Errorf("error %v: is the next attempt told?", err)
				}
				if strings.Contains(fmt.Sprint(err), testserver.Password) {
					t.Errorf("the password shows: %v", err)
				}
				if strings.Contains(fmt.Sprint(err), "using password") {
					t.Errorf("the server speaks English: %v", err)
				}
			})
		}
	})
}

// read makes a connection and reads by it.
func read(t *testing.T, db *DB, within time.Duration) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	return db.Read(ctx, NewLane("jobs"), time.Date(2026, 11, 18, 17, 0, 0, 0, time.UTC), func(ctx context.Context, r *Reader) error {
		_, err := count(ctx, r)
		return err
	})
}

// TestFaults has the errors that no server here can be made to say, as the drivers deliver them.
func TestFaults(t *testing.T) {
	my := func(number uint16, message string) error { return &mysql.MySQLError{Number: number, Message: message} }
	pg := func(code, message string, routine ...string) error {
		return &pgconn.PgError{Code: code, Message: message, Routine: strings.Join(routine, "")}
	}
	const pooler = "08P01"
	for _, c := range []struct {
		err     error
		want    string
		refusal bool
	}{
		{my(1040, "Too many connections"), "db:1 has no connection left, find who holds them", false},
		{my(1130, "Host '10.0.0.1' is not allowed to connect"), "db:1 does not let user krewe in from this machine", true},
		{my(1129, "Host '10.0.0.1' is blocked"), "db:1 has blocked this machine", false},
		{my(1203, "already has more than 'max_user_connections' active connections"), "user krewe has reached a limit of its account at db:1", false},
		{my(1226, "has exceeded the 'max_user_connections' resource"), "user krewe has reached a limit", false},
		{my(1053, "Server shutdown in progress"), "db:1 is starting or shutting down", false},
		{my(1142, "SELECT command denied"), "user krewe may not read that in database ofbiz at db:1, execute deploy/database there again", false},
		{my(1143, "SELECT command denied"), "user krewe may not read that", false},
		{my(1698, "Access denied for user"), "db:1 refuses the login of user krewe", true},
		{my(1820, "You must reset your password"), "the password of user krewe at db:1 has expired", true},
		{my(3118, "Access denied for user. Account is locked."), "the account of user krewe at db:1 is locked", true},
		{my(3955, "Account is blocked for 1 day(s)"), "is locked", true},
		{my(4150, "User is blocked because of too many credential errors"), "is locked", true},
		{my(3159, "Connections using insecure transport are prohibited"), "db:1 takes connections with TLS only", true},
		{my(1251, "Client does not support authentication protocol"), "in a way that the exporter does not support", true},
		{my(1045, "Access denied for user"), "a view in database ofbiz at db:1 is broken", true}, // refused, where it is a login's
		{loginError{my(1045, "Access denied for user")}, "db:1 refuses the login of user krewe", true},
		{my(1047, "WSREP has not yet prepared node for application use"), "db:1 is starting or shutting down", false},
		{my(1114, "The table '/tmp/#sql' is full"), "db:1 has no disk space left", false},
		{my(1205, "Lock wait timeout exceeded"), "a table in database ofbiz at db:1 is locked", false},
		{my(1969, "Query execution was interrupted (max_statement_time exceeded)"), "db:1 had no answer in the time", false},
		{my(3024, "maximum statement execution time exceeded"), "db:1 had no answer in the time", false},
		{my(9001, "Max connect timeout reached while reaching hostgroup 0"), "the pooler or proxy at db:1 has no connection to its database server", false},
		{loginError{mysql.ErrOldPassword}, "in a way that the exporter does not support", true},
		{loginError{mysql.ErrCleartextPassword}, "in a way that the exporter does not support", true},
		{loginError{mysql.ErrMalformPkt}, "what answers at db:1 is not a database server", false},
		{pg("53300", "sorry, too many clients already"), "db:1 has no connection left", false},
		{pg("53300", `zu viele Verbindungen von Rolle »krewe«`, "InitializeSessionUserId"), "user krewe has reached a limit", false},
		{pg("57P03", "the database system is starting up"), "db:1 is starting or shutting down", false},
		{pg("57P01", "terminating connection due to administrator command"), "db:1 is starting or shutting down", false},
		{pg("42501", "permission denied for table job_sandbox"), "user krewe may not read that in database ofbiz", false},
		{pg("42501", `keine Berechtigung für Datenbank »ofbiz«`, "CheckMyDatabase"), "user krewe may not use database ofbiz at db:1", true},
		{pg("28000", `no pg_hba.conf entry for host "10.0.0.1", user "krewe", database "ofbiz", SSL encryption`), "does not let user krewe in from this machine, allow", true},
		{pg("28000", `no pg_hba.conf entry for host "10.0.0.1", user "krewe", database "ofbiz", no encryption`), "in from this machine without TLS", true},
		{pg("28000", `Rolle »krewe« existiert nicht`, "InitializeSessionUserId"), "db:1 has no user krewe who may log in", true},
		{pg("28000", `kein pg_hba.conf-Eintrag für Host »10.0.0.1«, keine Verschlüsselung`, "ClientAuthentication"), "does not let user krewe in from this machine, allow", true},
		{pg("40001", "storniere Anfrage wegen Konflikt mit der Wiederherstellung", "ProcessInterrupts"), "the replica at db:1 broke off the statement", false},
		{pg(pooler, "no such database: ofbiz"), "db:1 has no database ofbiz", false},
		{pg(pooler, "no such user: krewe"), "db:1 refuses the login of user krewe", true},
		{pg(pooler, "auth failed"), "db:1 refuses the login of user krewe", true},
		{pg(pooler, "SASL authentication failed"), "db:1 refuses the login of user krewe", true},
		{pg(pooler, "unsupported startup parameter: search_path"), "the pooler at db:1 takes no such parameter", false},
		{pg(pooler, "no more connections allowed (max_client_conn)"), "db:1 has no connection left", false},
		{pg(pooler, "query_wait_timeout"), "the pooler at db:1 had no server connection free", false},
		{pg(pooler, "server login has been failing, try again later (server_login_retry)"), "the pooler or proxy at db:1 has no connection to its database server", false},
		{loginError{&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}}, "the certificate of db:1 is of an authority that is not trusted", false},
		{loginError{&tls.CertificateVerificationError{Err: x509.HostnameError{Certificate: &x509.Certificate{}, Host: "db"}}}, "the certificate of db:1 is for another name", false},
		{loginError{&tls.CertificateVerificationError{Err: x509.CertificateInvalidError{Reason: x509.Expired}}}, "the certificate of db:1 has expired", false},
		{loginError{&net.OpError{Op: "remote error", Err: errors.New("tls: bad certificate")}}, "db:1 does not accept the exporter's side of TLS", false},
		{loginError{&net.OpError{Op: "dial", Err: syscall.EHOSTUNREACH}}, "db:1 cannot be reached, check the address, the route", false},
		{loginError{&net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded}}, "db:1 cannot be reached", false},
		{loginError{&net.DNSError{Name: "db", IsTimeout: true}}, "no name server answers for the host db:1", false},
		{loginError{&net.DNSError{Name: "db", IsNotFound: true}}, "no name server knows the host db:1", false},
		{context.DeadlineExceeded, "", false}, // of a statement
		{errors.New("something else"), "", false},
	} {
		words := target{"db:1", "krewe", "secret", "ofbiz"}.explain(fmt.Errorf("connect: %w", c.err))
		if !strings.Contains(words, c.want) || (words == "") != (c.want == "") || strings.Contains(words, "{") {
			t.Errorf("%v: %q, want %q in it", c.err, words, c.want)
		}
		if refuses(c.err) != c.refusal {
			t.Errorf("%v: is it a refusal? %v", c.err, !c.refusal)
		}
	}
}
