package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"
)

// runLimit is what one run may take. The slowest takes a tenth of it.
const runLimit = 5 * time.Minute

var errHangs = fmt.Errorf("not done after %v", runLimit)

// A process is a command that was started, in a process group of its own.
type process struct {
	*exec.Cmd
	stdout, stderr bytes.Buffer
	ctx            context.Context
	cancel         context.CancelFunc
}

// command makes a process for prefix and argv in dir. When time is up or the session ends, its group is killed: a
// target lives on when the launcher alone dies.
func (s *session) command(dir string, prefix []string, argv ...string) *process {
	words := slices.Concat(prefix, argv)
	p := new(process)
	p.ctx, p.cancel = context.WithTimeout(s.ctx, runLimit)
	p.Cmd = exec.CommandContext(p.ctx, words[0], words[1:]...)
	p.Dir, p.Stdout, p.Stderr = dir, &p.stdout, &p.stderr
	p.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	p.Cancel = p.killGroup
	p.WaitDelay = time.Second
	return p
}

func (p *process) killGroup() error { return syscall.Kill(-p.Process.Pid, syscall.SIGKILL) }

// wait waits for the end and says what went wrong.
func (p *process) wait() error {
	err := p.Wait()
	if errors.Is(p.ctx.Err(), context.DeadlineExceeded) {
		err = errHangs
	}
	p.cancel()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", p.Args[0], err, bytes.TrimSpace(p.stderr.Bytes()))
	}
	return nil
}

// output runs a command and returns what it prints and how long it took.
func (s *session) output(dir string, prefix []string, argv ...string) (string, time.Duration, error) {
	p := s.command(dir, prefix, argv...)
	start := time.Now()
	if err := p.Start(); err != nil {
		p.cancel()
		return "", 0, err
	}
	err := p.wait()
	return p.stdout.String(), time.Since(start), err
}

// shell runs a shell text that prepares something.
func (s *session) shell(dir, text string, args ...string) error {
	argv := append([]string{"sh", "-euc", text, "sh"}, args...)
	_, _, err := s.output(dir, nil, argv...)
	if err != nil {
		return fmt.Errorf("%s: %w", strings.Fields(text)[0], err)
	}
	return nil
}
