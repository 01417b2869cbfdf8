package main

import (
	"bufio"

	"github.com/trapline/trapline/launcher"
	"github.com/trapline/trapline/tools/count"
)

func runCount(v *verb, args []string) (int, error) {
	var e traceSet
	f := new(optionSet)
	name := f.String("o,output", "write the table to `FILE` instead of standard error")
	each := f.Bool("f", "also a table for each process")
	sites := f.Bool("sites", "also say how the system call sites have fared")
	var how interception
	how.addTo(f)
	f.Func("e,trace", traceUsage, e.Set)
	cfg, err := v.command(f, args, &how)
	if err != nil {
		return 0, err
	}
	out, err := output(*name)
	if err != nil {
		return 0, err
	}
	sum := count.NewSummary()
	cfg.Tool, cfg.Hooked, cfg.Harvest = &count.Tool, e.hooked(), sum.Harvest
	return run(cfg, func(status launcher.Status) error {
		w := bufio.NewWriter(out)
		sum.Print(w, *each)
		if *sites {
			calls := int64(sum.Calls())
			if cfg.Hooked != nil {
				calls = -1
			}
			count.PrintSites(w, &status.Sites, calls)
		}
		return w.Flush()
	})
}
