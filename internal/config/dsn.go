package config

import (
	"fmt"
	"net"
	"regexp"
	"slices"
	"strings"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// What a DSN does without database.tls, and what to do then.
const (
	plainText = " sends the data over the network in plain text: "
	fallsBack = " falls back to plain text, without notice, if the server offers no TLS: "
	anyServer = " accepts any server, because it does not verify the certificate: "
	anyName   = " accepts any server with a certificate from the same authority, because it does not verify the name: "
	tlsFix    = "add database.tls, with ca_file unless the server's certificate comes from a public authority"
)

const unknownParameter = " has the parameter %s with a name or value that the driver does not know: " +
	"write database.tls in its place, with ca_file, cert_file, key_file or server_name"

// aboutTLS matches the parameters by which the clients of MySQL and PostgreSQL, in all languages, set TLS.
var aboutTLS = regexp.MustCompile(`(?i)ssl|tls|certificate`)

// judgeMySQL is Database.judge.
func judgeMySQL(dsn string, settings *TLS) (fault, risk string) {
	const hint = "write one such as user:password@tcp(host:3306)/database"
	if key := mysqlParameter(dsn); key != "" {
		return fmt.Sprintf(unknownParameter, key), ""
	}
	cfg, err := mysql.ParseDSN(dsn)
	if err != nil {
		return " does not contain a DSN for mysql: " + hint, ""
	}
	if cfg.DBName == "" {
		return " does not name a database: " + hint, ""
	}
	host, _, err := net.SplitHostPort(cfg.Addr)
	socket := cfg.Net == "unix" || err != nil
	fix := tlsFix
	if cfg.TLSConfig != "" {
		fix = "remove tls from it, and " + tlsFix
	}
	switch {
	case settings != nil && cfg.TLSConfig != "":
		return " has the parameter tls, and database.tls is set too: remove the parameter", ""
	case settings != nil && cfg.AllowFallbackToPlaintext:
		return " has the parameter allowFallbackToPlaintext, and database.tls is set too: remove the parameter", ""
	case settings != nil && socket && settings.ServerName == "":
		return " names a Unix socket, so the name in the server's certificate is unknown: write it as " +
			"database.tls.server_name, or remove tls", ""
	case settings != nil || socket || local(host):
	case cfg.TLS == nil:
		return "", plainText + fix
	case cfg.AllowFallbackToPlaintext:
		return "", fallsBack + fix
	case cfg.TLS.InsecureSkipVerify:
		return "", anyServer + fix
	}
	return "", ""
}

var mysqlParameters = regexp.MustCompile(`[?&]([\w-]+)=([^&]*)`)

// mysqlParameter returns the first parameter about TLS with which the driver cannot do anything, or nothing. The driver
// itself passes unknown parameters on to the server, and reads a path as the end of the address.
func mysqlParameter(dsn string) string {
	modes := []string{"true", "false", "1", "0", "skip-verify", "preferred"}
	for _, match := range mysqlParameters.FindAllStringSubmatch(dsn[strings.LastIndexByte(dsn, ')')+1:], -1) {
		key, value := match[1], match[2]
		if aboutTLS.MatchString(key) && (key != "tls" || !slices.Contains(modes, strings.ToLower(value))) {
			return key
		}
	}
	return ""
}

// postgresTLS matches a parameter about TLS in either form of DSN. With sslnegotiation it is only said when TLS begins.
var postgresTLS = regexp.MustCompile(`(?:^|[\s?&])(ssl(?:mode|rootcert|cert|key|password|certmode|sni|crl|crldir|compression)?)\s*=`)

// judgePostgres is Database.judge.
func judgePostgres(dsn string, settings *TLS) (fault, risk string) {
	const hint = "write one such as postgres://user:password@host:5432/database"
	parameter := ""
	if match := postgresTLS.FindStringSubmatch(dsn); match != nil {
		parameter = match[1]
	}
	cfg, err := pgx.ParseConfig(dsn)
	switch {
	case err != nil && parameter != "":
		return fmt.Sprintf(" does not contain a DSN for postgres, or one whose parameter %s cannot be used: %s, and TLS as database.tls",
			parameter, hint), ""
	case err != nil:
		return " does not contain a DSN for postgres: " + hint, ""
	case settings != nil && parameter != "":
		return fmt.Sprintf(" has the parameter %s, and database.tls is set too: remove the parameter", parameter), ""
	}
	// Pgx takes any key for a setting of the server: that of a DSN for mysql with parameters, too, and the server's error
	// would then quote it.
	for key := range cfg.RuntimeParams {
		if !plain(key) {
			return " does not contain a DSN for postgres: " + hint, ""
		}
		if aboutTLS.MatchString(key) {
			return fmt.Sprintf(unknownParameter, key), ""
		}
	}
	fix := tlsFix
	if parameter != "" {
		fix = "remove the ssl parameters from it, and " + tlsFix
	}
	return postgresRisks(fix, cfg, settings)
}

// postgresRisks checks each way in which the driver may reach a server: it tries one after the other.
func postgresRisks(fix string, cfg *pgx.ConnConfig, settings *TLS) (fault, risk string) {
	ways := append([]*pgconn.FallbackConfig{{Host: cfg.Host, TLSConfig: cfg.TLSConfig}}, cfg.Fallbacks...)
	var plain, encrypted, unverified, nameless bool
	for _, way := range ways {
		switch {
		case settings != nil && strings.HasPrefix(way.Host, "/"):
			return " names a Unix socket, on which PostgreSQL has no TLS: write a host, or remove database.tls", ""
		case local(way.Host):
		case way.TLSConfig == nil:
			plain = true
		default:
			encrypted = true
			nameless = nameless || way.TLSConfig.VerifyPeerCertificate != nil
			unverified = unverified || way.TLSConfig.InsecureSkipVerify && way.TLSConfig.VerifyPeerCertificate == nil
		}
	}
	switch {
	case settings != nil:
	case plain && encrypted:
		return "", fallsBack + fix
	case plain:
		return "", plainText + fix
	case unverified:
		return "", anyServer + fix
	case nameless:
		return "", anyName + fix
	}
	return "", ""
}
