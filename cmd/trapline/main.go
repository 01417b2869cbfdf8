// Command trapline runs a program and sees every system call it makes, from inside the
// program, with no tracer. docs/compatibility.md says what it can be used on.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/trapline/trapline/launcher"
	"github.com/trapline/trapline/selftest/bench"
)

// Exit statuses of the command itself. Otherwise it ends as the target ends.
const (
	statusUsage         = 2
	statusFailure       = 125 // trapline's own
	statusNotExecutable = 126
	statusNotFound      = 127
)

// verb is one of the command's verbs.
type verb struct {
	name, args string
	about      string // "": not listed
	more       string // of the verb's own help
	// run parses the arguments behind the verb and does the work.
	run func(v *verb, args []string) (int, error)
}

var verbs []*verb

func init() {
	verbs = []*verb{
		{"count", "[flags] [--] COMMAND [ARG...]", "count system calls, errors and time", "", runCount},
		{"trace", "[flags] [--] COMMAND [ARG...]", "print every system call as strace does", "", runTrace},
		{"report", "-o FILE [flags] [--] COMMAND [ARG...]", "write a page about processes, calls, files and errors", "", runReport},
		{"inject", "[flags] RULE... -- COMMAND [ARG...]", "change system calls: errors, results, signals, delays", rulesUsage, runInject},
		{"policy", "-f FILE [flags] [--] COMMAND [ARG...]", "allow and deny system calls by rules", policyUsage, runPolicy},
		{"run", "[flags] [--] COMMAND [ARG...]", "run with every system call intercepted and no hook", "", runRun},
		{"sites", "[-json] FILE...", "say how each system call site of a file would be patched", "", runSites},
		{"filter", "[-e trace=SET]", "print the seccomp filter", "", runFilter},
		{"selftest", "", "check on this machine what works", "", runSelftest},
		{"bench", "[flags]", "measure what interception costs on this machine", "", runBench},
		{bench.HookVerb, "-tool NAME [--] COMMAND [ARG...]", "", "", runBenchHook},
		{"version", "", "print the version", "", runVersion},
	}
}

// usageError is a wrong use of the command.
type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }

func main() {
	launcher.Stage()
	os.Exit(doMain(os.Args[1:]))
}

func doMain(args []string) int {
	status, err := dispatch(args)
	if err == nil {
		return status
	}
	complain(err)
	return statusOf(err)
}

// complain prints an error in one line.
func complain(err error) {
	fmt.Fprintf(os.Stderr, "trapline: %s\n", strings.ReplaceAll(err.Error(), "\n", " "))
}

func dispatch(args []string) (int, error) {
	if len(args) == 0 {
		return 0, &usageError{"no verb given; trapline -h lists them"}
	}
	switch args[0] {
	case "-h", "-help", "--help", "help":
		usage(os.Stdout)
		return 0, nil
	case "-version", "--version":
		return runVersion(nil, nil)
	}
	for _, v := range verbs {
		if v.name == args[0] {
			status, err := v.run(v, args[1:])
			if errors.Is(err, errHelp) {
				return 0, nil
			}
			return status, err
		}
	}
	return 0, &usageError{fmt.Sprintf("unknown verb %q; trapline -h lists them", args[0])}
}

func usage(w io.Writer) {
	fmt.Fprintln(w, "usage: trapline VERB ...")
	for _, v := range verbs {
		if v.about != "" {
			fmt.Fprintf(w, "  %-9s %s\n", v.name, v.about)
		}
	}
	fmt.Fprintln(w, "trapline VERB -h describes a verb. The exit status is the command's own; 125: trapline failed,")
	fmt.Fprintln(w, "126: not executable, 127: not found, 2: wrong usage.")
}

// parse parses a verb's arguments and returns what is left behind the flags.
func (v *verb) parse(f *optionSet, args []string) ([]string, error) {
	err := f.parse(args)
	if errors.Is(err, errHelp) {
		fmt.Printf("usage: trapline %s %s\n%s\n", v.name, v.args, v.about)
		f.print(os.Stdout)
		fmt.Print(v.more)
		return nil, errHelp
	}
	if err != nil {
		return nil, &usageError{fmt.Sprintf("%s: %v", v.name, err)}
	}
	return f.Args(), nil
}

// noArguments refuses what a verb does not take.
func (v *verb) noArguments(rest []string) error {
	if len(rest) > 0 {
		return &usageError{fmt.Sprintf("%s: unexpected argument %q", v.name, rest[0])}
	}
	return nil
}

// misuse makes an error one of wrong use.
func (v *verb) misuse(err error) error {
	if err == nil {
		return nil
	}
	return &usageError{fmt.Sprintf("%s: %v", v.name, err)}
}

// statusOf returns the exit status for an error.
func statusOf(err error) int {
	var use *usageError
	var exec *launcher.NotStartedError
	switch {
	case errors.As(err, &use):
		return statusUsage
	case errors.As(err, &exec):
		if errors.Is(err, os.ErrNotExist) {
			return statusNotFound
		}
		return statusNotExecutable
	}
	return statusFailure
}
