package main

import "github.com/trapline/trapline/launcher"

func runRun(v *verb, args []string) (int, error) {
	f := new(optionSet)
	var how interception
	how.addTo(f)
	cfg, err := v.command(f, args, &how)
	if err != nil {
		return 0, err
	}
	cfg.All = true
	return run(cfg, func(launcher.Status) error { return nil })
}
