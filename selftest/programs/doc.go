// Package programs runs programs that were not written for trapline, natively and intercepted, and compares the two.
//
// Every case of the table is a script over Debian programs. It runs in a fresh directory, natively first (where it must
// succeed), then under each mode: run, count, trace, count by SUD, and without -short count -no-patch. Exit status, standard output and standard error must be the same
// byte for byte (a script hides what a program says of times, process ids and an order of its own), and no process may be
// left over. TestPrograms has the subtests MODE/CASE, at most two at a time.
//
// TestCompareStrace compares something else: `trapline trace -o` and `strace -f -o` have to print the same lines, thread by
// thread, but for those of knownDifferences, and to see the same calls (make compare-strace). TestSameCounts does the same
// with the table of `trapline count`.
//
// install.sh installs the packages of packages.txt, or of the list that it is given: those of the cases that -short leaves
// out are in soakpackages.txt. A case whose package is not there is skipped and names it.
//
//	./install.sh                                        once
//	go test -short ./selftest/programs                  the quick subset: minutes, part of make test
//	go test -timeout 2h ./selftest/programs             everything: make soak
//	go test -run TestPrograms/trace/git ./selftest/programs
//	TRAPLINE_MODES=strace go test ./selftest/programs   the suite itself, under a wrapper known to be faithful
//
// The command under test is bin/trapline of the repository, or $TRAPLINE. TRAPLINE_MODES is a comma list of modes. The
// directories of a case that failed are kept, and named in its message. As root the suite also covers chroot and the
// change of user; those cases need nothing but root.
package programs
