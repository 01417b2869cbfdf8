// Command goroutines is a target: a thousand goroutines with files, pipes, sockets, timers and garbage collection, and
// goroutines whose stacks are nearly full when they make a call.
package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

func main() {
	files()
	pipes()
	sockets()
	timers()
	programs()
	stacks()
	locked()
	fmt.Println("goroutines ok")
}

func check(err error) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "%v\n", err)
		os.Exit(1)
	}
}

func expect[T comparable](what string, got, want T) {
	if got != want {
		check(fmt.Errorf("%s: %v, want %v", what, got, want))
	}
}

func each(n int, f func(i int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { f(i) })
	}
	wg.Wait()
}

// files writes and reads a thousand files at a time.
func files() {
	dir, err := os.MkdirTemp(".", "files")
	check(err)
	each(1000, func(i int) {
		name := filepath.Join(dir, fmt.Sprint(i))
		text := strings.Repeat(fmt.Sprint(i), 100)
		check(os.WriteFile(name, []byte(text), 0o600))
		got, err := os.ReadFile(name)
		check(err)
		expect("contents", string(got), text)
		check(os.Remove(name))
	})
	left, err := os.ReadDir(dir)
	check(err)
	expect("files left", len(left), 0)
}

// pipes passes numbers through a chain of pipes.
func pipes() {
	first, w, err := os.Pipe()
	check(err)
	r := first
	for range 50 {
		r2, w2, err := os.Pipe()
		check(err)
		go func(r, w *os.File) {
			io.Copy(w, r)
			w.Close()
			r.Close()
		}(r, w2)
		r = r2
	}
	go func() {
		for i := range 1000 {
			fmt.Fprintln(w, i)
		}
		w.Close()
	}()
	text, err := io.ReadAll(r)
	check(err)
	expect("lines through pipes", bytes.Count(text, []byte("\n")), 1000)
}

func sockets() {
	l, err := net.Listen("unix", "socket")
	check(err)
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				io.Copy(c, c)
				c.Close()
			}()
		}
	}()
	each(100, func(i int) {
		c, err := net.Dial("unix", "socket")
		check(err)
		_, err = fmt.Fprintf(c, "hello %d", i)
		check(err)
		check(c.(*net.UnixConn).CloseWrite())
		text, err := io.ReadAll(c)
		check(err)
		expect("echo", string(text), fmt.Sprintf("hello %d", i))
		c.Close()
	})
	// A read that ends by its deadline.
	a, b := net.Pipe()
	defer b.Close()
	a.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
	_, err = a.Read(make([]byte, 1))
	expect("deadline", os.IsTimeout(err), true)
}

func timers() {
	start := time.Now()
	each(1000, func(i int) { time.Sleep(time.Duration(i%20) * time.Millisecond) })
	expect("slept", time.Since(start) >= 19*time.Millisecond, true)
	t := time.NewTicker(time.Millisecond)
	for range 50 {
		<-t.C
	}
	t.Stop()
}

// programs executes, twenty at a time; one is killed by its context.
func programs() {
	slots := make(chan struct{}, 20)
	each(100, func(i int) {
		slots <- struct{}{}
		defer func() { <-slots }()
		out, err := exec.Command("/bin/sh", "-c", fmt.Sprintf("cat; exit %d", i%3)).Output()
		if i%3 == 0 {
			check(err)
		} else {
			expect("exit status", err.(*exec.ExitError).ExitCode(), i%3)
		}
		expect("output", len(out), 0)
	})
	cmd := exec.Command("cat")
	cmd.Stdin = strings.NewReader("through cat")
	out, err := cmd.Output()
	check(err)
	expect("cat", string(out), "through cat")
	_, err = exec.Command("/nonexistent").Output()
	expect("missing program", os.IsNotExist(err), true)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	err = exec.CommandContext(ctx, "sleep", "10").Run()
	expect("killed", err.(*exec.ExitError).Sys().(syscall.WaitStatus).Signal(), syscall.SIGKILL)
}

// stacks makes a call at every depth of a stack: some are at the very end of it.
func stacks() {
	pid := os.Getpid()
	each(50, func(int) {
		var down func(n int) int
		down = func(n int) int {
			var pad [24]byte
			pad[n%24] = 1
			p, _, _ := syscall.RawSyscall(syscall.SYS_GETPID, 0, 0, 0)
			expect("pid", int(p), pid)
			if n == 0 {
				return int(pad[0])
			}
			return down(n-1) + int(pad[1])
		}
		down(2000)
	})
	runtime.GC()
}

// locked has goroutines on threads of their own, which end with them.
func locked() {
	each(100, func(i int) {
		runtime.LockOSThread()
		if i%2 == 0 {
			defer runtime.UnlockOSThread()
		}
		tid := syscall.Gettid()
		for range 100 {
			runtime.Gosched()
			expect("thread", syscall.Gettid(), tid)
		}
	})
}
