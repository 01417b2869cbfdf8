package programs

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// An outcome is what the world sees of one run.
type outcome struct {
	Status         int // 128+n: killed by signal n
	Stdout, Stderr string
	Left           []string // processes that were still there
}

// execute runs argv as the leader of a session of its own, its output in files (a pipe would be held open by a process
// left over). When the limit has passed, everything it started is killed.
func execute(argv []string, dir string, env []string, limit time.Duration) (outcome, error) {
	stdout, err := os.OpenFile(dir+".out", os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return outcome{}, err
	}
	defer stdout.Close()
	stderr, err := os.OpenFile(dir+".err", os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return outcome{}, err
	}
	defer stderr.Close()

	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = dir, env, stdout, stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return outcome{}, err
	}
	timedOut := waitLimit(cmd, dir, limit)

	var o outcome
	o.Status = shellStatus(cmd.ProcessState)
	o.Left = leftover(cmd.Process.Pid, dir)
	o.Stdout, o.Stderr = contents(stdout.Name()), contents(stderr.Name())
	if timedOut {
		return o, fmt.Errorf("not done after %v; so far:\n%s%s", limit, o.Stdout, o.Stderr)
	}
	return o, nil
}

// waitLimit waits for the command; it kills its session when the limit has passed, and says whether it did.
func waitLimit(cmd *exec.Cmd, dir string, limit time.Duration) (timedOut bool) {
	done := make(chan struct{})
	go func() {
		// The status is in ProcessState; an unsuccessful one is not an error here.
		var exit *exec.ExitError
		if err := cmd.Wait(); err != nil && !errors.As(err, &exit) {
			panic(err)
		}
		close(done)
	}()
	select {
	case <-done:
		return false
	case <-time.After(limit):
	}
	syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	for _, p := range processes(cmd.Process.Pid, dir) {
		syscall.Kill(p.pid, syscall.SIGKILL)
	}
	<-done
	return true
}

// shellStatus is $? of a shell.
func shellStatus(s *os.ProcessState) int {
	ws := s.Sys().(syscall.WaitStatus)
	if ws.Signaled() {
		return 128 + int(ws.Signal())
	}
	return ws.ExitStatus()
}

func contents(name string) string {
	b, err := os.ReadFile(name)
	if err != nil {
		return err.Error()
	}
	return string(bytes.ToValidUTF8(b, []byte("?")))
}
