// Command mutants puts small faults into a package, one at a time, and says how many of them its tests notice: what no test
// notices may break unseen. It works in a copy of the module, so that nobody's files are touched.
//
// The faults are drawn by a seed: the same seed gives the same faults. One that the tests never run is not tried, as it cannot
// be noticed; one that does not compile is drawn again; one with which the tests take too long is noticed.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

func main() {
	count := flag.Int("n", 60, "how many faults")
	seed := flag.Uint64("seed", 1, "which ones")
	flag.Usage = func() {
		_, _ = fmt.Fprintln(flag.CommandLine.Output(), "mutants [flags] ./package [flags of go test]")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() == 0 {
		flag.Usage()
		os.Exit(2)
	}
	// A fault can make a loop endless that fills the memory.
	const most = 6 << 30
	err := syscall.Setrlimit(syscall.RLIMIT_DATA, &syscall.Rlimit{Cur: most, Max: most})
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	if err == nil {
		err = run(ctx, os.Stdout, ".", filepath.Clean(flag.Arg(0)), *count, *seed, flag.Args()[1:])
	}
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
}

// run tries count faults in the package in a folder of the module.
func run(ctx context.Context, out io.Writer, module, dir string, count int, seed uint64, testFlags []string) error {
	work, err := os.MkdirTemp("", "mutants-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(work) }()
	t := tester{filepath.Join(work, "module"), dir, testFlags}
	if err := copyModule(ctx, t.tree, module); err != nil {
		return err
	}

	start, profile := time.Now(), filepath.Join(work, "profile")
	if output, err := t.test(ctx, time.Hour, "-coverprofile="+profile); err != nil {
		return fmt.Errorf("the tests fail without a fault: %w\n%s", err, output)
	}
	limit := 2*time.Since(start) + 10*time.Second
	faults, err := find(t.tree, dir)
	if err != nil {
		return err
	}
	if err := markUnreached(faults, profile); err != nil {
		return err
	}

	var tried, noticed, unreached int
	for _, i := range rand.New(rand.NewPCG(seed, 0)).Perm(len(faults)) {
		if tried == count {
			break
		}
		f := faults[i]
		isValid, isNoticed, err := t.try(ctx, f, limit)
		switch {
		case err != nil:
			return err
		case !isValid:
			continue
		case isNoticed:
			noticed++
		case f.isUnreached:
			unreached++
			err = f.print(out, "never run")
		default:
			err = f.print(out, "survived")
		}
		if err != nil {
			return err
		}
		tried++
	}
	if tried == 0 {
		return errors.New("there is nothing to put a fault into")
	}
	_, err = fmt.Fprintf(out, "%d of %d faults noticed (%d %%), of those that the tests run %d of %d\n",
		noticed, tried, 100*noticed/tried, noticed, tried-unreached)
	return err
}

// tester tests a package in a copy of its module.
type tester struct {
	tree, dir string
	flags     []string
}

// try puts a fault into the copy, for as long as the tests run, and says whether it compiles and whether they notice.
func (t tester) try(ctx context.Context, f fault, limit time.Duration) (isValid, isNoticed bool, err error) {
	path := filepath.Join(t.tree, f.file)
	text, err := os.ReadFile(path)
	if err != nil {
		return false, false, err
	}
	if err := os.WriteFile(path, slices.Concat(text[:f.from], []byte(f.text), text[f.to:]), 0o600); err != nil {
		return false, false, err
	}
	defer func() { err = errors.Join(err, ctx.Err(), os.WriteFile(path, text, 0o600)) }()

	compile := []string{"go", "build", "-o=" + os.DevNull, "./" + t.dir}
	switch filepath.Ext(f.file) {
	case ".yml":
		compile = []string{"promtool", "check", "rules", f.file}
	case ".sql":
		compile = []string{"true"}
	}
	if _, err := t.command(ctx, compile...); err != nil {
		if _, isVerdict := errors.AsType[*exec.ExitError](err); isVerdict {
			err = nil
		}
		return false, false, err
	}
	if f.isUnreached {
		return true, false, nil
	}
	_, failure := t.test(ctx, limit, "-failfast")
	return true, failure != nil, nil
}

// test runs the tests. They may read a file that has a fault, so no result of before counts.
func (t tester) test(ctx context.Context, limit time.Duration, flags ...string) ([]byte, error) {
	return t.command(ctx, slices.Concat([]string{"go", "test", "-count=1", "-vet=off", "-timeout=" + limit.String()}, flags, t.flags,
		[]string{"./" + t.dir})...)
}

func (t tester) command(ctx context.Context, command ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Dir = t.tree
	return cmd.CombinedOutput()
}

// copyModule copies a module without the folders of git and make.
func copyModule(ctx context.Context, to, from string) error {
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	command := []string{"-R"}
	for _, entry := range entries {
		if !slices.Contains([]string{".git", ".build", ".tarballs"}, entry.Name()) {
			command = append(command, filepath.Join(from, entry.Name()))
		}
	}
	if err := os.Mkdir(to, 0o755); err != nil {
		return err
	}
	return exec.CommandContext(ctx, "cp", append(command, to)...).Run()
}

// markUnreached says of the faults that stand in a statement of a coverage profile whether it never ran.
func markUnreached(faults []fault, profile string) error {
	text, err := os.ReadFile(profile)
	for line := range strings.Lines(string(text)) {
		var from, to [2]int
		var statements, runs int
		file, block, _ := strings.Cut(line, ":")
		if _, err := fmt.Sscanf(block, "%d.%d,%d.%d %d %d", &from[0], &from[1], &to[0], &to[1], &statements, &runs); err != nil {
			continue // the first line
		}
		for i, f := range faults {
			at := []int{f.line, f.column}
			if strings.HasSuffix(file, "/"+f.file) && slices.Compare(from[:], at) <= 0 && slices.Compare(at, to[:]) < 0 {
				faults[i].isUnreached = runs == 0
			}
		}
	}
	return err
}
