package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"

	"github.com/trapline/trapline/launcher"
	"github.com/trapline/trapline/tools/inject"
	"github.com/trapline/trapline/tools/syscalls"
	"github.com/trapline/trapline/tools/trace"
)

// traceFlags are the options of the verb trace, which are strace's.
type traceFlags struct {
	traceSet
	opts     trace.Options
	output   string
	appends  bool
	follow   int
	env      []string
	user     string
	json     bool
	perfetto string
	rules    []*inject.Rule
	drop     bool
}

func runTrace(v *verb, args []string) (int, error) {
	t := traceFlags{opts: trace.Options{MaxString: trace.DefaultMaxString, Column: trace.DefaultColumn}}
	var how interception
	f := new(optionSet)
	how.addTo(f)
	t.addTo(f)
	cfg, err := v.command(f, args, &how)
	if err == nil {
		err = v.misuse(t.finish())
	}
	if err != nil {
		return 0, err
	}
	if err := t.become(cfg); err != nil {
		return 0, err
	}
	t.opts.Path, t.opts.Args, t.opts.Env = cfg.Path, cfg.Args, os.Environ()
	if cfg.Env != nil {
		t.opts.Env = cfg.Env
	}
	if t.given && !t.set.Has(syscall.SYS_EXECVE) {
		t.opts.Path = "" // the first exec is not to be shown
	}
	if t.rules != nil {
		t.opts.Rules = &inject.Rules{List: t.rules}
	}
	cfg.Tool, cfg.Hooked, cfg.Drop = &trace.Tool, t.hooked(), t.drop
	if cfg.Options, err = t.opts.Bytes(); err != nil {
		return 0, v.misuse(err)
	}
	return t.run(cfg)
}

func (t *traceFlags) addTo(f *optionSet) {
	o := &t.opts
	f.StringVar(&t.output, "o,output", "write the trace to `FILE` instead of standard error; |COMMAND or !COMMAND: to a command")
	f.BoolVar(&t.appends, "A,output-append-mode", "append to the file of -o")
	f.CountVar(&t.follow, "f,follow-forks", "follow new processes: always; -ff: with -o, a file for each process")
	f.BoolVar(&o.Separate, "output-separately", "with -o, a file for each process: FILE.PID")
	f.Func("e", "what to trace: `[trace=|signal=|status=|quiet=]SET`; names, %classes, /regex, ! to negate; or what to change: inject=RULE, fault=RULE", t.qualify)
	f.Func("trace", "as -e trace=`SET`", t.traceSet.Set)
	f.Func("signal", "as -e signal=`SET`", o.SetSignals)
	f.Func("inject", "as -e inject=`RULE`: change calls; trapline inject -h describes rules", t.addRule(false))
	f.Func("fault", "as -e fault=`RULE`: have calls fail, with ENOSYS unless the rule says otherwise", t.addRule(true))
	f.Func("status", "as -e status=`SET`", o.SetStatus)
	f.add("z,successful-only", noArgument, "only calls that succeed", func(string) error { return o.SetStatus("successful") })
	f.add("Z,failed-only", noArgument, "only calls that fail", func(string) error { return o.SetStatus("failed") })
	f.Func("P,trace-path", "only calls that deal with `PATH`", o.AddPath)
	f.IntVar(&o.MaxString, "s,string-limit", "show at most `N` bytes of a string")
	f.IntVar(&o.Column, "a,columns", "align results at column `N`")
	f.BoolVar(&o.Verbose, "v,no-abbrev", "show structures and the environment whole")
	f.CountVar(&o.Hex, "x", "strings that are not ASCII in hexadecimal; -xx: all strings")
	f.add("strings-in-hex", maybeArgument, "as -xx; =non-ascii: as -x", o.SetHex)
	f.CountVar(&o.Paths, "y", "the paths of descriptors; -yy: also of sockets and devices")
	f.add("decode-fds", maybeArgument, "as -yy; =path: as -y", o.SetPaths)
	f.BoolVar(&o.Names, "Y", "the names of threads")
	f.Func("decode-pids", "as -Y: `comm`", o.SetNames)
	f.CountVar(&o.Clock, "t", "the time of day; -tt: with microseconds; -ttt: in seconds since 1970")
	f.add("absolute-timestamps,timestamps", maybeArgument, "as -t", o.SetClock)
	f.add("r,relative-timestamps", maybeArgument, "the time since the line before", func(string) error { o.Relative = true; return nil })
	f.add("T,syscall-times", maybeArgument, "the time spent in each call", func(string) error { o.Spent = true; return nil })
	f.BoolVar(&o.Numbers, "n,syscall-number", "the number of each call")
	f.BoolVar(&o.Site, "i,instruction-pointer", "the address behind each call")
	f.Func("abbrev", "as -e abbrev=`SET`: show the structures of all other calls whole", t.setAbbreviated)
	f.Func("raw", "as -e raw=`SET`: show the arguments and results of these calls as numbers", t.setRaw)
	f.BoolVar(&o.Whole, "whole-lines", "print a call in one line when it has ended")
	f.CountVar(&o.Quiet, "q", "no lines for new processes; -qq: none for exits")
	f.add("quiet,silent", maybeArgument, "as -q; =`SET`: attach, exit, thread-execve, all", o.SetQuiet)
	f.BoolVar(&o.CountOnly, "c,summary-only", "only a table of calls, errors and time")
	f.BoolVar(&o.Count, "C,summary", "a table as well")
	f.Bool("w,summary-wall-clock", "wall clock time in the table: always")
	f.Func("S,summary-sort-by", "sort the table by `COLUMN`", o.SetSort)
	f.Func("U,summary-columns", "the `COLUMNS` of the table", o.SetColumns)
	f.Func("E,env", "set a variable of the program: `VAR=VALUE`; VAR: remove it", func(s string) error { t.env = append(t.env, s); return nil })
	f.StringVar(&t.user, "u,user", "run the program as `USER`")
	f.BoolVar(&t.json, "json", "print a JSON object a line")
	f.add("lossless", noArgument, "have the program wait while the trace cannot be written: as is done without --drop", func(string) error {
		t.drop = false
		return nil
	})
	f.BoolVar(&t.drop, "drop", "do not have the program wait: say how many records are missing, and where")
	f.StringVar(&t.perfetto, "perfetto", "write Chrome trace events to `FILE`, for ui.perfetto.dev")
}

// qualify parses the argument of -e.
func (t *traceFlags) qualify(s string) error {
	kind, set, ok := strings.Cut(s, "=")
	if !ok {
		return t.traceSet.Set(s)
	}
	switch kind {
	case "signal", "signals", "s":
		return t.opts.SetSignals(set)
	case "status":
		return t.opts.SetStatus(set)
	case "quiet", "silent", "silence", "q":
		return t.opts.SetQuiet(set)
	case "abbrev", "a":
		return t.setAbbreviated(set)
	case "raw", "x":
		return t.setRaw(set)
	case "inject":
		return t.addRule(false)(set)
	case "fault":
		return t.addRule(true)(set)
	}
	return t.traceSet.Set(s)
}

func (t *traceFlags) setAbbreviated(text string) error {
	set, err := syscalls.ParseSet(text)
	t.opts.Abbreviated = &set
	return err
}

func (t *traceFlags) setRaw(text string) (err error) {
	t.opts.Raw, err = syscalls.ParseSet(text)
	return err
}

// addRule returns the parser of a rule.
func (t *traceFlags) addRule(fault bool) func(string) error {
	return func(text string) error {
		r, err := inject.ParseRule(text, fault, &trace.Dictionary)
		t.rules = append(t.rules, r)
		return err
	}
}

// finish checks the options together.
func (t *traceFlags) finish() error {
	toFile := t.output != "" && t.output[0] != '|' && t.output[0] != '!'
	t.opts.Separate = (t.opts.Separate || t.follow > 1) && toFile
	t.opts.ShowPID = t.output != "" && !t.opts.Separate
	t.opts.QuietAttach = t.output != ""
	if t.opts.Count && t.opts.CountOnly {
		return errors.New("-c and -C exclude each other")
	}
	if t.json && (t.opts.CountOnly || t.opts.Separate) {
		return errors.New("--json excludes -c and -ff")
	}
	return nil
}

// become gives the program another environment or user.
func (t *traceFlags) become(cfg *launcher.Config) error {
	if t.env != nil {
		cfg.Env = changedEnvironment(os.Environ(), t.env)
	}
	if t.user == "" {
		return nil
	}
	who, err := credential(t.user)
	cfg.User = who
	return err
}

// changedEnvironment sets and removes variables.
func changedEnvironment(env, changes []string) []string {
	for _, c := range changes {
		name, _, set := strings.Cut(c, "=")
		kept := env[:0:0]
		for _, v := range env {
			if !strings.HasPrefix(v, name+"=") {
				kept = append(kept, v)
			}
		}
		if env = kept; set {
			env = append(env, c)
		}
	}
	return env
}

// run runs the target with its events printed.
func (t *traceFlags) run(cfg *launcher.Config) (int, error) {
	out, done, err := t.open()
	if err != nil {
		return 0, err
	}
	p := trace.NewPrinter(out, t.opts)
	if t.opts.Separate {
		p.Open = t.openFor
	}
	if p.Recorder, err = t.recorder(out); err != nil {
		return 0, err
	}
	follow(cfg, p)
	return run(cfg, func(status launcher.Status) error { return errors.Join(conclude(p, status), done()) })
}

// follow has a Printer take what the target's hooks send.
func follow(cfg *launcher.Config, p *trace.Printer) {
	cfg.Events = p.Events
	cfg.Harvest = func(th launcher.Thread, _ []byte) {
		if !th.Exec && !th.Alive {
			p.Ended(th.TID)
		}
	}
}

// conclude tells a Printer how the target ended.
func conclude(p *trace.Printer, status launcher.Status) error {
	if status.Signal != 0 {
		p.KilledBy(status.Signal)
	}
	if status.Lost > 0 {
		p.Lost(status.Lost)
		complain(fmt.Errorf("%d records are missing in the trace", status.Lost))
	}
	return p.Close()
}

// recorder returns what takes the calls in place of the text, nil if nothing does.
func (t *traceFlags) recorder(out io.Writer) (trace.Recorder, error) {
	var list []trace.Recorder
	if t.json {
		list = append(list, trace.NewJSON(out))
	}
	if t.perfetto != "" {
		file, err := output(t.perfetto)
		if err != nil {
			return nil, err
		}
		list = append(list, trace.NewPerfetto(file))
	}
	if list == nil {
		return nil, nil
	}
	return trace.NewRecorders(list...), nil
}

// open opens what -o names; done is to be called when everything is written.
func (t *traceFlags) open() (out io.Writer, done func() error, err error) {
	nothing := func() error { return nil }
	switch {
	case t.opts.Separate:
		return io.Discard, nothing, nil
	case t.output == "":
		return os.Stderr, nothing, nil
	case t.output[0] == '|' || t.output[0] == '!':
		return pipeTo(t.output[1:])
	}
	file, err := t.openFile(t.output)
	return file, nothing, err
}

func (t *traceFlags) openFile(name string) (*os.File, error) {
	how := os.O_TRUNC
	if t.appends {
		how = os.O_APPEND
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|how|syscall.O_CLOEXEC, 0o666)
	if err != nil {
		return nil, fmt.Errorf("output: %w", err)
	}
	return f, nil
}

// openFor opens the file of one thread.
func (t *traceFlags) openFor(tid int) (io.Writer, error) {
	return t.openFile(t.output + "." + strconv.Itoa(tid))
}

// pipeTo starts a command for the shell that reads the trace. done waits for its end.
func pipeTo(command string) (out io.Writer, done func() error, err error) {
	cmd := exec.Command("/bin/sh", "-c", command)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	in, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return nil, nil, fmt.Errorf("output: %w", err)
	}
	return in, func() error {
		in.Close()
		var exit *exec.ExitError
		if err := cmd.Wait(); err != nil && !errors.As(err, &exit) {
			return fmt.Errorf("output: %w", err)
		}
		return nil
	}, nil
}
