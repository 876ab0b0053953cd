package superset

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/oms"
)

// maxText is how many letters of a failure's text are shown.
const maxText = 500

// failure is an oms.ReportFailure on its way up.
type failure struct {
	oms.ReportFailure
	wait time.Duration // for how long the server wants to be left alone, if it says so
}

func (f *failure) Error() string { return f.Text }

// reason returns why an error happened, or nothing where that is not known.
func reason(err error) oms.ReportReason {
	if f, ok := errors.AsType[*failure](err); ok {
		return f.Reason
	}
	return ""
}

// fail returns a failure whose text has no secrets.
func (a *account) fail(reason oms.ReportReason, format string, args ...any) *failure {
	return &failure{ReportFailure: oms.ReportFailure{Reason: reason, Text: brief(a.mask(fmt.Sprintf(format, args...)))}}
}

// brief returns a text in one line of bounded length.
func brief(text string) string {
	letters := []rune(strings.TrimRight(strings.Join(strings.Fields(text), " "), ": "))
	if len(letters) <= maxText {
		return string(letters)
	}
	return string(letters[:maxText]) + "…"
}

// foreign matches secrets that are not the exporter's: Superset quotes the address of a data source, which may have a
// password or a token in it (Tathya's Solr has).
var foreign = regexp.MustCompile(`eyJ[\w-]+\.[\w-]+\.[\w-]*|://[^/@\s]+@|(?i:bearer) [\w.~+/=-]{8,}|` +
	`(?i:token|jwt|password|passwd|pwd|secret|api_?key)=[^&\s"']+`)

// minCookie is how many letters a cookie has that is a secret. Load balancers set shorter ones: the name of a server.
const minCookie = 8

// mask masks what a Superset or a proxy quotes of secrets.
func (a *account) mask(text string) string {
	held := a.held()
	secrets := []string{held.access, held.refresh, held.csrf}
	for _, c := range held.cookies {
		if len(c.Value) >= minCookie {
			secrets = append(secrets, c.Value)
		}
	}
	for _, s := range []config.Secret{a.config.Password, a.config.Token} {
		if secret, err := s.Read(); err == nil {
			quoted, _ := json.Marshal(secret)
			secrets = append(secrets, secret, url.QueryEscape(secret), strings.Trim(string(quoted), `"`))
		}
	}
	text = config.Redact(errors.New(text), secrets...).Error()
	return foreign.ReplaceAllString(text, "<secret>")
}

// What data sources say, by what is to be done about it. Superset has no types for these errors: it passes on the text of
// the driver, or that with which it replaces it (extract_errors in its db_engine_specs). Behind a column of such a name
// stands a quote or an underscore.
var (
	sourceRefuses = regexp.MustCompile(`(?i)\b(authentication failed|login failed|access denied|(permission|command) denied|` +
		`username or password|password (is|provided).*incorrect|password is incorrect|` +
		`401 (client error|unauthorized)|403 (client error|forbidden)|http (status )?40[13]|unauthorized:|` +
		`(token|jwt|signature)( is| has)? (expired|invalid)|(expired|invalid) (token|jwt|signature))\b`)
	sourceIsAway = regexp.MustCompile(`(?i)\b(connection refused|refused the connection|connection to server|gone away|` +
		`(could not|cannot|can't|unable to|failed to) connect|closed the connection|(lost|no) connection|` +
		`connection (timed out|reset|aborted)|connect timeout|communications link failure|terminating connection|` +
		`could not translate host name|name or service not known|failed to resolve|getaddrinfo failed|` +
		`unknown mysql server host|might be down|max retries exceeded|no route to host|too many (connections|clients)|` +
		`unable to open database file|unknown database|shutting down|starting up)\b`)
	sourceIsSlow = regexp.MustCompile(`(?i)\b((statement|query|lock|read) timeout|timeout (expired|exceeded)|tim(ed|e) out|` +
		`max_statement_time|maximum (statement )?execution time)\b`)
)

// dataReason tells why a chart has no data from what Superset says about it.
func dataReason(status int, words string) oms.ReportReason {
	switch {
	case sourceRefuses.MatchString(words):
		return oms.ReportDataSourceLogin
	case sourceIsAway.MatchString(words):
		return oms.ReportDataSource
	case sourceIsSlow.MatchString(words):
		return oms.ReportTimeout
	case status >= http.StatusInternalServerError:
		return oms.ReportServerError
	}
	return oms.ReportQuery
}
