package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/trapline/trapline/launcher"
	"github.com/trapline/trapline/tools/policy"
	"github.com/trapline/trapline/tools/trace"
)

// policyUsage describes the file.
const policyUsage = `
FILE is JSON: {"default": ACTION, "rules": [RULE...]}. Of the rules that fit a call the first one counts, and the default where there
is none; exit, exit_group and rt_sigreturn have no default. A RULE:
  "action"   allow; deny (EPERM); errno; kill, the process by SIGKILL; log, that is allow and report
  "errno"    the error of the action errno: "EACCES"
  "calls"    a set of calls as that of trace -e trace=: "openat,%network"
  "paths"    absolute names of files and folders: the call is about one of these or something below. A rule that allows has to fit all
             names of a call, any other one of them; without a name the call's descriptors count. Links are not followed
  "address"  of connect, bind and sendto: {"family": "unix|inet|inet6|netlink|packet", "ip": "10.0.0.0/8", "port": "1-1023"}, with
             "paths" the path of a Unix socket
  "why"      what the line says behind the number of the rule
Each call that is denied, killed or logged is a line on trapline's standard error. This guards against accidents and is no sandbox: what
a call is about can change between the check and the call, and hostile code can write over the runtime.
`

func runPolicy(v *verb, args []string) (int, error) {
	f := new(optionSet)
	name := f.String("f,file", "the rules: `FILE`")
	report := f.String("o,output", "write the lines to `FILE` instead of standard error")
	var how interception
	how.addTo(f)
	cfg, err := v.command(f, args, &how)
	if err != nil {
		return 0, err
	}
	if *name == "" {
		return 0, v.misuse(errors.New("option -f is needed"))
	}
	p, err := readPolicy(*name)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", *name, err)
	}
	out, err := output(*report)
	if err != nil {
		return 0, err
	}
	cfg.Tool, cfg.Hooked, cfg.Options = &policy.Tool, p.Hooked(), p.Bytes()
	cfg.Events = func(events []launcher.Event) {
		for i := range events {
			if line := p.Report(&events[i]); line != "" {
				fmt.Fprintln(out, line)
			}
		}
	}
	return run(cfg, func(launcher.Status) error { return nil })
}

func readPolicy(name string) (*policy.Policy, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	return policy.Parse(data, &trace.Dictionary)
}
