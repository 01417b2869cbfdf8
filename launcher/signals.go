package launcher

import (
	"fmt"
	"os"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	rt "github.com/trapline/trapline/runtime"
)

// The assembly's addresses, and the end of the pipe it writes to.
var (
	forwardSignalAddr uintptr
	signalReturnAddr  uintptr
	signalPipe        int32
)

// launcherSignals ask a program to end.
var launcherSignals = [...]syscall.Signal{unix.SIGHUP, unix.SIGINT, unix.SIGQUIT, unix.SIGTERM}

// signalWatch reads the signals that ask the launcher to end. The target is in the same
// process group: what the terminal sends reaches both, and the launcher only waits
// for what the target makes of it. What somebody sends the launcher alone goes on to the target.
type signalWatch struct{ fd int }

// sigaction is the kernel's struct sigaction.
type sigaction struct {
	handler  uintptr
	flags    uint64
	restorer uintptr
	mask     uint64
}

// watchSignals takes over the launcher's signals, but for those it inherited as ignored.
func watchSignals() (*signalWatch, error) {
	const saSiginfo, saRestorer, saOnstack, saRestart = 4, 0x04000000, 0x08000000, 0x10000000
	var p [2]int
	if err := unix.Pipe2(p[:], unix.O_CLOEXEC); err != nil {
		return nil, fmt.Errorf("watch signals: %w", err)
	}
	signalPipe = int32(p[1])
	start, _ := rt.Started()
	a := sigaction{
		handler: forwardSignalAddr, restorer: signalReturnAddr, mask: ^uint64(0),
		flags: saSiginfo | saRestorer | saOnstack | saRestart,
	}
	for _, sig := range launcherSignals {
		if start.IgnoredSignals>>(uint(sig)-1)&1 == 0 {
			setAction(sig, &a)
		}
	}
	return &signalWatch{p[0]}, nil
}

func setAction(sig syscall.Signal, a *sigaction) {
	const sigsetSize = 8
	unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(sig), uintptr(unsafe.Pointer(a)), 0, sigsetSize, 0, 0)
}

// arrival is a signal that the launcher got.
type arrival struct {
	sig    syscall.Signal
	sent   bool // by a process, not by the terminal
	sender int32
}

// next waits for the next signal; its number is 0 if there will be none.
func (w *signalWatch) next() arrival {
	const siKernel, siginfoSize = 0x80, 128
	buf := make([]byte, siginfoSize)
	for {
		n, err := unix.Read(w.fd, buf)
		if err == unix.EINTR {
			continue
		}
		if err != nil || n != len(buf) {
			return arrival{}
		}
		info := (*rt.Siginfo)(unsafe.Pointer(&buf[0]))
		return arrival{syscall.Signal(info.Signo), info.Code != siKernel, info.PID()}
	}
}

const (
	// settle is how long a signal sent to the process group takes to reach the target's handler.
	settle = 20 * time.Millisecond
	// recent is how long ago it may have been when the launcher looks: the same sender may have sent it
	// to the launcher as well, as timeout does.
	recent = 200 * time.Millisecond
)

// forward passes on what was sent to the launcher and not to the target. A signal sent to the process
// group reaches both; if the target has a handler, the runtime has noted it.
func (w *signalWatch) forward(pid int, s *rt.Shared) {
	for {
		a := w.next()
		if a.sig == 0 {
			return
		}
		if !a.sent {
			continue
		}
		time.Sleep(settle)
		d := &s.Delivered[a.sig]
		ago := TicksToDuration(rt.Now() - atomic.LoadUint64(&d.Ticks))
		if d.Sender == a.sender && ago < recent {
			continue
		}
		unix.Kill(pid, a.sig)
	}
}

// DieOf ends the launcher by the signal that ended the target, without a core file of its
// own. It exits with 128 + sig if that signal does not end a process.
func DieOf(sig syscall.Signal) {
	runtime.LockOSThread()
	unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{})
	setAction(sig, &sigaction{})
	unix.RawSyscall(unix.SYS_TGKILL, uintptr(os.Getpid()), uintptr(unix.Gettid()), uintptr(sig))
	const sigsetSize = 8
	set := uint64(1) << (uint(sig) - 1)
	unix.RawSyscall6(unix.SYS_RT_SIGPROCMASK, unix.SIG_UNBLOCK, uintptr(unsafe.Pointer(&set)), 0, sigsetSize, 0, 0)
	os.Exit(128 + int(sig))
}
