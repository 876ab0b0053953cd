package collector

import (
	"context"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/oms"
)

var (
	sftpFiles = newMetric(count, "oms_sftp_files",
		"Files in the folder that match the location's pattern; in the archive those of the last 48 h.",
		"location", "source", "folder")
	sftpOldestAge = newMetric(greatest, "oms_sftp_oldest_file_age_seconds",
		"Time since the oldest of these files was last written; 0 when there is none.", "location", "source", "folder")
	sftpNewest = newMetric(newest, "oms_sftp_newest_file_timestamp_seconds",
		"When the newest of these files was last written, as Unix time.", "location", "source", "folder")
	sftpTruncated = newMetric(greatest, "oms_sftp_listing_truncated",
		"1 when the folder holds more than was read of it, so that there may be more files, older and newer ones.",
		"location", "source", "folder")
	sftpInvalid = newMetric(count, "oms_sftp_invalid_files",
		"Waiting files that the import would refuse.", "location", "source", "reason")
)

// sftpCollector looks into the folders into which files for the OMS are dropped.
type sftpCollector struct{}

func (sftpCollector) Name() string { return "sftp" }

func (sftpCollector) has(src Sources) bool { return src.DropFolders != nil }

func (sftpCollector) update(ctx context.Context, src Sources, b *batch) error {
	ctx, cancel := early(ctx)
	defer cancel()
	locations, err := src.DropFolders.Look(ctx, b.now)
	for _, l := range locations {
		b.age = max(b.age, l.Age)
		for _, f := range l.Folders {
			labels := []string{l.Location, l.Source, string(f.Folder)}
			b.set(sftpFiles, float64(f.Files), labels...)
			b.setAge(sftpOldestAge, f.Oldest, labels...)
			b.setTime(sftpNewest, f.Newest, labels...)
			b.set(sftpTruncated, truth(f.Truncated), labels...)
		}
		if l.Invalid == nil {
			continue
		}
		for _, reason := range oms.InvalidReasons() {
			b.set(sftpInvalid, float64(l.Invalid[reason]), l.Location, l.Source, string(reason))
		}
	}
	return err
}

// early ends a tenth before ctx: whoever waits has gone when that ends, and what the other servers have told must not be
// lost with one that is silent to the end.
func early(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, deadline.Add(-time.Until(deadline)/10))
}
