package dropfolder

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/oms-exporter/oms_exporter/internal/oms"
	"github.com/oms-exporter/oms_exporter/internal/testserver"
)

// BenchmarkLook measures a look at an inbox, at one whose files are checked for the first time (as many as a look checks), at
// an archive, and at one that was listed a moment ago, with few files and with many.
func BenchmarkLook(b *testing.B) {
	for _, files := range []int{10, 1_000, 100_000} {
		b.Run(fmt.Sprintf("files=%d", files), func(b *testing.B) {
			s := testserver.SSHD(b)
			must(b, os.MkdirAll(filepath.Join(s.Root, "empty"), 0o755))
			for i := range files {
				put(b, s, fmt.Sprintf("full/inventory_reset_20260302_%06d.csv", i), stock, time.Hour)
			}
			inbox := inboxOf(s, "in", "full")
			archive := inboxOf(s, "in", "empty")
			archive.Archive = "../full"
			b.Run("folder=inbox", func(b *testing.B) { benchmark(b, open(b, inbox), oms.FolderInbox, files, 30*time.Second) })
			inbox.CheckFormat = true
			b.Run("folder=checked", func(b *testing.B) { benchmark(b, open(b, inbox), oms.FolderInbox, files, 30*time.Second) })
			b.Run("folder=archive", func(b *testing.B) { benchmark(b, open(b, archive), oms.FolderArchive, files, archiveEvery) })
			b.Run("folder=listed", func(b *testing.B) { benchmark(b, open(b, archive), oms.FolderArchive, files, 0) })
		})
	}
}

// benchmark looks every so often, after a first look that connects.
func benchmark(b *testing.B, f *Folders, folder oms.Folder, files int, every time.Duration) {
	after := time.Duration(0)
	look := func() {
		ctx, cancel := context.WithTimeout(b.Context(), time.Minute)
		defer cancel()
		found, err := f.Inspect(ctx, start.Add(after))
		must(b, err)
		seen := found[0].Folders[len(found[0].Folders)-1]
		if seen.Folder != folder || seen.Files != files || seen.Truncated {
			b.Fatalf("%+v, want the %d files", seen, files)
		}
		after += every
	}
	look()
	for b.Loop() {
		look()
	}
}
