// Package bench measures what interception costs: the verb `trapline bench`.
//
// An experiment is one program and the ways to run it: natively, under this executable, under strace. All ways of an
// experiment take turns, round after round, so that whatever else the machine does falls on all of them. The tables
// have the median of the rounds and how it compares to the first way.
//
//	calls.go     one system call over and over: nanoseconds
//	programs.go  whole programs that end by themselves: milliseconds
//	servers.go   a server under trapline, its clients outside: requests a second
//	memory.go    kilobytes that an additional process has to itself
//
// The programs that make single calls are C (testdata), built by gcc when the benchmark runs. packages.txt lists what
// the experiments need; selftest/programs/install.sh installs it.
package bench
