package testserver

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// tick is the unit in which Linux tells programs of processor time (USER_HZ, on every architecture that Go knows).
const tick = time.Second / 100

// CPU returns the processor time that the server has used so far, with all the processes that it started, those that
// have ended included.
func (d *daemon) CPU(tb testing.TB) time.Duration {
	tb.Helper()
	var used time.Duration
	check(tb, each(d.process.Pid, func(pid int) error {
		own, ended, err := processorTime(pid)
		used += own + ended
		return err
	}))
	return used
}

// Memory returns the memory that the server's first process has now, and had at most (VmRSS and VmHWM in proc(5)), in bytes.
func (d *daemon) Memory(tb testing.TB) (resident, peak int64) {
	tb.Helper()
	status, err := os.ReadFile("/proc/" + strconv.Itoa(d.process.Pid) + "/status")
	check(tb, err)
	for line := range strings.Lines(string(status)) {
		var kib int64
		if _, err := fmt.Sscanf(line, "VmRSS: %d kB", &kib); err == nil {
			resident = kib << 10
		}
		if _, err := fmt.Sscanf(line, "VmHWM: %d kB", &kib); err == nil {
			peak = kib << 10
		}
	}
	if resident == 0 || peak == 0 {
		tb.Fatalf("process %d: unexpected %s", d.process.Pid, status)
	}
	return resident, peak
}

// processorTime returns what a process has used, and what its children had when they ended (proc(5): utime and stime are
// the 12th and 13th field after the command, which stands in brackets; cutime and cstime follow).
func processorTime(pid int) (own, ended time.Duration, err error) {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0, 0, err
	}
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) < 15 {
		return 0, 0, fmt.Errorf("process %d: unexpected %s", pid, stat)
	}
	var times [4]time.Duration
	for i := range times {
		n, err := strconv.ParseInt(string(fields[11+i]), 10, 64)
		if err != nil {
			return 0, 0, fmt.Errorf("process %d: %w", pid, err)
		}
		times[i] = time.Duration(n) * tick
	}
	return times[0] + times[1], times[2] + times[3], nil
}
