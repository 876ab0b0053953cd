package dropfolder

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/oms"
)

// maxChecks is how many files are read at a look. The next look goes on.
const maxChecks = 100

// inbox is what was seen of the waiting files, by name.
type inbox map[string]waiting

// waiting is a file, and once it has stood still from one look to the next and has been read, what is wrong with it.
type waiting struct {
	file
	checked bool
	reason  oms.InvalidReason
}

// check counts the waiting files that the import would refuse. Those that are new, or change, may still be written: they are
// not judged yet. One that cannot be read hides no other.
func (l *location) check(ctx context.Context, c *connection, files []file) (map[oms.InvalidReason]int, error) {
	invalid := map[oms.InvalidReason]int{}
	for _, reason := range oms.InvalidReasons() {
		invalid[reason] = 0
	}
	deadline, _ := ctx.Deadline()
	enough := time.Now().Add(time.Until(deadline) / 2)
	seen, checks := make(inbox, len(files)), 0
	var failed error // the first
	for _, f := range files {
		w := l.inbox[f.name]
		still := w.file == f
		w.file = f
		if !still {
			w.checked = false
		} else if !w.checked && !c.isLost() && checks < maxChecks && time.Now().Before(enough) {
			checks++
			var err error
			if w, err = l.judge(ctx, c, w); failed == nil {
				failed = err
			}
		}
		seen[f.name] = w
		if w.checked && w.reason != "" {
			invalid[w.reason]++
		}
	}
	l.inbox = seen
	return invalid, failed
}

// judge reads a file. What has gone or changed meanwhile is left for the next look.
func (l *location) judge(ctx context.Context, c *connection, w waiting) (waiting, error) {
	at := path.Join(l.config.Path, w.name)
	start := time.Now()
	head, tail, after, err := c.read(at, w.size)
	oms.TraceFrom(ctx)("check a file of "+l.config.Location, time.Since(start), 1, mask(l.config.Password, err))
	switch {
	case errors.Is(err, fs.ErrNotExist) || errors.Is(err, errShrunk):
		return w, nil
	case err != nil:
		return w, pathError(l.config, "the file", at, err)
	case after.Size() != w.size || !modified(after).Equal(w.modified):
		return w, nil
	}
	w.checked, w.reason = true, checkFormat(head, tail, w.size)
	return w, nil
}
