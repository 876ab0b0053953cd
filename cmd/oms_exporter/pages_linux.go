package main

import (
	"fmt"
	"os"
	"strings"
	"syscall"
)

// dropPages gives back the pages of the program itself, of which the start touches twice as many as scrapes do. Those that are needed again
// come back from the page cache; the kernel would take the others only when memory is short.
func dropPages() error {
	program, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return err
	}
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(maps)) {
		var first, end uintptr
		var access string
		if _, err := fmt.Sscanf(line, "%x-%x %s", &first, &end, &access); err != nil {
			return fmt.Errorf("/proc/self/maps: %w", err)
		}
		if !strings.HasSuffix(line, " "+program+"\n") || strings.Contains(access, "w") {
			continue
		}
		if _, _, errno := syscall.Syscall(syscall.SYS_MADVISE, first, end-first, syscall.MADV_DONTNEED); errno != 0 {
			return fmt.Errorf("madvise: %w", errno)
		}
	}
	return nil
}
