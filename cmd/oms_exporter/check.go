package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"

	"github.com/oms-exporter/oms_exporter/internal/check"
	"github.com/oms-exporter/oms_exporter/internal/config"
)

// checkedAtOnce is how many clients are looked at at a time.
const checkedAtOnce = 16

// unchecked is what the check cannot know.
const unchecked = "not checked: rules/limits.yml, which has the limits and deadlines that the exporter's configuration does not have"

// errWrong is why the check fails; it has said the rest.
var errWrong = errors.New("the check found something wrong")

// check logs in wherever the configuration of the named clients leads, or of all, and writes what it finds: as lines of text
// or, for output json, one object a line. Sanity asks for what has been seen of each client, too. What has not been seen yet is no
// error: right after a migration nothing has come yet, and the configuration is no less right for that.
func (s options) check(ctx context.Context, logger *slog.Logger, names []string, output string, sanity bool, stdout, stderr io.Writer) error {
	cfg, err := heeding(ctx, func() (*config.Config, error) { return config.Load(s.configFiles...) })
	if err != nil {
		return err
	}
	chosen, err := chooseClients(cfg.Clients, names)
	if err != nil {
		return err
	}
	open := openSources(logger)
	found := make([][]check.Finding, len(chosen))
	places := make(chan struct{}, checkedAtOnce)
	var wg sync.WaitGroup
	for i, client := range chosen {
		wg.Go(func() {
			places <- struct{}{}
			defer func() { <-places }()
			found[i] = s.checkClient(ctx, client, open, sanity)
		})
	}
	wg.Wait()
	all := slices.Concat(found...)
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("the check was ended: %w", context.Cause(ctx))
	}
	if err := writeFindings(stdout, all, output); err != nil {
		return err
	}
	if _, err := fmt.Fprintln(stderr, unchecked); err != nil {
		return err
	}
	if slices.ContainsFunc(all, func(f check.Finding) bool { return !f.OK }) {
		return errWrong
	}
	return nil
}

// chooseClients returns the clients of those names, or all where there are none.
func chooseClients(all []config.Client, names []string) ([]config.Client, error) {
	if len(names) == 0 {
		return all, nil
	}
	var known []string
	for _, c := range all {
		known = append(known, c.Name)
	}
	for _, name := range names {
		if !slices.Contains(known, name) {
			return nil, fmt.Errorf("--client=%s: the configuration has no such client, only %s", name, strings.Join(known, ", "))
		}
	}
	return slices.DeleteFunc(slices.Clone(all), func(c config.Client) bool { return !slices.Contains(names, c.Name) }), nil
}

// checkClient opens what the client's configuration names, for a look.
func (s options) checkClient(ctx context.Context, client config.Client, open opener, sanity bool) []check.Finding {
	wrong := func(err error) check.Finding {
		return check.Finding{Client: client.Name, Area: "client", Problem: err.Error(), Fix: "Correct the client's configuration."}
	}
	sources, _, err := open(client)
	if err != nil {
		return []check.Finding{wrong(err)}
	}
	found := check.Client(ctx, client, check.Sources{
		OMS: sources.OMS, DropFolders: sources.DropFolders, Reports: sources.Reports,
		Skips:  func(collector string) bool { return !slices.Contains(s.collectorNames(), collector) },
		Sanity: sanity,
	})
	if err := sources.Close(); err != nil {
		found = append(found, wrong(err))
	}
	return found
}

// writeFindings writes one line for each.
func writeFindings(w io.Writer, all []check.Finding, output string) error {
	for _, f := range all {
		line := fmt.Sprintf("%s: %s: ok", f.Client, f.Area)
		switch {
		case output == "json":
			text, err := json.Marshal(f)
			if err != nil {
				return err
			}
			line = string(text)
		case f.Note != "":
			line = fmt.Sprintf("%s: %s: %s", f.Client, f.Area, f.Note)
		case !f.OK:
			line = fmt.Sprintf("%s: %s: WRONG: %s. Fix: %s", f.Client, f.Area, strings.TrimRight(f.Problem, "."), f.Fix)
		}
		if _, err := fmt.Fprintln(w, line); err != nil {
			return err
		}
	}
	return nil
}
