package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
)

// Options say what to measure.
type Options struct {
	Rounds int            // how often every program runs in every way
	Only   *regexp.Regexp // the experiments and ways, as EXPERIMENT/WAY; nil: all
	Quick  bool           // small workloads, to see that everything works: the figures mean little
	JSON   bool           // one JSON object instead of tables
}

// ErrNothing reports that Options.Only matches nothing.
var ErrNothing = errors.New("no experiment matches")

// errInterrupted reports that the user ended the benchmark.
var errInterrupted = errors.New("interrupted")

// HookVerb is the verb that runs a program under one of the tools that exist to be measured.
const HookVerb = "bench-hook"

// A session is one run of the benchmark.
type session struct {
	ctx      context.Context
	trapline string // this executable
	quick    bool
	dir      string // built programs and input, gone afterwards
	memory   string // a folder in memory, for traces and for what programs write
	rules    string // a file, for trapline policy
}

// Run measures and writes tables, or JSON, to w. The context ends it early, with everything it started.
func Run(ctx context.Context, w io.Writer, o Options) error {
	s, err := newSession(ctx, o)
	if err != nil {
		return err
	}
	defer os.RemoveAll(s.dir)
	defer os.RemoveAll(s.memory)
	err = s.run(w, o)
	if ctx.Err() != nil {
		return errInterrupted
	}
	return err
}

func newSession(ctx context.Context, o Options) (*session, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this executable: %w", err)
	}
	// Figures are parsed, and some servers are where only root's PATH leads.
	os.Setenv("LC_ALL", "C")
	os.Setenv("PATH", os.Getenv("PATH")+":/usr/sbin:/sbin")
	s := &session{ctx: ctx, trapline: self, quick: o.Quick}
	if s.dir, err = os.MkdirTemp("", "trapline-bench"); err != nil {
		return nil, err
	}
	if s.memory, err = os.MkdirTemp("/dev/shm", "trapline-bench"); err != nil {
		s.memory = s.dir
	}
	s.rules = filepath.Join(s.dir, "rules.json")
	const rules = `{"rules": [{"action": "deny", "calls": "reboot,%ipc"}, {"action": "kill", "calls": "chroot", "paths": ["/etc"]}]}`
	if err := os.WriteFile(s.rules, []byte(rules), 0o600); err != nil {
		return s, err
	}
	return s, s.unpack()
}

func (s *session) run(w io.Writer, o Options) error {
	es := selected(s.experiments(), o.Only)
	if len(es) == 0 {
		return fmt.Errorf("%w %q", ErrNothing, o.Only)
	}
	if err := checkCommands(es); err != nil {
		return err
	}
	m, err := s.machine()
	if err != nil {
		return err
	}
	if !o.JSON {
		m.print(w)
	}
	for _, e := range es {
		if err := e.measure(o.Rounds); err != nil {
			return err
		}
		if !o.JSON {
			e.print(w)
		}
	}
	if o.JSON {
		return writeJSON(w, m, es)
	}
	return nil
}

func (s *session) experiments() []*experiment {
	var es []*experiment
	es = append(es, s.calls()...)
	es = append(es, s.programs()...)
	es = append(es, s.servers()...)
	return append(es, s.sleepers()...)
}

// file is a file of the session's own.
func (s *session) file(name string) string { return filepath.Join(s.dir, name) }

// size is how large a workload is.
func (s *session) size(full, quick int) int {
	if s.quick {
		return quick
	}
	return full
}
