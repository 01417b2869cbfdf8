package main

import "github.com/trapline/trapline/launcher"

func runRun(v *verb, args []string) (int, error) {
	f := v.flags()
	guard := f.Bool("guard", false, guardUsage)
	rest, err := v.parse(f, args)
	if err != nil {
		return 0, err
	}
	cfg, err := v.command(rest)
	if err != nil {
		return 0, err
	}
	cfg.All, cfg.Guard = true, *guard
	return run(cfg, func(launcher.Status) error { return nil })
}
