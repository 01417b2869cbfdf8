// Runs in the target, on the tool stack; any signal may arrive.

package runtime

import (
	"sync/atomic"
	"unsafe"
)

// Waits show two things that are not the target's: stops of tracees that are not for their tracer (hideStop), and the
// helper of another thread's exec. That is a child of the process without exit signal, so that only __WALL and __WCLONE
// show it, and the wait looks away.

const (
	wclone  = 0x80000000 // __WCLONE
	wnowait = 0x01000000 // WNOWAIT
)

// noHelper and helperComes are values of execJob.helper.
const (
	noHelper    = 0
	helperComes = -1
)

// helpers counts the helpers that the process has ever had.
var helpers uint32

// lookout is a wait that may meet a helper.
type lookout struct {
	thread  *Thread
	options uintptr
	some    bool   // the options show helpers
	helped  bool   // there was one when the wait began
	started uint32 // helpers at that time
}

// lookOut begins a wait. many: it is not for one child alone.
func (t *Thread) lookOut(options uintptr, many bool) lookout {
	l := lookout{thread: t, options: options, some: many && options&(wallWait|wclone) != 0}
	if l.some {
		l.started, l.helped = atomic.LoadUint32(&helpers), t.helped()
	}
	return l
}

// again reports whether the wait has to be made once more: it was about a helper, or has found that there is a child, pid 0,
// when that may have been a helper. That one is soon gone, or this thread.
func (l *lookout) again(pid int32, killed bool) bool {
	if !l.some || !l.helped && l.started == atomic.LoadUint32(&helpers) {
		return false
	}
	if pid != 0 && !l.meets(pid) && (l.options&wnowait == 0 || !killed || isOrdinary(pid)) {
		// A process ID that was merely looked at says nothing: it may be the next helper's by now. Helpers are killed.
		return false
	}
	sys(sysSchedYield, 0, 0, 0, 0, 0, 0)
	return true
}

// helped reports whether another thread of the process has a helper.
func (t *Thread) helped() bool {
	for o := t.other(allThreads); o != nil; o = t.other(o.next) {
		if atomic.LoadInt32(&o.exec.helper) != noHelper {
			return true
		}
	}
	return false
}

// meets reports whether a child is another thread's helper. If it has been reaped that thread waits to hear of it.
func (l *lookout) meets(pid int32) bool {
	t := l.thread
	for o := t.other(allThreads); o != nil; o = t.other(o.next) {
		if atomic.LoadInt32(&o.exec.helper) == pid {
			if l.options&wnowait == 0 {
				atomic.StoreInt32(&o.exec.helper, noHelper)
			}
			return true
		}
	}
	return false
}

// isOrdinary reports whether there is such a child, one with SIGCHLD as its exit signal, that has not been reaped.
func isOrdinary(pid int32) bool {
	const pPID, wnohang, wexited = 1, 1, 4
	return !failed(sys(sysWaitid, pPID, uintptr(pid), 0, wnohang|wexited|wnowait, 0, 0))
}

// rusage is struct rusage.
type rusage [144]byte

// give writes it to the target's memory.
func (u *rusage) give(to uintptr) bool {
	return to == 0 || safeCopy(to, addrOf(u), unsafe.Sizeof(*u)) == unsafe.Sizeof(*u)
}

// wait4 serves wait4.
func wait4(t *Thread, c *Call) int64 {
	a := &c.args
	for {
		var status uint32
		var usage rusage
		l := t.lookOut(a[2], int32(a[0]) <= 0)
		r := int64(doCall(sysWait4, a[0], addrOf(&status), a[2], addrOf(&usage), 0, 0))
		switch {
		case r < 0:
			return r
		case l.again(int32(r), false), r > 0 && hideStop(uintptr(r), &status):
			continue
		case r > 0 && (a[1] != 0 && safeCopy(a[1], addrOf(&status), 4) != 4 || !usage.give(a[3])):
			return -int64(eFAULT)
		}
		return r
	}
}

// waitid serves waitid.
func waitid(t *Thread, c *Call) int64 {
	const all, group, killed = 0, 2, 2 // P_ALL, P_PGID, CLD_KILLED
	a := &c.args
	for {
		var info Siginfo
		var usage rusage
		l := t.lookOut(a[3], a[0] == all || a[0] == group)
		r := int64(doCall(sysWaitid, a[0], a[1], addrOf(&info), a[3], addrOf(&usage), 0))
		if r == -ENOTRUN || r == -ERESTARTSYS {
			return r
		}
		pid := info.PID()
		if r == 0 && (l.again(pid, info.Code == killed && info.Status() == sigKill) || pid != 0 && hideChange(&info)) {
			continue
		}
		if pid != 0 && !usage.give(a[4]) || !giveChange(a[2], &info) {
			return -int64(eFAULT)
		}
		return r
	}
}

// giveChange writes what the kernel writes of a siginfo, also when it has found nothing.
func giveChange(to uintptr, info *Siginfo) bool {
	const head, id, part = 0, 16, 12 // si_signo, si_errno, si_code; si_pid, si_uid, si_status
	raw := info.Raw()
	return to == 0 || safeCopy(to+head, addrOf(&raw[head]), part) == part && safeCopy(to+id, addrOf(&raw[id]), part) == part
}
