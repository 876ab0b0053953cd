package collector

import (
	"context"
	"fmt"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/oms"
)

var (
	// The archive grows without end.
	sftpFiles = newMetric(count, "oms_sftp_files",
		"Files in the folder that match the location's pattern; in the archive those that came within the last 48 h.",
		"location", "source", "folder")
	sftpUnmatched = newMetric(count, "oms_sftp_unmatched_files",
		"Files in the folder that the location's pattern leaves out, hidden ones apart.", "location", "source", "folder")
	// A file came when it was last written, or when the exporter first saw it as it is, whichever is later: uploads can keep
	// an older time. What lies there at the exporter's start came when it was written.
	sftpOldestAge = newMetric(greatest, "oms_sftp_oldest_file_age_seconds",
		"Time since the oldest of these files came; 0 when there is none.", "location", "source", "folder")
	// Absent when there is none.
	sftpNewest = newMetric(newest, "oms_sftp_newest_file_timestamp_seconds",
		"When the newest of these files came, as Unix time.", "location", "source", "folder")
	sftpTruncated = newMetric(greatest, "oms_sftp_listing_truncated",
		"1 when the folder holds more than was read of it, so that there may be more files, older and newer ones.",
		"location", "source", "folder")
	// `reason` is empty, not_csv, header, encoding or partial. A file is judged once it has not changed between two
	// scrapes.
	sftpInvalid = newMetric(count, "oms_sftp_invalid_files",
		"Waiting files that the import would refuse.", "location", "source", "reason")
	// The page of the client shows how it begins, where it has another header. Absent when there is none.
	sftpInvalidInfo = newMetric(greatest, "oms_sftp_invalid_file_info",
		"1 for the waiting file, of those that the import would refuse, that was modified last.", "location", "source", "reason", "file")
)

// sftpCollector looks into the folders into which files for the OMS are dropped.
type sftpCollector struct{}

func (sftpCollector) Name() string { return "sftp" }

func (sftpCollector) has(src Sources) bool { return src.DropFolders != nil }

func (sftpCollector) update(ctx context.Context, src Sources, b *batch) error {
	ctx, cancel := withMargin(ctx)
	defer cancel()
	locations, err := src.DropFolders.Inspect(ctx, b.now)
	for _, l := range locations {
		b.age = max(b.age, l.Age)
		for _, f := range l.Folders {
			labels := []string{l.Location, l.Source, string(f.Folder)}
			b.set(sftpFiles, float64(f.Files), labels...)
			b.set(sftpUnmatched, float64(f.Unmatched), labels...)
			b.setAge(sftpOldestAge, f.Oldest, labels...)
			b.setTime(sftpNewest, f.Newest, labels...)
			b.set(sftpTruncated, boolFloat(f.Truncated), labels...)
		}
		if l.Misfit() {
			b.misconfiguration("location %s: the pattern matches none of the files there", l.Location)
		}
		if !l.Checked {
			continue
		}
		for _, reason := range oms.InvalidReasons() {
			b.set(sftpInvalid, float64(l.Invalid[reason]), l.Location, l.Source, string(reason))
		}
		if f := l.Refused; f != nil {
			b.set(sftpInvalidInfo, 1, l.Location, l.Source, string(f.Reason), f.Name)
			remark := fmt.Sprintf("location %s: the import would refuse the file %s (%s)", l.Location, f.Name, f.Reason)
			if f.Begin != "" {
				remark += ", which begins with: " + f.Begin
			}
			b.remarks = append(b.remarks, remark)
		}
	}
	return err
}

// withMargin ends a tenth before ctx: whoever waits has gone when that ends, and what the other servers have told must not be
// lost with one that is silent to the end.
func withMargin(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, deadline.Add(-time.Until(deadline)/10))
}
