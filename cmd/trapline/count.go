package main

import (
	"bufio"

	"github.com/trapline/trapline/launcher"
	"github.com/trapline/trapline/tools/count"
)

func runCount(v *verb, args []string) (int, error) {
	var e traceSet
	f := v.flags()
	name := f.String("o", "", "write the table to `FILE` instead of standard error")
	each := f.Bool("f", false, "also a table for each process")
	var how interception
	how.addTo(f)
	f.Var(&e, "e", traceUsage)
	rest, err := v.parse(f, args)
	if err != nil {
		return 0, err
	}
	cfg, err := v.command(rest, how)
	if err != nil {
		return 0, err
	}
	out, err := output(*name)
	if err != nil {
		return 0, err
	}
	sum := count.NewSummary()
	cfg.Tool, cfg.Hooked, cfg.Harvest = &count.Tool, e.hooked(), sum.Harvest
	return run(cfg, func(launcher.Status) error {
		w := bufio.NewWriter(out)
		sum.Print(w, *each)
		return w.Flush()
	})
}
