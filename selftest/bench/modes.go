package bench

import "path/filepath"

// A mode is a way to run any program: the words in front of its own.
type mode struct {
	name   string
	prefix []string
}

// modes are the ways in which whole programs run.
func (s *session) modes() []mode {
	trace := filepath.Join(s.memory, "trace")
	return []mode{
		{"native", nil},
		{"trapline run", s.verb("run")},
		{"trapline run -trap=sud", s.verb("run", "-trap=sud")},
		{"trapline count", s.verb("count", "-o", "/dev/null")},
		{"trapline trace", s.verb("trace", "-o", trace)},
		{"trapline trace -e trace=openat", s.verb("trace", "-e", "trace=openat", "-o", trace)},
		{"trapline inject, rules about other calls", s.verb("inject", "reboot,%ipc:error=EPERM:if=arg1==1")},
		{"trapline policy, rules about other calls", s.verb("policy", "-f", s.rules)},
		{"strace -f", []string{"strace", "-f", "-o", trace}},
		{"strace -f --seccomp-bpf -e trace=openat", []string{
			"strace", "-f", "--seccomp-bpf", "-e", "trace=openat", "-o", trace,
		}},
	}
}

// verb is this executable with a verb and its flags.
func (s *session) verb(words ...string) []string {
	return append(append([]string{s.trapline}, words...), "--")
}
