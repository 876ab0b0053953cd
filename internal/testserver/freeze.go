package testserver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// freeze stops the server and its children, and returns when they stand. The server comes first: from then on it has
// no more children. PostgreSQL's children are in sessions of their own, so that no group has them all.
func (d *daemon) freeze() error {
	ctx, cancel := context.WithTimeout(d.life, patience)
	defer cancel()
	server := d.process.Pid
	if err := stop(ctx, server); err != nil {
		return err
	}
	pids, err := children(server)
	if err != nil {
		return err
	}
	for _, pid := range pids {
		if err := stop(ctx, pid); err != nil {
			return err
		}
	}
	return nil
}

// thaw undoes freeze. A server that runs does not notice it, and one that has ended has no children.
func (d *daemon) thaw() {
	server := d.process.Pid
	if pids, err := children(server); err == nil {
		for _, pid := range pids {
			_ = syscall.Kill(pid, syscall.SIGCONT)
		}
	}
	_ = d.process.Signal(syscall.SIGCONT)
}

// stop stops a process and waits until all its threads stand.
func stop(ctx context.Context, pid int) error {
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		return fmt.Errorf("stop process %d: %w", pid, err)
	}
	return poll(ctx, func() error {
		threads, err := threadFiles(pid, "stat")
		if err != nil {
			return err
		}
		for _, stat := range threads {
			// The state, here stopped or a zombie, follows the command, which stands in brackets (proc(5)).
			if i := bytes.LastIndexByte(stat, ')'); !bytes.ContainsAny(stat[i+1:min(i+3, len(stat))], "TZ") {
				return fmt.Errorf("process %d does not stop: %s", pid, stat)
			}
		}
		return nil
	})
}

// children returns the processes that a process has started.
func children(pid int) ([]int, error) {
	threads, err := threadFiles(pid, "children")
	if err != nil {
		return nil, err
	}
	var pids []int
	for _, list := range threads {
		for field := range bytes.FieldsSeq(list) {
			child, err := strconv.Atoi(string(field))
			if err != nil {
				return nil, fmt.Errorf("children of process %d: %w", pid, err)
			}
			pids = append(pids, child)
		}
	}
	return pids, nil
}

// threadFiles reads what /proc says of each thread of a process.
func threadFiles(pid int, name string) ([][]byte, error) {
	paths, err := filepath.Glob(filepath.Join("/proc", strconv.Itoa(pid), "task", "*", name))
	if err != nil {
		return nil, err
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("process %d has ended, or this is no Linux with /proc/PID/task/TID/%s", pid, name)
	}
	var files [][]byte
	for _, path := range paths {
		file, err := os.ReadFile(path)
		if err != nil && !errors.Is(err, os.ErrNotExist) && !errors.Is(err, syscall.ESRCH) {
			return nil, err
		}
		files = append(files, file)
	}
	return files, nil
}
