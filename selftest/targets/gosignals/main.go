// Command gosignals is a target: what Go does with signals. Notify, preemption of loops without calls, nil pointers that
// become panics, profiling timers, children that die of signals, and death by a signal at the end.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"runtime/pprof"
	"sync/atomic"
	"syscall"
	"time"
)

func main() {
	notify()
	preemption()
	nilPointers()
	profile()
	children()
	fmt.Println("gosignals ok")
	signal.Reset()
	syscall.Kill(os.Getpid(), syscall.SIGTERM)
	select {}
}

func fail(format string, args ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
	os.Exit(1)
}

// notify sends each signal 50 times and waits for each.
func notify() {
	signals := []syscall.Signal{syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGHUP, syscall.SIGWINCH, syscall.SIGSYS, syscall.Signal(40)}
	c := make(chan os.Signal, 10)
	for _, sig := range signals {
		signal.Notify(c, sig)
		for range 50 {
			syscall.Kill(os.Getpid(), sig)
			select {
			case got := <-c:
				if got != sig {
					fail("notify: got %v, want %v", got, sig)
				}
			case <-time.After(10 * time.Second):
				fail("notify: no %v", sig)
			}
		}
		signal.Stop(c)
	}
	signal.Ignore(syscall.SIGUSR1)
	syscall.Kill(os.Getpid(), syscall.SIGUSR1)
	if !signal.Ignored(syscall.SIGUSR1) {
		fail("SIGUSR1 is not ignored")
	}
}

// preemption needs signals that reach loops without calls.
func preemption() {
	var stop atomic.Bool
	for range runtime.GOMAXPROCS(0) * 2 {
		go func() {
			for !stop.Load() {
			}
		}()
	}
	for range 20 {
		runtime.GC()
		time.Sleep(time.Millisecond)
	}
	stop.Store(true)
}

// nilPointers recovers from faults, a hundred times.
func nilPointers() {
	for range 100 {
		if err := dereference(nil); err == nil {
			fail("no panic")
		}
	}
	if _, err := divide(1, 0); err == nil {
		fail("no panic for a division by zero")
	}
}

func dereference(p *int) (err error) {
	defer func() { err, _ = recover().(error) }()
	*p = 1
	return nil
}

func divide(a, b int) (q int, err error) {
	defer func() { err, _ = recover().(error) }()
	return a / b, nil
}

// profile interrupts calls and computation with SIGPROF.
func profile() {
	f, err := os.CreateTemp(".", "profile")
	if err != nil {
		fail("%v", err)
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		fail("%v", err)
	}
	end := time.Now().Add(100 * time.Millisecond)
	for time.Now().Before(end) {
		syscall.Getppid()
	}
	pprof.StopCPUProfile()
	info, err := f.Stat()
	if err != nil || info.Size() == 0 {
		fail("empty profile: %v", err)
	}
}

func children() {
	for _, sig := range []syscall.Signal{syscall.SIGKILL, syscall.SIGTERM, syscall.SIGSEGV, syscall.SIGSYS} {
		cmd := exec.Command("sleep", "100")
		if err := cmd.Start(); err != nil {
			fail("%v", err)
		}
		cmd.Process.Signal(sig)
		var exit *exec.ExitError
		if err := cmd.Wait(); !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != sig {
			fail("child: %v, want %v", err, sig)
		}
	}
}
