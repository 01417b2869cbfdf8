// A thousand goroutines that use files, pipes, sockets and child processes, while the scheduler preempts them by signal.
package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

var failures atomic.Int64

func check(err error) {
	if err != nil {
		failures.Add(1)
		fmt.Println("failed:", err)
	}
}

func main() {
	dir, err := os.MkdirTemp("", "go")
	check(err)
	defer os.RemoveAll(dir)

	stop := make(chan struct{})
	for range 2 {
		go spin(stop)
	}
	var bytesMoved, statuses atomic.Int64
	children := make(chan struct{}, 16)
	var wg sync.WaitGroup
	for i := range 1000 {
		wg.Go(func() {
			switch i % 4 {
			case 0:
				bytesMoved.Add(file(filepath.Join(dir, strconv.Itoa(i)), i))
			case 1:
				bytesMoved.Add(pipe(i))
			case 2:
				bytesMoved.Add(socket())
			case 3:
				if i%5 == 3 {
					children <- struct{}{}
					statuses.Add(child(i))
					<-children
				} else {
					time.Sleep(time.Duration(i) * time.Microsecond)
				}
			}
		})
	}
	wg.Wait()
	close(stop)
	names, err := filepath.Glob(dir + "/*")
	check(err)
	fmt.Println("moved", bytesMoved.Load(), "statuses", statuses.Load(), "files", len(names))

	killed()
	signals()
	garbage()
	faults()
	fmt.Println("failures", failures.Load())
	if failures.Load() > 0 {
		os.Exit(1)
	}
	os.Exit(4)
}

// spin never yields by itself: only a signal gets it off its thread.
func spin(stop chan struct{}) {
	for n := 0; ; n++ {
		if n&0xfffff == 0 {
			select {
			case <-stop:
				return
			default:
			}
		}
	}
}

func file(name string, i int) int64 {
	text := bytes.Repeat([]byte{byte(i)}, i*3)
	check(os.WriteFile(name, text, 0o600))
	got, err := os.ReadFile(name)
	check(err)
	if sha256.Sum256(got) != sha256.Sum256(text) {
		check(errors.New("file differs"))
	}
	st, err := os.Stat(name)
	check(err)
	return st.Size()
}

func pipe(i int) int64 {
	r, w, err := os.Pipe()
	check(err)
	go func() {
		_, err := w.Write(bytes.Repeat([]byte("p"), 100*i))
		check(err)
		check(w.Close())
	}()
	n, err := io.Copy(io.Discard, r)
	check(err)
	check(r.Close())
	return n
}

var server = sync.OnceValue(func() net.Listener {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { io.Copy(c, c); c.Close() }()
		}
	}()
	return l
})

func socket() int64 {
	c, err := net.Dial("tcp", server().Addr().String())
	check(err)
	if err != nil {
		return 0
	}
	defer c.Close()
	_, err = c.Write(make([]byte, 1000))
	check(err)
	n, err := io.ReadFull(c, make([]byte, 1000))
	check(err)
	return int64(n)
}

func child(i int) int64 {
	cmd := exec.Command("sh", "-c", "read x; echo got $x; exit "+strconv.Itoa(i%100))
	cmd.Stdin = strings.NewReader(strconv.Itoa(i) + "\n")
	out, err := cmd.Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		check(err)
	}
	if want := fmt.Sprintf("got %d\n", i); string(out) != want {
		check(fmt.Errorf("child said %q, want %q", out, want))
	}
	return int64(cmd.ProcessState.ExitCode())
}

func killed() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Millisecond)
	defer cancel()
	fmt.Println("killed:", exec.CommandContext(ctx, "sleep", "10").Run())
	fmt.Println("missing:", exec.Command("/nonexistent").Run())
}

func signals() {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGUSR1)
	for range 100 {
		check(syscall.Kill(os.Getpid(), syscall.SIGUSR1))
		<-c
	}
	fmt.Println("signals 100")
}

func garbage() {
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			keep := make([][]byte, 64)
			for i := range 5000 {
				keep[i%64] = make([]byte, 1+i*7%4000)
				if i%500 == 0 {
					runtime.GC()
				}
			}
		})
	}
	wg.Wait()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	fmt.Println("collected", m.NumGC > 10)
}

// faults: the runtime makes panics of the kernel's SIGSEGV, from goroutines on many threads.
func faults() {
	var caught atomic.Int64
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			defer func() {
				if recover() != nil {
					caught.Add(1)
				}
			}()
			var p *[1 << 10]int
			p[runtime.NumCPU()] = 1
		})
	}
	wg.Wait()
	fmt.Println("faults", caught.Load())
}
