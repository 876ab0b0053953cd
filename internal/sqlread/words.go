package sqlread

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"regexp"
	"slices"
	"strings"
	"syscall"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/pgconn"
)

// A target is what a DSN says of the database: where it is, and who logs in.
type target struct{ address, user, password, database string }

// A fault is a kind of trouble that people meet, by the codes and words of the servers and poolers.
type fault struct {
	mysql    []uint16
	postgres []string // SQLSTATE
	routine  string   // that of PostgreSQL which complains, where the code alone does not tell: a server may speak any language
	says     string   // a pattern, where a server that speaks English tells more
	pooler   string   // a pattern of what PgBouncer says by itself or quotes of its server, under one code for everything
	logged   bool     // only of one who is logged in
	// words say what is wrong and what to do, with {address}, {user} and {database} of the target.
	words string
	// refusal means that the server rejects the user of the DSN: it may lock the account after too many attempts.
	refusal bool
}

// fromPooler is PgBouncer's code.
const fromPooler = "08P01"

// faults returns the kinds. The first that fits counts.
func faults() []fault {
	const (
		invalidLogin = "28000"
		noGrant      = "42501"
		noConnection = "53300"
		identifies   = "InitializeSessionUserId"
	)
	return []fault{
		{mysql: []uint16{1045, 1356, 1449}, logged: true, // of one who is logged in, the first is no refused login
			words: "a view in database {database} at {address} is broken, or its definer is gone or lacks a grant, " +
				"correct that or create the view again"},
		{postgres: []string{invalidLogin}, says: "no encryption|SSL off", pooler: "no pg_hba.conf entry.*(no encryption|SSL off)",
			words: "{address} does not let user {user} in from this machine without TLS, use TLS (database.tls) or allow it in pg_hba.conf", refusal: true},
		{postgres: []string{invalidLogin}, routine: identifies, pooler: "role .* does not exist|not permitted to log in",
			words: "{address} has no user {user} who may log in, check the user name in the DSN or create the user by deploy/database", refusal: true},
		{mysql: []uint16{1130}, postgres: []string{invalidLogin}, pooler: "pg_hba.conf",
			words: "{address} does not let user {user} in from this machine, allow its address to the account (in PostgreSQL by pg_hba.conf, " +
				"which may also ask for TLS)", refusal: true},
		{mysql: []uint16{1045, 1698}, words: wrongPassword + "; the account may also be for other hosts, or for TLS only", refusal: true},
		{postgres: []string{"28P01"}, pooler: "no such user|auth.* failed", words: wrongPassword, refusal: true},
		{mysql: []uint16{1049}, postgres: []string{"3D000"}, pooler: "no such database|database .* does not exist",
			words: "{address} has no database {database}, check its name in the DSN"},
		{mysql: []uint16{1044}, words: noDatabaseGrant, refusal: true},
		{postgres: []string{noGrant}, routine: "CheckMyDatabase", pooler: "permission denied for database", words: noDatabaseGrant, refusal: true},
		{mysql: []uint16{1142, 1143, 1370}, postgres: []string{noGrant},
			words: "user {user} may not read that in database {database} at {address}, execute deploy/database there again"},

		{mysql: []uint16{1203, 1226}, words: userLimit},
		{postgres: []string{noConnection}, routine: identifies, pooler: "connections for role", words: userLimit},
		{mysql: []uint16{1040}, postgres: []string{noConnection}, pooler: "no more connections|too many|remaining connection slots",
			words: "{address} has no connection left, find who holds them or raise its limit"},
		{pooler: "query_wait_timeout", words: "the pooler at {address} had no server connection free, find who holds them or raise its pool_size"},

		{mysql: []uint16{1047, 1053, 1079, 3032, 3169}, postgres: []string{"57P01", "57P02", "57P03"}, pooler: "shutting down|starting up",
			words: "{address} is starting or shutting down, wait until it is ready"},
		{mysql: []uint16{1129}, words: "{address} has blocked this machine after too many broken connections, " +
			"execute FLUSH HOSTS there and find what breaks them"},
		{mysql: []uint16{3118, 3955, 4150, 4151},
			words: "the account of user {user} at {address} is locked, correct the password and then execute ALTER USER … ACCOUNT UNLOCK there", refusal: true},
		{mysql: []uint16{1820, 1862},
			words: "the password of user {user} at {address} has expired, set one that does not expire and write it into the DSN", refusal: true},
		{mysql: []uint16{1251, 1524, 2059, 3680}, words: unsupportedLogin, refusal: true},
		{mysql: []uint16{3159}, pooler: "(SSL|TLS) required", words: "{address} takes connections with TLS only, turn it on for this client by database.tls", refusal: true},
		{mysql: []uint16{1184}, words: "the init_connect of {address} fails for user {user}, correct that setting or grant what it needs"},
		{mysql: []uint16{1317, 1969, 3024}, postgres: []string{"57014"},
			words: "{address} had no answer in the time that the statement had, or somebody cancelled it: find what loads the server or locks its tables"},
		{mysql: []uint16{1205}, postgres: []string{"55P03"}, words: "a table in database {database} at {address} is locked, find who locks it"},
		{mysql: []uint16{1021, 1114}, postgres: []string{"53100"}, words: "{address} has no disk space left for what it sorts, free some"},
		{postgres: []string{"55000"}, words: "a materialized view in database {database} at {address} has no data yet, execute REFRESH MATERIALIZED VIEW"},
		{postgres: []string{"40001"}, // of one who only reads
			words: "the replica at {address} broke off the statement to apply changes, raise its max_standby_streaming_delay"},
		{pooler: "startup parameter", words: "the pooler at {address} takes no such parameter, remove it from the DSN and set it with ALTER USER instead"},
		{mysql: []uint16{2002, 2003, 2005, 2013, 9001, 9002}, postgres: []string{"08006"}, pooler: ".",
			words: "the pooler or proxy at {address} has no connection to its database server, check that server and the pooler's log"},
	}
}

const (
	wrongPassword    = "{address} refuses the login of user {user}, check the user name and the password in the DSN"
	noDatabaseGrant  = "user {user} may not use database {database} at {address}, check its name in the DSN or execute deploy/database there"
	userLimit        = "user {user} has reached a limit of its account at {address}, raise it as deploy/database says"
	unsupportedLogin = "{address} wants user {user} to prove who it is in a way that the exporter does not support, " +
		"give the account a password with the server's default plugin"
)

// faultOf returns the kind of what a server or pooler said, or nil.
func faultOf(err error) *fault {
	my, isMySQL := errors.AsType[*mysql.MySQLError](err)
	pg, isPostgres := errors.AsType[*pgconn.PgError](err)
	isLogin := errors.As(err, new(loginError))
	for _, f := range faults() {
		var pattern, message string
		switch {
		case isMySQL && slices.Contains(f.mysql, my.Number) && (!f.logged || !isLogin):
			pattern, message = f.says, my.Message
		case isPostgres && slices.Contains(f.postgres, pg.Code) && (f.routine == "" || f.routine == pg.Routine):
			pattern, message = f.says, pg.Message
		case isPostgres && pg.Code == fromPooler && f.pooler != "":
			pattern, message = f.pooler, pg.Message
		default:
			continue
		}
		if regexp.MustCompile("(?i)" + pattern).MatchString(message) {
			return &f
		}
	}
	return nil
}

// refuses says whether the server has refused a login because of who logs in.
func refuses(err error) bool {
	if f := faultOf(loginError{err}); f != nil {
		return f.refusal
	}
	return isOneOf(err, mysql.ErrOldPassword, mysql.ErrCleartextPassword, mysql.ErrNativePassword, mysql.ErrUnknownPlugin)
}

func isOneOf(err error, targets ...error) bool {
	return slices.ContainsFunc(targets, func(t error) bool { return errors.Is(err, t) })
}

// isMySQL says whether err is a MySQL server's with that number.
func isMySQL(err error, number uint16) bool {
	my, is := errors.AsType[*mysql.MySQLError](err)
	return is && my.Number == number
}

// explain says what is wrong, and what to do, or nothing where it is not known.
func (t target) explain(err error) string {
	words := ""
	switch f := faultOf(err); {
	case f != nil && t.password == "" && strings.HasPrefix(f.words, wrongPassword):
		words = "{address} refuses the login of user {user}, who has sent no password: write it into the DSN"
	case f != nil:
		words = f.words
	case errors.As(err, new(loginError)):
		words = explainLogin(err)
	}
	return strings.NewReplacer("{address}", t.address, "{user}", t.user, "{database}", t.database).Replace(words)
}

// explainLogin says why there is no connection where no server has said so.
func explainLogin(err error) string {
	name, isName := errors.AsType[*net.DNSError](err)
	network, isNetwork := errors.AsType[*net.OpError](err)
	certificate, isCertificate := errors.AsType[x509.CertificateInvalidError](err)
	switch text := err.Error(); {
	case isName && name.IsNotFound:
		return "no name server knows the host {address}, check its name in the DSN"
	case isName:
		return "no name server answers for the host {address}, check the network and the DNS of this machine"
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.ENOENT) && isNetwork:
		return "nothing listens at {address}, check the address, and whether the server runs"
	case isNetwork && network.Op == "dial":
		return "{address} cannot be reached, check the address, the route and the firewalls"

	case errors.Is(err, mysql.ErrNoTLS), strings.Contains(text, "server refused TLS connection"):
		return "{address} does not support TLS, turn it on there, or off for this client in database.tls and the DSN"
	case errors.As(err, new(x509.UnknownAuthorityError)):
		return "the certificate of {address} is of an authority that is not trusted here, name that authority's certificate as database.tls.ca_file"
	case errors.As(err, new(x509.HostnameError)):
		return "the certificate of {address} is for another name, write that name into the DSN or as database.tls.server_name"
	case isCertificate && certificate.Reason == x509.Expired:
		return "the certificate of {address} has expired, or the clock of this machine is wrong: renew the certificate"
	case isCertificate:
		return "the certificate of {address} is not valid, have another one made"
	case isNetwork && network.Op == "remote error": // an alert, as crypto/tls has it
		return "{address} does not accept the exporter's side of TLS, check the client certificate in database.tls and the TLS versions"
	case errors.As(err, new(tls.RecordHeaderError)):
		return notDatabase

	case isOneOf(err, mysql.ErrOldPassword, mysql.ErrCleartextPassword, mysql.ErrNativePassword, mysql.ErrUnknownPlugin),
		strings.Contains(text, "unknown authentication message"):
		return unsupportedLogin
	case errors.Is(err, context.DeadlineExceeded):
		return "{address} is reached, but does not answer a login: check that it is a database server and not overloaded, " +
			"and the server behind it where it is a pooler"
	case isOneOf(err, mysql.ErrInvalidConn, driver.ErrBadConn, io.EOF, io.ErrUnexpectedEOF, syscall.ECONNRESET, syscall.EPIPE):
		return "{address} hung up during the login: check that it is a database server, and the one behind it where it is a pooler or balancer"
	case isOneOf(err, mysql.ErrMalformPkt, mysql.ErrPktSync, mysql.ErrPktSyncMul, mysql.ErrPktTooLarge, mysql.ErrOldProtocol, mysql.ErrBusyBuffer),
		protocolError.MatchString(text):
		return notDatabase
	}
	return ""
}

const notDatabase = "what answers at {address} is not a database server of this kind, check host and port in the DSN"

// protocolError matches what pgx and MySQL's driver say of bytes that make no sense to them, for which they have no type.
var protocolError = regexp.MustCompile(`unknown message type|invalid (message|response|body)|unexpected (message|packet)|unsupported protocol`)
