package bench

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// machine is what the figures depend on.
type machine struct {
	Processor string `json:"processor"`
	CPUs      int    `json:"cpus"`
	Kernel    string `json:"kernel"`
	Trapline  string `json:"trapline"`
	Strace    string `json:"strace"`
}

func (s *session) machine() (machine, error) {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return machine{}, fmt.Errorf("uname: %w", err)
	}
	m := machine{Processor: processor(), CPUs: runtime.NumCPU(), Kernel: unix.ByteSliceToString(u.Release[:])}
	var err error
	if m.Trapline, err = firstLine(s.trapline, "version"); err == nil {
		m.Strace, err = firstLine("strace", "--version")
	}
	return m, err
}

func (m machine) print(w io.Writer) {
	fmt.Fprintf(w, "%s, %d CPUs, Linux %s\n%s\n%s\n", m.Processor, m.CPUs, m.Kernel, m.Trapline, m.Strace)
}

// firstLine is the first line that a command prints.
func firstLine(argv ...string) (string, error) {
	out, err := exec.Command(argv[0], argv[1:]...).Output()
	if err != nil {
		return "", fmt.Errorf("run %s: %w", strings.Join(argv, " "), err)
	}
	line, _, _ := strings.Cut(string(out), "\n")
	return line, nil
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
