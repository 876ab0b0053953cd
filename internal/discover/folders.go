package discover

import (
	"context"
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/oms-exporter/oms_exporter/internal/config"
	"github.com/oms-exporter/oms_exporter/internal/oms"
)

// A place is a drop folder, by what the data manager says of it.
type place struct {
	of   reset
	at   config.SFTP
	seen oms.DropLocation
	why  string // the pattern
}

// has says whether one of its folders could be seen.
func (p place) has(which oms.Folder) bool {
	return slices.ContainsFunc(p.seen.Folders, func(f oms.DropFolder) bool { return f.Folder == which })
}

// home is before the paths of the data manager; an account that is shut up in its home does not see it.
var home = regexp.MustCompile(`^/home/[^/]+(/.*)`)

// noFile matches no file but those with a name of one letter: what is there are then the examples.
const noFile = "?"

// folders looks at the folders of the configurations that look like reset inventory and are in use.
func (f *finder) folders(ctx context.Context) {
	var asked []place
	for _, r := range f.resets {
		if r.ImportPath == "" || !r.inUse(f.src.Now()) {
			continue
		}
		paths := []string{path.Join("/", r.ImportPath)}
		if inHome := home.FindStringSubmatch(paths[0]); inHome != nil {
			paths = append(paths, inHome[1])
		}
		for _, at := range paths {
			to := f.sftp
			to.Location, to.Source, to.Path, to.Pattern, to.Archive, to.Failed = r.source, r.source, at, r.Pattern, "archive", "failed"
			if _, err := path.Match(to.Pattern, ""); err != nil || to.Pattern == "" || strings.Contains(to.Pattern, "/") {
				to.Pattern = noFile
			}
			asked = append(asked, place{of: r, at: to})
		}
	}
	if len(asked) == 0 {
		f.lookAround(ctx)
		return
	}
	var locations []config.SFTP
	for _, p := range asked {
		locations = append(locations, p.at)
	}
	seen, err := f.src.DropFolders(ctx, locations)
	if len(seen) != len(asked) {
		f.miss("SFTP", err)
		return
	}
	visible := map[string]bool{}
	for i, p := range asked {
		p.seen = seen[i]
		if p.has(oms.FolderInbox) && !visible[p.of.source] {
			visible[p.of.source] = true
			p.fit()
			f.places = append(f.places, p)
		}
	}
	for i, p := range asked {
		if !visible[p.of.source] { // the first of its paths says why
			f.miss("SFTP", seen[i].Err)
			visible[p.of.source] = true
		}
	}
	if len(f.places) > 0 {
		f.say("SFTP: logged in, " + count(len(f.places), "folder") + " of reset inventory")
	}
}

// lookAround says what there is where no folder is known to look into.
func (f *finder) lookAround(ctx context.Context) {
	to := f.sftp
	to.Location, to.Source, to.Path, to.Pattern, to.Archive = "/", "", "/", noFile, "archive" // an archive that is not there shows what is
	_, err := f.src.DropFolders(ctx, []config.SFTP{to})
	if err == nil {
		err = errors.New("the login works")
	}
	f.miss("SFTP", fmt.Errorf("no import_path of a configuration in use is known, so no folder can be suggested: %w", err))
}

// digits are the parts of names that differ from file to file.
var digits = regexp.MustCompile(`[0-9][0-9_.:T-]*[0-9]|[0-9]`)

// fit takes a pattern that matches what is there.
func (p *place) fit() {
	var names []string
	for _, folder := range p.seen.Folders {
		names = append(names, folder.Examples...)
	}
	switch {
	case p.at.Pattern != noFile && !p.seen.Misfit():
		p.why = "file_name_pattern of " + words(p.of.Config)
	case len(names) == 0:
		p.at.Pattern, p.why = "*", "the folder has no files: write the pattern of the file names"
	default:
		made := digits.ReplaceAllString(names[0], "*")
		for _, name := range names[1:] {
			if ok, err := path.Match(made, name); err != nil || !ok {
				made = "*"
				break
			}
		}
		if ok, err := path.Match(made, names[0]); err != nil || !ok {
			made = "*"
		}
		p.why = "derived from the file names, such as " + words(names[0])
		if p.at.Pattern != noFile {
			p.why = "file_name_pattern (" + words(p.of.Pattern) + ") matches none of the files; this is " + p.why
		}
		p.at.Pattern = made
	}
}
