package main

import (
	"fmt"
	"os"
	"strings"
	"syscall"
)

// dropPages gives back the pages of the program itself, of which the start touches twice as many as scrapes do. Those that are needed again
// come back from the page cache; the kernel would take the others only when memory is short. Where a page is not as it is in the file, as
// the loader leaves some of a program that is linked dynamically, all around it stays.
func dropPages() error {
	program, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return err
	}
	maps, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		return err
	}
	var first, end uintptr // of what is read of now, none if it is not to be dropped
	for line := range strings.Lines(string(maps)) {
		var from, to uintptr
		var access string
		if n, _ := fmt.Sscanf(line, "%x-%x %s", &from, &to, &access); n == 3 {
			first, end = from, to
			if !strings.HasSuffix(line, " "+program+"\n") || strings.Contains(access, "w") {
				first = end
			}
			continue
		}
		if strings.HasPrefix(line, "Anonymous: ") && strings.HasSuffix(line, " 0 kB\n") && first < end {
			if _, _, errno := syscall.Syscall(syscall.SYS_MADVISE, first, end-first, syscall.MADV_DONTNEED); errno != 0 {
				return fmt.Errorf("madvise: %w", errno)
			}
		}
	}
	return nil
}
