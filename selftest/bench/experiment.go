package bench

import (
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"strings"
)

// An experiment is one program, measured in several ways.
type experiment struct {
	name    string
	about   string       // what is measured, and its unit
	digits  int          // behind the point
	compare comparison   // of the ways with the first one
	floor   string       // another way to compare with, or ""
	needs   []string     // commands
	prepare func() error // makes what the ways need; nil: nothing
	ways    []*way
}

// A way is one way to run the program of an experiment.
type way struct {
	name   string
	run    func() (float64, error)
	values []float64 // one a round
}

// selected returns the experiments and ways that only matches, as EXPERIMENT/WAY. The first way of an experiment
// stays in any case: the others are compared to it.
func selected(es []*experiment, only *regexp.Regexp) []*experiment {
	if only == nil {
		return es
	}
	var some []*experiment
	for _, e := range es {
		matches := func(w *way) bool { return only.MatchString(e.name + "/" + w.name) }
		ways := e.ways[:1:1]
		for _, w := range e.ways[1:] {
			if matches(w) {
				ways = append(ways, w)
			}
		}
		if len(ways) > 1 || matches(ways[0]) {
			e.ways = ways
			some = append(some, e)
		}
	}
	return some
}

// measure runs the program in every way, one after the other, rounds times, and once before that for the caches.
func (e *experiment) measure(rounds int) error {
	if e.prepare != nil {
		if err := e.prepare(); err != nil {
			return fmt.Errorf("prepare %s: %w", e.name, err)
		}
	}
	if _, err := e.run(e.ways[0]); err != nil {
		return err
	}
	for range rounds {
		for _, w := range e.ways {
			v, err := e.run(w)
			if err != nil {
				return err
			}
			w.values = append(w.values, v)
		}
	}
	return nil
}

func (e *experiment) run(w *way) (float64, error) {
	v, err := w.run()
	if err != nil {
		return 0, fmt.Errorf("%s, %s: %w", e.name, w.name, err)
	}
	return v, nil
}

// packages has the Debian package of each command that experiments need, as packages.txt lists them.
var packages = map[string]string{
	"gcc": "gcc", "git": "git", "nginx": "nginx-light", "redis-benchmark": "redis-tools", "redis-server": "redis-server",
	"sqlite3": "sqlite3", "strace": "strace", "wrk": "wrk",
}

// checkCommands reports the commands that are not there, before anything is measured.
func checkCommands(es []*experiment) error {
	missing := map[string]bool{}
	need := func(command string) {
		if _, err := exec.LookPath(command); err != nil {
			missing[command] = true
		}
	}
	need("strace")
	for _, e := range es {
		for _, c := range e.needs {
			need(c)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	var names []string
	for c := range missing {
		names = append(names, packages[c])
	}
	slices.Sort(names)
	return fmt.Errorf("missing Debian packages: %s (apt-get install, or choose with --only)", strings.Join(names, " "))
}
