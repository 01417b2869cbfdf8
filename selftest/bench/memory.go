package bench

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// sleepers are the experiments with processes that do nothing: what they have to themselves, the runtime costs.
func (s *session) sleepers() []*experiment {
	return []*experiment{
		s.sleeperExperiment("memory-fork", "a child by fork", "fork"),
		s.sleeperExperiment("memory-exec", "a child by fork and exec", "exec"),
	}
}

func (s *session) sleeperExperiment(name, about, how string) *experiment {
	e := &experiment{
		name: name, about: about + ", private KB", compare: difference,
		needs: []string{"gcc"}, prepare: func() error { return s.build("sleepers") },
	}
	for _, m := range []mode{
		{"native", nil},
		{"trapline run", s.verb("run")},
		{"trapline count", s.verb("count", "-o", "/dev/null")},
		{"trapline trace", s.verb("trace", "-o", "/dev/null")},
	} {
		run := func() (float64, error) { return s.privateMemory(m.prefix, how, s.size(20, 3)) }
		e.ways = append(e.ways, &way{name: m.name, run: run})
	}
	return e
}

// privateMemory starts n sleeping children and returns the kilobytes that one has to itself.
func (s *session) privateMemory(prefix []string, how string, n int) (kb float64, err error) {
	p := s.command(s.dir, prefix, s.file("sleepers"), how, strconv.Itoa(n))
	p.Stdout = nil
	stdin, err := p.StdinPipe()
	if err != nil {
		return 0, err
	}
	stdout, err := p.StdoutPipe()
	if err != nil {
		return 0, err
	}
	if err := p.Start(); err != nil {
		p.cancel()
		return 0, err
	}
	// The end of its input ends the children.
	defer func() { err = errors.Join(err, stdin.Close(), p.wait()) }()
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		return 0, fmt.Errorf("sleepers said nothing: %w", err)
	}
	for _, pid := range strings.Fields(line) {
		k, err := privateKB(pid)
		if err != nil {
			return 0, err
		}
		kb += k / float64(n)
	}
	return kb, nil
}

// privateKB adds up the pages that one process alone has mapped (smaps_rollup, Linux 4.14).
func privateKB(pid string) (float64, error) {
	text, err := os.ReadFile("/proc/" + pid + "/smaps_rollup")
	if err != nil {
		return 0, err
	}
	sum := 0.0
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		if len(f) == 3 && (f[0] == "Private_Clean:" || f[0] == "Private_Dirty:") {
			k, err := strconv.ParseFloat(f[1], 64)
			if err != nil {
				return 0, err
			}
			sum += k
		}
	}
	return sum, nil
}
