package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/trapline/trapline/launcher"
	"github.com/trapline/trapline/tools/inject"
	"github.com/trapline/trapline/tools/trace"
)

// rulesUsage describes rules.
const rulesUsage = `
RULE is [inject=]SET:CLAUSE..., or fault=SET[:CLAUSE...], which is SET:error=ENOSYS. SET is a set of calls as that of -e trace=.
The clauses are strace's:
  error=ERRNO, retval=N            the call is not made and returns this
  syscall=NAME                     with these: a call without effects (%pure) is made in its place
  signal=SIG                       comes as the call begins
  delay_enter=T, delay_exit=T      wait before and after the call: 10ms, 1.5s, 20ns; 100 is 100us
  poke_enter=@argN=HEX,...         write over what argument N, from 1, points at; poke_exit= does so after the call
  when=FIRST[..LAST][+[STEP]]      not every call: counted in each thread, for each call and rule
and beyond strace:
  if=EXPRESSION                    arg1 to arg6, fd, numbers, names of constants, ! & == != < <= > >= && ||, parentheses;
                                   path and comm with == != or ~ and a "string"; the string of ~ is a pattern (* ? [a-z]).
                                   path is the call's file name as given, or where its descriptor leads to
  comm=PATTERN                     only in threads of this name
  prob=P[:seed=N]                  a share of the calls, the same ones in every run with the same calls
Of several rules for a call the first one that applies counts.
`

func runInject(v *verb, args []string) (int, error) {
	f := new(optionSet)
	var how interception
	how.addTo(f)
	end := slices.Index(args, "--")
	command := []string{}
	if end >= 0 {
		args, command = args[:end], args[end+1:]
	}
	texts, err := v.parse(f, args)
	if err != nil {
		return 0, err
	}
	rules, err := parseRules(texts)
	if err != nil {
		return 0, v.misuse(err)
	}
	if end < 0 || len(texts) == 0 {
		return 0, v.misuse(errors.New("RULE... -- COMMAND is needed"))
	}
	cfg, err := v.program(command, &how)
	if err != nil {
		return 0, err
	}
	table, err := rules.Compile(&trace.Dictionary)
	if err != nil {
		return 0, v.misuse(err)
	}
	cfg.Tool, cfg.Hooked, cfg.Options = &inject.Tool, rules.Calls(), table.Bytes()
	return run(cfg, func(launcher.Status) error { return nil })
}

// parseRules parses the rules of the verb inject.
func parseRules(texts []string) (*inject.Rules, error) {
	rules := new(inject.Rules)
	for _, text := range texts {
		rest, fault := strings.CutPrefix(text, "fault=")
		r, err := inject.ParseRule(strings.TrimPrefix(rest, "inject="), fault, &trace.Dictionary)
		if err != nil {
			return nil, fmt.Errorf("rule %q: %w", text, err)
		}
		rules.List = append(rules.List, r)
	}
	return rules, nil
}
