package dropfolder

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/oms"
	"github.com/oms-exporter/oms_exporter/internal/trace"
)

const (
	// maxChecks is how many files are read at a look. The next look goes on.
	maxChecks = 100
	// maxShown is how many bytes are shown of a file's name, and of its begin.
	maxShown = 200
)

// verdict is why the import would refuse a file, "" where it takes it, and how the file begins where it has another header.
type verdict struct {
	reason oms.InvalidReason
	begin  string
}

// verdicts are those of the files that have been read.
type verdicts map[fileID]verdict

// inbox is what a look finds of the waiting files.
type inbox struct {
	before, after verdicts // after the last look and after this one
	due           []file   // which have stood still from one look to the next, and are to be read
	refused       file     // the newest that the import would refuse, if its name is not empty
}

// add notes a file that is listed. One that is new, or changes, may still be written: it is not judged yet.
func (i *inbox) add(id fileID, f file, known bool) {
	v, judged := i.before[id]
	switch {
	case judged:
		i.keep(id, f, v)
	case known && len(i.due) < maxChecks:
		i.due = append(i.due, f)
	}
}

// keep notes the verdict on a file. Of files from the same second the last by name is the newest, so that looks agree.
func (i *inbox) keep(id fileID, f file, v verdict) {
	i.after[id] = v
	if last := i.refused; v.reason != "" && (last.name == "" || cmp.Or(cmp.Compare(f.modified, last.modified), cmp.Compare(f.name, last.name)) > 0) {
		i.refused = f
	}
}

// check counts the waiting files that the import would refuse, and returns the newest. One that cannot be read hides no other.
func (l *location) check(ctx context.Context, c *connection, i *inbox) (map[oms.InvalidReason]int, *oms.RefusedFile, error) {
	deadline, _ := ctx.Deadline()
	enough := time.Now().Add(time.Until(deadline) / 2)
	var failed error // the first
	for _, f := range i.due {
		if c.isLost() || !time.Now().Before(enough) {
			break
		}
		v, judged, err := l.judge(ctx, c, f)
		if judged {
			i.keep(l.identify(f), f, v)
		}
		if failed == nil {
			failed = err
		}
	}
	l.judged = i.after
	invalid := map[oms.InvalidReason]int{}
	for _, reason := range oms.InvalidReasons() {
		invalid[reason] = 0
	}
	for _, v := range i.after {
		if v.reason != "" {
			invalid[v.reason]++
		}
	}
	if i.refused.name == "" {
		return invalid, nil, failed
	}
	v := i.after[l.identify(i.refused)]
	return invalid, &oms.RefusedFile{Name: config.Brief(i.refused.name, maxShown), Reason: v.reason, Begin: v.begin}, failed
}

// judge reads a file. What has gone or changed meanwhile is left for the next look.
func (l *location) judge(ctx context.Context, c *connection, f file) (v verdict, judged bool, err error) {
	at := path.Join(l.config.Path, f.name)
	if f.size < 0 {
		return verdict{}, false, fmt.Errorf("the file %q cannot be judged, because the server does not tell a size that it can have: "+
			"move it away, or take format off the location", at)
	}
	start := time.Now()
	head, tail, after, err := c.read(at, f.size)
	trace.From(ctx)("check a file of "+l.config.Location, time.Since(start), 1, redact(l.config.Password, err))
	switch {
	case errors.Is(err, fs.ErrNotExist) || errors.Is(err, errEnd):
		return verdict{}, false, nil
	case err != nil:
		return verdict{}, false, pathError(l.config, "the file", at, err)
	case after.size != f.size || after.modified != f.modified:
		return verdict{}, false, nil
	}
	v.reason = checkFormat(head, tail, f.size)
	if v.reason == oms.InvalidHeader || v.reason == oms.InvalidNotCSV {
		v.begin = begin(head)
	}
	return v, true, nil
}
