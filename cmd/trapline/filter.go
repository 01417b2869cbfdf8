package main

import (
	"os"

	"github.com/trapline/trapline/bpf"
	"github.com/trapline/trapline/launcher"
	"github.com/trapline/trapline/tools/count"
	"github.com/trapline/trapline/tools/syscalls"
)

func runFilter(v *verb, args []string) (int, error) {
	var e traceSet
	f := new(optionSet)
	f.Func("e,trace", traceUsage, e.Set)
	rest, err := v.parse(f, args)
	if err == nil {
		err = v.noArguments(rest)
	}
	if err != nil {
		return 0, err
	}
	p, err := launcher.Filter(&launcher.Config{Tool: &count.Tool, Hooked: e.hooked()})
	if err != nil {
		return 0, err
	}
	return 0, bpf.Dump(os.Stdout, p, syscalls.Name)
}
