package main

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"github.com/trapline/trapline/launcher"
	"github.com/trapline/trapline/tools/count"
)

// countFlags are the options of the verb count; those that strace -c has are strace's.
type countFlags struct {
	traceSet
	opts     count.Options
	output   string
	sites    bool
	interval time.Duration
}

func (c *countFlags) addTo(f *optionSet) {
	o := &c.opts
	f.StringVar(&c.output, "o,output", "write the table to `FILE` instead of standard error")
	f.Func("e,trace", traceUsage, c.Set)
	f.Func("S,summary-sort-by", "sort by `COLUMN`: "+columnUsage+", or nothing", o.SetSort)
	f.Func("U,summary-columns", "the `COLUMNS` of the table, separated by commas", o.SetColumns)
	f.add("l,latency", noArgument, "how the time of calls is spread: shortest, average, p50, p90, p99, longest, with units",
		func(string) error { o.SetLatency(); return nil })
	f.Func("by", "a table for each `process or thread` as well", o.SetBy)
	f.add("f", noArgument, "as --by process", func(string) error { return o.SetBy("process") })
	f.Bool("w,summary-wall-clock", "wall clock time: the default")
	f.BoolVar(&o.CPU, "cpu-time", "the time that a processor spent on each call, not the time it waited: two more calls for each")
	f.Func("interval", "show the table every `DURATION` (1s, 500ms): in place on a terminal", c.setInterval)
	f.add("json", noArgument, "one JSON object a line in place of the table", func(string) error { return c.setFormat(count.FormatJSON) })
	f.add("csv", noArgument, "comma-separated values in place of the table", func(string) error { return c.setFormat(count.FormatCSV) })
	f.BoolVar(&c.sites, "sites", "also say how the system call sites have fared")
}

const columnUsage = "time, total-time, min-time, max-time, avg-time, p50, p90, p99, calls, errors, name"

func (c *countFlags) setInterval(s string) (err error) {
	const least = 50 * time.Millisecond
	if c.interval, err = time.ParseDuration(s); err != nil || c.interval < least {
		return fmt.Errorf("not a duration of at least %v", least)
	}
	return nil
}

func (c *countFlags) setFormat(f count.Format) error {
	if c.opts.Format != count.FormatTable && c.opts.Format != f {
		return errors.New("--json and --csv exclude each other")
	}
	c.opts.Format = f
	return nil
}

// finish checks the options together.
func (c *countFlags) finish() error {
	if c.sites && c.opts.Format != count.FormatTable {
		return errors.New("-sites excludes --json and --csv")
	}
	return nil
}

func runCount(v *verb, args []string) (int, error) {
	var c countFlags
	f := new(optionSet)
	c.addTo(f)
	var how interception
	how.addTo(f)
	cfg, err := v.command(f, args, &how)
	if err == nil {
		err = v.misuse(c.finish())
	}
	if err != nil {
		return 0, err
	}
	return c.run(cfg)
}

// run runs the target and writes what has been counted.
func (c *countFlags) run(cfg *launcher.Config) (int, error) {
	out, err := output(c.output)
	if err != nil {
		return 0, err
	}
	sum := count.NewSummary(&c.opts)
	live := count.NewLive(sum, out)
	cfg.Tool, cfg.Hooked, cfg.Options = &count.Tool, c.hooked(), c.opts.Bytes()
	cfg.Harvest, cfg.Interval, cfg.Look = sum.Harvest, c.interval, live.Look
	return run(cfg, func(status launcher.Status) error {
		return live.End(func(w *bytes.Buffer) {
			if c.sites {
				count.PrintSites(w, &status.Sites, c.counted(sum))
			}
		})
	})
}

// counted returns how many calls the target has made, -1 if not all were counted.
func (c *countFlags) counted(sum *count.Summary) int64 {
	if c.given {
		return -1
	}
	return int64(sum.Calls())
}
