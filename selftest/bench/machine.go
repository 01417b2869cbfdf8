package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// describe prints what the figures depend on.
func describe(trapline string) error {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return fmt.Errorf("uname: %w", err)
	}
	fmt.Printf("%s, %d CPUs, Linux %s\n", processor(), runtime.NumCPU(), unix.ByteSliceToString(u.Release[:]))
	for _, argv := range [][]string{{trapline, "version"}, {"strace", "--version"}} {
		out, err := exec.Command(argv[0], argv[1:]...).Output()
		if err != nil {
			return fmt.Errorf("find %s: %w (make builds trapline; strace is a package)", argv[0], err)
		}
		line, _, _ := strings.Cut(string(out), "\n")
		fmt.Println(line)
	}
	return nil
}

// processor returns the processor's name, and whether it is a virtual one.
func processor() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "unknown processor"
	}
	fields := map[string]string{}
	for line := range strings.Lines(string(text)) {
		key, value, _ := strings.Cut(line, ":")
		fields[strings.TrimSpace(key)] = strings.TrimSpace(value)
	}
	name := fields["model name"]
	if strings.Contains(" "+fields["flags"]+" ", " hypervisor ") {
		name += " (virtual machine)"
	}
	return name
}
