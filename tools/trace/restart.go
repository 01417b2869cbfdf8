package trace

import (
	"golang.org/x/sys/unix"

	rt "github.com/trapline/trapline/runtime"
)

// How the kernel ends a call for a signal: with an error number of its own, which strace sees and the program does not. If the
// call is not made again the program sees EINTR. Which number that was is a fact about the call (Linux 6.18).
const (
	restartSys    = "ERESTARTSYS (To be restarted if SA_RESTART is set)"
	restartNoHand = "ERESTARTNOHAND (To be restarted if no handler)"
	restartBlock  = "ERESTART_RESTARTBLOCK (Interrupted by signal)"
)

// restarts are the numbers by call. What is not here gives EINTR itself.
var restarts = map[int]string{
	unix.SYS_PAUSE: restartNoHand, unix.SYS_RT_SIGSUSPEND: restartNoHand, // kernel/signal.c
	unix.SYS_SELECT: restartNoHand, unix.SYS_PSELECT6: restartNoHand, unix.SYS_PPOLL: restartNoHand, // fs/select.c
	unix.SYS_POLL:   restartBlock,
	unix.SYS_MSGSND: restartNoHand, unix.SYS_MSGRCV: restartNoHand, // ipc/msg.c
	unix.SYS_IO_PGETEVENTS: restartNoHand, // fs/aio.c
	unix.SYS_NANOSLEEP:     restartBlock,  // kernel/time/hrtimer.c
	unix.SYS_FUTEX_WAITV:   restartSys,    // kernel/futex/syscalls.c

	unix.SYS_WAIT4: restartSys, unix.SYS_WAITID: restartSys, // kernel/exit.c
	unix.SYS_READ: restartSys, unix.SYS_READV: restartSys, unix.SYS_WRITE: restartSys, unix.SYS_WRITEV: restartSys, // fs/pipe.c and others
	unix.SYS_OPEN: restartSys, unix.SYS_OPENAT: restartSys, unix.SYS_OPENAT2: restartSys, // fs/pipe.c
	unix.SYS_SPLICE: restartSys, unix.SYS_TEE: restartSys, unix.SYS_VMSPLICE: restartSys,
	unix.SYS_FCNTL: restartSys, unix.SYS_FLOCK: restartSys, // fs/locks.c
	unix.SYS_IOCTL:  restartSys,                                                             // drivers/tty/tty_io.c
	unix.SYS_ACCEPT: restartSys, unix.SYS_ACCEPT4: restartSys, unix.SYS_CONNECT: restartSys, // include/net/sock.h
	unix.SYS_RECVFROM: restartSys, unix.SYS_RECVMSG: restartSys, unix.SYS_RECVMMSG: restartSys,
	unix.SYS_SENDTO: restartSys, unix.SYS_SENDMSG: restartSys, unix.SYS_SENDMMSG: restartSys,
	unix.SYS_MQ_TIMEDSEND: restartSys, unix.SYS_MQ_TIMEDRECEIVE: restartSys, // ipc/mqueue.c
	unix.SYS_GETRANDOM: restartSys,
}

// restarts reports whether the call was interrupted so that strace shows no result.
func (c *call) restarts() bool {
	return c.ended && (c.result == -rt.ERESTARTSYS || c.result == -eintr && c.restartCode() != "" && !c.replaced())
}

// restartCode returns the kernel's number for the call and what it means, nothing for EINTR.
func (c *call) restartCode() string {
	if c.result == -rt.ERESTARTSYS {
		return restartSys
	}
	switch c.nr {
	case unix.SYS_CLOCK_NANOSLEEP:
		if c.args[1]&unix.TIMER_ABSTIME != 0 {
			return restartNoHand
		}
		return restartBlock
	case unix.SYS_FUTEX:
		if cmd := c.args[1] & futexCommandMask; cmd != futexWait && cmd != futexWaitBitset {
			return ""
		}
		if c.args[3] != 0 {
			return restartBlock
		}
		return restartSys
	}
	return restarts[c.nr]
}
