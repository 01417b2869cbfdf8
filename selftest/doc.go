// Package selftest holds small programs with known behaviour and the two ways to run them.
//
// The suite (go test ./selftest) needs gcc and go. It builds every program of targets/targets.tsv once, runs it natively,
// where it must end with the status the table names, and then under each mode: run, count and trace. Standard output,
// standard error, exit status or signal must be the same, and no process may be left over. Subtests are TestTargets/MODE/TARGET.
//
//	go test ./selftest                                      everything
//	go test -run 'TestTargets/trace/exec' ./selftest        the targets whose name has exec in it, one mode
//	TRAPLINE_MODES=strace go test ./selftest                the suite itself, under a wrapper known to be faithful
//
// The command under test is bin/trapline of the repository, or $TRAPLINE.
//
// Run is the part for machines without compilers: the verb `trapline selftest`. It probes what the kernel offers and runs
// behaviours of programs that are on every machine.
//
// A target is a complete program with one subject. It checks itself: status 0 when all is right; otherwise it says on
// standard error which line broke, and how. It prints nothing that differs from run to run.
package selftest
