package main

import (
	"bufio"
	"io"
	"os"

	"github.com/trapline/trapline/launcher"
	"github.com/trapline/trapline/tools/trace"
)

func runTrace(v *verb, args []string) (int, error) {
	var e traceSet
	f := v.flags()
	name := f.String("o", "", "write the trace to `FILE` instead of standard error")
	strings := f.Int("s", trace.DefaultMaxString, "show at most `N` bytes of a string")
	var how interception
	how.addTo(f)
	f.Bool("f", true, "follow new processes: always")
	f.Var(&e, "e", traceUsage)
	cfg, err := v.command(f, args, &how)
	if err != nil {
		return 0, err
	}
	out, err := output(*name)
	if err != nil {
		return 0, err
	}
	cfg.Tool, cfg.Hooked = &trace.Tool, e.hooked()
	return tracing(cfg, out, trace.Options{
		MaxString: *strings, ShowPID: *name != "",
		Path: cfg.Path, Args: cfg.Args, Env: len(os.Environ()),
	})
}

// tracing runs the target with its events printed to out.
func tracing(cfg *launcher.Config, out io.Writer, opts trace.Options) (int, error) {
	w := bufio.NewWriterSize(out, 64<<10)
	p := trace.NewPrinter(w, opts)
	cfg.Options = opts.Bytes()
	cfg.Events = func(events []launcher.Event) {
		p.Events(events)
		w.Flush()
	}
	cfg.Harvest = func(th launcher.Thread, _ []byte) {
		if !th.Exec && !th.Alive {
			p.Ended(th.TID)
		}
	}
	return run(cfg, func(status launcher.Status) error {
		if status.Signal != 0 {
			p.KilledBy(status.Signal)
		}
		err := p.Close()
		if e := w.Flush(); err == nil {
			err = e
		}
		return err
	})
}
