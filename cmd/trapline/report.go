package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/trapline/trapline/launcher"
	"github.com/trapline/trapline/tools/report"
	"github.com/trapline/trapline/tools/trace"
)

// reportText is how much of a string the page shows.
const reportText = 100

func runReport(v *verb, args []string) (int, error) {
	var e traceSet
	f := new(optionSet)
	name := f.String("o,output", "write the page to `FILE`; has to be given")
	f.Func("e,trace", traceUsage, e.Set)
	var how interception
	how.addTo(f)
	cfg, err := v.command(f, args, &how)
	if err == nil && *name == "" {
		err = v.misuse(errors.New("no -o FILE given for the page"))
	}
	if err != nil {
		return 0, err
	}
	out, err := output(*name)
	if err != nil {
		return 0, err
	}
	opts := trace.Options{MaxString: reportText, Paths: 1}
	options, err := opts.Bytes()
	if err != nil {
		return 0, err
	}
	r := report.New(cfg.Args)
	p := trace.NewPrinter(io.Discard, opts)
	p.Recorder = trace.NewObserving(r)
	cfg.Tool, cfg.Hooked, cfg.Options = &trace.Tool, e.hooked(), options
	follow(cfg, p)
	return run(cfg, func(status launcher.Status) error {
		return errors.Join(conclude(p, status), writePage(out, r))
	})
}

func writePage(out *os.File, r *report.Report) error {
	w := bufio.NewWriter(out)
	err := r.Write(w)
	if err == nil {
		err = w.Flush()
	}
	if err == nil {
		err = out.Close()
	}
	if err != nil {
		return fmt.Errorf("write page: %w", err)
	}
	return nil
}
