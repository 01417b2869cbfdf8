package selftest

import "testing"

// TestGuard: under the first filter everything works as without it, in every program of a chain, and
// each program runs under both filters.
func TestGuard(t *testing.T) {
	needTrapline(t)
	t.Parallel()
	const script = `echo piped | cat; grep Seccomp_filters /proc/self/status; sh -c "exit 3"`
	for _, verb := range []string{"run", "count", "trace"} {
		t.Run(verb, func(t *testing.T) {
			t.Parallel()
			args := []string{trapline(), verb, "-guard"}
			if verb != "run" {
				args = append(args, "-o", "/dev/null")
			}
			got := command{argv: append(args, "--", "/bin/sh", "-c", script)}.mustRun(t)
			expect(t, outcome{Status: "exit 3", Stdout: "piped\nSeccomp_filters:\t2\n"}, got)
			got = command{argv: append(args, "--", "/dev/null")}.mustRun(t)
			expect(t, outcome{Status: "exit 126", Stderr: "trapline: exec /dev/null: permission denied\n"}, got)
		})
	}
}
