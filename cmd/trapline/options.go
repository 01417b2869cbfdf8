package main

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// optionSet is the options of a verb, as getopt_long reads them: single letters may stand together behind one dash and have
// their argument at once behind them, words have two dashes and their argument behind "=" or next. A whole word may have one
// dash too, as with gcc. Options end at the first operand, which is the command to run.
type optionSet struct {
	list []*option
	rest []string
}

// option is one option under its names.
type option struct {
	names    []string
	argument argumentRule
	usage    string
	set      func(value string) error
}

type argumentRule uint8

const (
	noArgument argumentRule = iota
	withArgument
	maybeArgument // only behind "="
)

// errHelp is what parse returns when help was asked for.
var errHelp = errors.New("help requested")

// add adds an option. names are separated by commas. A word in the usage between backquotes is the name of the argument.
func (o *optionSet) add(names string, argument argumentRule, usage string, set func(value string) error) {
	o.list = append(o.list, &option{strings.Split(names, ","), argument, usage, set})
}

func (o *optionSet) BoolVar(p *bool, names, usage string) {
	o.add(names, noArgument, usage, func(string) error { *p = true; return nil })
}

func (o *optionSet) Bool(names, usage string) *bool {
	p := new(bool)
	o.BoolVar(p, names, usage)
	return p
}

// CountVar counts how often the option is given.
func (o *optionSet) CountVar(p *int, names, usage string) {
	o.add(names, noArgument, usage, func(string) error { *p++; return nil })
}

func (o *optionSet) StringVar(p *string, names, usage string) {
	o.add(names, withArgument, usage, func(s string) error { *p = s; return nil })
}

func (o *optionSet) String(names, usage string) *string {
	p := new(string)
	o.StringVar(p, names, usage)
	return p
}

// IntVar takes a number that is not negative.
func (o *optionSet) IntVar(p *int, names, usage string) {
	o.add(names, withArgument, usage, func(s string) error {
		n, err := strconv.Atoi(s)
		if err != nil || n < 0 {
			return errors.New("not a number")
		}
		*p = n
		return nil
	})
}

func (o *optionSet) Func(names, usage string, set func(value string) error) {
	o.add(names, withArgument, usage, set)
}

// find returns the option of that name.
func (o *optionSet) find(name string) *option {
	for _, opt := range o.list {
		for _, n := range opt.names {
			if n == name {
				return opt
			}
		}
	}
	return nil
}

// parse reads the options in front of args; Args has what is behind them.
func (o *optionSet) parse(args []string) error {
	for len(args) > 0 {
		arg := args[0]
		if arg == "-" || !strings.HasPrefix(arg, "-") {
			break
		}
		args = args[1:]
		if arg == "--" {
			break
		}
		var err error
		word, value, inline := strings.Cut(strings.TrimPrefix(arg[1:], "-"), "=")
		switch opt := o.find(word); {
		case word == "h" || word == "help":
			return errHelp
		case opt != nil && len(word) > 1:
			args, err = opt.word(arg, value, inline, args)
		case strings.HasPrefix(arg, "--"):
			err = fmt.Errorf("unknown option %s", arg)
		default:
			args, err = o.letters(arg[1:], args)
		}
		if err != nil {
			return err
		}
	}
	o.rest = args
	return nil
}

// Args returns what is behind the options.
func (o *optionSet) Args() []string { return o.rest }

// word sets an option that is a word.
func (opt *option) word(arg, value string, inline bool, args []string) ([]string, error) {
	switch {
	case inline && opt.argument == noArgument:
		return nil, fmt.Errorf("option %s takes no argument", arg)
	case !inline && opt.argument == withArgument && len(args) == 0:
		return nil, fmt.Errorf("option %s needs an argument", arg)
	case !inline && opt.argument == withArgument:
		value, args = args[0], args[1:]
	}
	return args, opt.apply(arg, value)
}

// letters sets the options whose letters stand behind one dash.
func (o *optionSet) letters(letters string, args []string) ([]string, error) {
	for i := range len(letters) {
		name := letters[i : i+1]
		opt := o.find(name)
		if opt == nil {
			return nil, fmt.Errorf("unknown option -%s", name)
		}
		if opt.argument != withArgument {
			if err := opt.apply("-"+name, ""); err != nil {
				return nil, err
			}
			continue
		}
		value := letters[i+1:]
		if value == "" && len(args) == 0 {
			return nil, fmt.Errorf("option -%s needs an argument", name)
		}
		if value == "" {
			value, args = args[0], args[1:]
		}
		return args, opt.apply("-"+name, value)
	}
	return args, nil
}

func (opt *option) apply(arg, value string) error {
	if err := opt.set(value); err != nil {
		return fmt.Errorf("option %s: %w", arg, err)
	}
	return nil
}

// print lists the options.
func (o *optionSet) print(w io.Writer) {
	for _, opt := range o.list {
		argument, usage := "", opt.usage
		if before, rest, ok := strings.Cut(usage, "`"); ok {
			name, after, _ := strings.Cut(rest, "`")
			argument, usage = " "+name, before+name+after
		}
		var names []string
		for _, n := range opt.names {
			dashes := "--"
			if len(n) == 1 {
				dashes = "-"
			}
			names = append(names, dashes+n)
		}
		fmt.Fprintf(w, "  %s%s\n    \t%s\n", strings.Join(names, ", "), argument, usage)
	}
}
