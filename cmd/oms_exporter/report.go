package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	htmltemplate "html/template"
	"io"
	"strings"
	texttemplate "text/template"
	"time"

	"github.com/alecthomas/kingpin/v2"
)

var (
	//go:embed report.html
	reportHTML string
	//go:embed report.md
	reportMarkdown string
)

// reportWithin is how long the queries of a report may take together. Some read 800 000 samples.
const reportWithin = 2 * time.Minute

// reporting is the command report, with its flags.
type reporting struct {
	command            *kingpin.CmdClause
	prometheus, client string
	month, output      string
}

func newReporting(command *kingpin.CmdClause) *reporting {
	r := &reporting{command: command}
	command.Flag("prometheus", "URL of the Prometheus that has the recorded service levels. Default: --prometheus.url.").
		PlaceHolder("URL").StringVar(&r.prometheus)
	command.Flag("client", "The client's name.").Required().PlaceHolder("NAME").StringVar(&r.client)
	command.Flag("month", "Month of the report, on the client's clock.").Required().PlaceHolder("YYYY-MM").StringVar(&r.month)
	command.Flag("output", "Output format: html or markdown.").Default("html").EnumVar(&r.output, "html", "markdown")
	return r
}

// run writes the service levels of the client in the month, as far as it has passed at the time now, to stdout. A month of which nothing
// is recorded is a page that says so, and a warning on stderr. fallback is the URL of --prometheus.url, or "".
func (r *reporting) run(ctx context.Context, fallback string, now time.Time, stdout, stderr io.Writer) error {
	base := fallback
	if r.prometheus != "" {
		var err error
		if base, err = prometheusURL("--prometheus", r.prometheus); err != nil {
			return err
		}
	}
	if base == "" {
		return errors.New("--prometheus=URL is required: a Prometheus that has the exporter's rules")
	}
	month, err := time.Parse("2006-01", r.month)
	if err != nil {
		return fmt.Errorf("--month must be a month such as 2026-10, it is %q", r.month)
	}
	reader := levelsReader{judge: newJudge(base), client: r.client}
	reader.judge.within = reportWithin
	asking, cancel := context.WithTimeout(ctx, reportWithin)
	defer cancel()
	levels, err := reader.levels(asking, month, now)
	if ctx.Err() != nil {
		return fmt.Errorf("the report was ended: %w", context.Cause(ctx))
	}
	if err != nil {
		return err
	}
	if levels.empty() {
		_, err := fmt.Fprintf(stderr, "warning: Prometheus at %s has no service levels of %s in %s: check that it loads rules/service_levels.yml, and for how long it keeps data (--storage.tsdb.retention.time)\n",
			base, r.client, r.month)
		if err != nil {
			return err
		}
	}
	return levels.page(now).write(stdout, r.output)
}

// write writes the page as html or markdown.
func (p reportPage) write(w io.Writer, format string) error {
	if format == "html" {
		return htmltemplate.Must(htmltemplate.New("").Parse(reportHTML)).Execute(w, p)
	}
	functions := texttemplate.FuncMap{"text": markdownText}
	return texttemplate.Must(texttemplate.New("").Funcs(functions).Parse(reportMarkdown)).Execute(w, p)
}

// markdownText escapes a text, so that Markdown shows it as it is, in one line.
func markdownText(text string) string {
	var escaped strings.Builder
	for _, letter := range strings.Join(strings.Fields(text), " ") {
		if strings.ContainsRune("\\`*_[]<>|#&~", letter) {
			escaped.WriteByte('\\')
		}
		escaped.WriteRune(letter)
	}
	return escaped.String()
}

// firstOf returns the first moment of the month, as the clocks in the zone show it.
func firstOf(year int, month time.Month, zone *time.Location) time.Time {
	first := time.Date(year, month, 1, 0, 0, 0, 0, zone)
	switch before := first.Add(-time.Hour); {
	case first.Day() != 1: // a change of the clocks skips midnight
		return first.Add(time.Hour)
	case before.Day() == 1: // midnight occurs twice
		return before
	default:
		return first
	}
}
