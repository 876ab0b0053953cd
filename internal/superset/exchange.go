package superset

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"math"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/oms"
	"github.com/oms-exporter/oms_exporter/internal/trace"
)

const (
	// maxData, maxChart and maxPage are how many bytes of a chart's data and a dashboard's datasets, which are not held, of a chart's
	// settings, of which several are held at a time, and of any other answer are read, unpacked. Superset sends 50 000 rows at most, unless it is
	// told otherwise.
	maxData  = 32 << 20
	maxChart = 1 << 20
	maxPage  = 8 << 20
)

// request is one request to the API.
type request struct {
	method, path string
	about        string // what it is for, for people
	body         []byte // JSON
	bearer       string
	login        bool // it is for a login
	chart        bool // it is for a chart's settings
	streamed     bool // the answer is read piece by piece
	// data: it is for a chart's data, so the data source may be what fails; timeout is how long it may take. Zero is
	// that of the account.
	data    bool
	timeout time.Duration
	cookies *[]*http.Cookie // gets those that are set
}

// limit is how many bytes the answer may have, unless it is data.
func (q request) limit() int {
	if q.chart {
		return maxChart
	}
	return maxPage
}

// reader reads an answer, and returns how many rows that has.
type reader func(*guard) (int, error)

// decode returns a reader of an answer that is no data.
func decode(to any) reader {
	return func(r *guard) (int, error) { return 0, json.NewDecoder(r).Decode(to) }
}

var errSlow = errors.New("no answer in time")

// send sends a request as soon as the server has a slot for it, and has read read the answer, which is JSON. It says how
// long that took.
func (a *account) send(ctx context.Context, q request, read reader) (time.Duration, error) {
	select {
	case a.slots <- struct{}{}:
		defer func() { <-a.slots }()
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
	timeout := q.timeout
	if timeout == 0 {
		timeout = a.timeout
	}
	limited, cancel := context.WithTimeoutCause(ctx, timeout, errSlow)
	defer cancel()
	start := time.Now()
	rows, err := a.exchange(limited, q, read)
	switch {
	case err == nil:
	case ctx.Err() != nil: // the caller's doing
		err = context.Cause(ctx)
	case limited.Err() != nil:
		err = a.fail(oms.ReportTimeout, "%s has not answered within %s", a.config.URL, timeout)
	default:
		err = a.explain(q, err)
	}
	took := time.Since(start)
	trace.From(ctx)(strings.TrimSpace(q.method+" "+q.path+" "+q.about), took, rows, err)
	return took, err
}

func (a *account) exchange(ctx context.Context, q request, read reader) (rows int, err error) {
	r, err := http.NewRequestWithContext(ctx, q.method, a.config.URL+q.path, bytes.NewReader(q.body))
	if err != nil {
		return 0, err
	}
	r.Header.Set("Accept", "application/json") // else errors are pages
	r.Header.Set("Accept-Language", "en")
	r.Header.Set("User-Agent", "oms_exporter")
	if q.bearer != "" {
		r.Header.Set("Authorization", "Bearer "+q.bearer)
	}
	if q.method == http.MethodPost {
		r.Header.Set("Content-Type", "application/json")
		if held := a.held(); held.csrf != "" {
			r.Header.Set("X-CSRFToken", held.csrf)
			r.Header.Set("Referer", a.config.URL)
			for _, c := range held.cookies {
				r.AddCookie(c)
			}
		}
	}
	response, err := a.http.Do(r)
	if err != nil {
		return 0, err
	}
	defer func() {
		_, _ = io.CopyN(io.Discard, response.Body, 1<<10) // what is left of a good answer, so that the connection is kept
		_ = response.Body.Close()
	}()
	if response.StatusCode != http.StatusOK {
		return 0, a.responseError(q, response)
	}
	if kind := response.Header.Get("Content-Type"); !isJSON(kind) {
		return 0, a.fail(oms.ReportBadAnswer, "%s answers with %s in place of JSON, check the url", a.config.URL, kind)
	}
	if q.cookies != nil {
		*q.cookies = response.Cookies()
	}
	if q.data || q.streamed {
		return read(&guard{r: response.Body, left: maxData, elements: math.MaxInt})
	}
	return read(&guard{r: response.Body, left: q.limit(), elements: maxElements})
}

func isJSON(contentType string) bool {
	kind, _, err := mime.ParseMediaType(contentType)
	return err == nil && kind == "application/json"
}

// explain says why there is no whole answer.
func (a *account) explain(q request, err error) error {
	var known *failure
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &known), errors.Is(err, errToken), errors.Is(err, errCSRF):
		return err
	case errors.Is(err, errTooLarge):
		if q.data {
			return a.fail(oms.ReportTooLarge, "the data has more than %d MiB, or one row more than %d KiB: give the chart a row limit",
				maxData>>20, maxRow>>10)
		}
		if q.streamed {
			return a.fail(oms.ReportTooLarge, "the answer to %s has more than %d MiB, %d datasets, or %d KiB in one value",
				q.path, maxData>>20, 2*maxCharts, maxRow>>10)
		}
		return a.fail(oms.ReportTooLarge, "the answer to %s has more than %d MiB or %d values", q.path, q.limit()>>20, maxElements)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return a.fail(oms.ReportUnreachable, "the response of %s is cut off", a.config.URL)
	case errors.As(err, &syntax), errors.As(err, &kind), errors.Is(err, errForm):
		return a.fail(oms.ReportBadAnswer, "%s answers with JSON that is not Superset's: %v", a.config.URL, err)
	}
	if outer, ok := errors.AsType[*url.Error](err); ok {
		err = outer.Err
	}
	if words := a.distrust(err); words != "" {
		return a.fail(oms.ReportUnreachable, "%s %s", a.config.URL, words)
	}
	return a.fail(oms.ReportUnreachable, "%s cannot be reached: %v", a.config.URL, err)
}
