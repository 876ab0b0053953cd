package superset

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/oms"
)

// maxComplaint is how many bytes of an error are read.
const maxComplaint = 64 << 10

// signIn matches where one is asked to log in.
var signIn = regexp.MustCompile(`(?i)log-?in|sign-?in|oauth|saml|(\b|_)sso(\b|_)`)

// responseError says why the answer is another than was asked for.
func (a *account) responseError(q request, response *http.Response) error {
	status := response.StatusCode
	if location, err := response.Location(); err == nil && status < http.StatusBadRequest {
		location.User, location.RawQuery, location.Fragment = nil, "", "" // there may be secrets in them
		if signIn.MatchString(location.String()) {
			return a.fail(oms.ReportLogin, "%s redirects to the login page %s: its API must accept a bearer token",
				a.config.URL, location)
		}
		return a.fail(oms.ReportBadAnswer, "%s redirects to %s, write the url at which it responds itself",
			a.config.URL, location)
	}
	words, token := errorBody(response)
	words = a.mask(words)
	switch {
	case status == http.StatusUnauthorized, status == http.StatusUnprocessableEntity && token:
		return fmt.Errorf("%w: %s", errToken, brief(words))
	case status == http.StatusBadRequest && strings.Contains(words, "CSRF"):
		return errCSRF
	case status == http.StatusAccepted:
		return a.fail(oms.ReportBadAnswer, "%s computes charts in the background (GLOBAL_ASYNC_QUERIES), which is not supported",
			a.config.URL)
	case status == http.StatusTooManyRequests:
		f := a.fail(oms.ReportRateLimited, "%s limits the rate of requests (%s), increase superset.interval: %s",
			a.config.URL, response.Status, words)
		if seconds, err := strconv.ParseUint(response.Header.Get("Retry-After"), 10, 32); err == nil {
			f.wait = time.Duration(seconds) * time.Second
		}
		return f
	case q.login && status < http.StatusInternalServerError && status != http.StatusNotFound:
		return fmt.Errorf("%w: %s", errToken, brief(words))
	case status == http.StatusForbidden:
		return a.fail(oms.ReportPermission, "%s may not see it, grant it in Superset: %s", a.user(), words)
	case status == http.StatusNotFound && !q.data && !q.login:
		return a.fail(oms.ReportNotFound, "%s does not have it, or hides it from %s: %s", a.config.URL, a.user(), words)
	case status == http.StatusGatewayTimeout, status == http.StatusRequestTimeout:
		return a.fail(oms.ReportTimeout, "%s has not answered in time (%s): %s", a.config.URL, response.Status, words)
	case q.data && words != "" && status != http.StatusBadGateway && status != http.StatusServiceUnavailable:
		return a.fail(dataReason(status, words), "%s", words)
	case status >= http.StatusInternalServerError:
		return a.fail(oms.ReportServerError, "%s fails (%s), its log says why: %s", a.config.URL, response.Status, words)
	}
	return a.fail(oms.ReportBadAnswer, "%s rejects the request (%s): %s", a.config.URL, response.Status, words)
}

// errorBody returns what an error says in words. Errors about a token have another form than Superset's own.
func errorBody(response *http.Response) (words string, token bool) {
	var said struct {
		Message json.RawMessage
		Errors  []struct{ Message string }
		Error   string
		Msg     string
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxComplaint))
	if err != nil || json.Unmarshal(body, &said) != nil {
		return "", false // a page, mostly, of which nobody wants to read the source
	}
	switch {
	case said.Msg != "":
		return said.Msg, true
	case len(said.Errors) > 0:
		return said.Errors[0].Message, false
	case said.Error != "":
		return said.Error, false
	case json.Unmarshal(said.Message, &words) == nil:
		return words, false
	}
	return string(said.Message), false
}
