package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"slices"
	"syscall"

	"github.com/trapline/trapline/launcher"
	rt "github.com/trapline/trapline/runtime"
	"github.com/trapline/trapline/selftest/bench"
	"github.com/trapline/trapline/tools/emulate"
	"github.com/trapline/trapline/tools/noop"
)

func runBench(v *verb, args []string) (int, error) {
	o, err := v.benchOptions(args)
	if err != nil {
		return 0, err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	err = bench.Run(ctx, os.Stdout, o)
	if errors.Is(err, bench.ErrNothing) {
		return 0, &usageError{fmt.Sprintf("%s: %v", v.name, err)}
	}
	if err != nil {
		return 0, fmt.Errorf("%s: %w", v.name, err)
	}
	return 0, nil
}

func (v *verb) benchOptions(args []string) (bench.Options, error) {
	f, o := new(optionSet), bench.Options{Rounds: 7}
	f.IntVar(&o.Rounds, "rounds", "run every program in every way `N` times")
	f.BoolVar(&o.Quick, "quick", "small workloads, to see that everything works: the figures mean little")
	f.BoolVar(&o.JSON, "json", "print one JSON object instead of tables")
	f.Func("only", onlyUsage, func(text string) (err error) {
		o.Only, err = regexp.Compile(text)
		return err
	})
	rest, err := v.parse(f, args)
	if err == nil {
		err = v.noArguments(rest)
	}
	if err == nil && o.Rounds < 1 {
		err = &usageError{fmt.Sprintf("%s: -rounds %d: at least 1", v.name, o.Rounds)}
	}
	return o, err
}

const onlyUsage = "measure only what `REGEX` matches in EXPERIMENT/WAY: 'getpid', 'dd|exec', 'redis/.* run'"

// benchTools are the tools that exist to be measured.
var benchTools = []*rt.Tool{&noop.Tool, &emulate.Tool}

// runBenchHook runs a program under one of benchTools; only the benchmark uses it.
func runBenchHook(v *verb, args []string) (int, error) {
	f := new(optionSet)
	name := f.String("tool", "the `NAME` of the tool")
	var how interception
	how.addTo(f)
	cfg, err := v.command(f, args, &how)
	if err != nil {
		return 0, err
	}
	at := slices.IndexFunc(benchTools, func(t *rt.Tool) bool { return t.Name == *name })
	if at < 0 {
		return 0, &usageError{fmt.Sprintf("%s: unknown tool %q", v.name, *name)}
	}
	cfg.Tool = benchTools[at]
	return run(cfg, func(launcher.Status) error { return nil })
}
