package collector

import (
	"context"
	"fmt"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/oms"
)

var (
	// The archive is never cleaned up, so older files there are not counted.
	sftpFiles = newMetric(count, "oms_sftp_files",
		"Files in the folder that match the location's pattern; in the archive, only those of the last 48 hours.",
		"location", "source", "folder")
	sftpUnmatched = newMetric(count, "oms_sftp_unmatched_files",
		"Files in the folder that do not match the location's pattern, without hidden files.", "location", "source", "folder")
	// A file arrives when it was last modified or when the exporter first saw it in this state, whichever is later: an upload can
	// keep an older modification time. For files that are already there when the exporter starts, the modification time counts.
	sftpOldestAge = newMetric(greatest, "oms_sftp_oldest_file_age_seconds",
		"Time since the oldest matching file in the folder arrived; 0 if there is none.", "location", "source", "folder")
	// Absent if there is no such file.
	sftpNewest = newMetric(newest, "oms_sftp_newest_file_timestamp_seconds",
		"Arrival of the newest matching file in the folder, as Unix time.", "location", "source", "folder")
	sftpTruncated = newMetric(greatest, "oms_sftp_listing_truncated",
		"1 if the folder has more files than the exporter lists, so that older and newer files may be missing.",
		"location", "source", "folder")
	// `reason` is empty, not_csv, header, encoding or partial. A file is checked once it has not changed between two
	// scrapes.
	sftpInvalid = newMetric(count, "oms_sftp_invalid_files",
		"Waiting files that the import would refuse.", "location", "source", "reason")
	// The client's status page shows the first line of a file with a wrong header. Absent if there is no such file.
	sftpInvalidInfo = newMetric(greatest, "oms_sftp_invalid_file_info",
		"1 for the most recently modified waiting file that the import would refuse.", "location", "source", "reason", "file")
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

// withMargin ends a tenth before ctx: when that ends, the caller is gone. So the data of the other servers is not
// lost if one server does not respond at all.
func withMargin(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, deadline.Add(-time.Until(deadline)/10))
}
