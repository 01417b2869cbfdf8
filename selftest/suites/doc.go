// Package suites runs the test suites of other projects, natively and intercepted, and compares test by test: Go's own tests
// of what is close to the kernel, CPython's, and the stressors of stress-ng.
//
// TestSuites has the subtests SUITE/MODE. Every suite runs natively first, and then under each mode; a test that does not
// give the result that it gave natively is run again on both sides, since other people's tests are not always of one mind,
// and counts as a difference if the two still do not agree. What fails natively on this machine (without a network, say)
// has to fail intercepted. At the end there is a table of all suites with the number of tests that passed, failed and were
// skipped on each side, and the differences by name.
//
//	../programs/install.sh packages.txt                 once
//	go test -short ./selftest/suites                    the suites that take seconds
//	go test -timeout 3h ./selftest/suites               everything: make soak
//	go test -run TestSuites/go-os/count ./selftest/suites
//	TRAPLINE_MODES=strace go test ./selftest/suites     the suite itself, under a wrapper known to be faithful
//
// The command under test is bin/trapline of the repository, or $TRAPLINE. TRAPLINE_MODES is a comma list of modes.
package suites
