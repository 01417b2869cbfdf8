package selftest

import "testing"

// TestSignalfdRefuses: one of the runtime's own signals that a signalfd is to show ends the process with one line, whichever is
// first, the descriptor or the signal.
func TestSignalfdRefuses(t *testing.T) {
	t.Parallel()
	program := buildOne(t, target{name: "signalfds", source: "signalfds.c"})
	for _, c := range []struct{ when, sig string }{
		{"process", "SIGSEGV"}, {"thread", "SIGBUS"}, {"late", "SIGSYS"}, {"executed", "SIGSEGV"},
	} {
		for _, name := range []string{"run", "run-sud"} {
			t.Run(c.when+"/"+name, func(t *testing.T) {
				t.Parallel()
				argv := []string{program, c.when, c.sig}
				expect(t, outcome{Status: "exit 0", Stdout: "signalfds ok\n"}, command{argv: argv}.mustRun(t))
				expectRefusal(t, c.sig+" was sent while it is blocked, and trapline cannot have a signalfd show it",
					append(modeNamed(t, name).wrap(""), argv...))
			})
		}
	}
}
