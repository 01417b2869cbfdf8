package runtime

import "unsafe"

// Addresses of assembly routines. A func value of an assembly function would point
// at its ABIInternal wrapper, which reloads R14 from the target's TLS; so the
// addresses are taken in assembly.
var (
	stubEntryAddr          uintptr
	stubSavedAddr          uintptr
	exitToTargetAddr       uintptr
	deliverTrapAddr        uintptr
	signalEntryAddr        uintptr
	signalExitCheckedAddr  uintptr
	signalRestorerAddr     uintptr
	ownCallAddr            uintptr
	doCallAddr             uintptr
	doCallCheckedAddr      uintptr
	doCallRefusedAddr      uintptr
	doCallRestartedAddr    uintptr
	makeCallCheckedAddr    uintptr
	makeCallRefusedAddr    uintptr
	makeCallRestartedAddr  uintptr
	judgeCallAddr          uintptr
	judgeCallCheckedAddr   uintptr
	judgeCallRefusedAddr   uintptr
	judgeNoticeAddr        uintptr
	doSigreturnAddr        uintptr
	doSigreturnCheckedAddr uintptr
	doSigreturnRefusedAddr uintptr
	doCloneAddr            uintptr
	exitThreadAddr         uintptr
	startHelperAddr        uintptr
	saveVectorsAddr        uintptr
	currentThreadAddr      uintptr
	rdtscAddr              uintptr
	safeCopyAddr           uintptr
	safeCopyFaultAddr      uintptr
	safeStringAddr         uintptr
	safeStringFaultAddr    uintptr
	safeStoreAddr          uintptr
	safeStoreFaultAddr     uintptr
	bootstrapAddr          uintptr
	loadCodeAddr           uintptr
	loadEntryAddr          uintptr
)

// The Go functions that assembly enters.
var (
	dispatchFunc     = dispatch
	callMadeFunc     = callMade
	onSignalFunc     = onSignal
	leaveHandlerFunc = leaveHandler
	childStartFunc   = childStart
	execHelperFunc   = execHelper
	bootFunc         = boot
	loadFunc         = load
)

// Windows: routines in which the signal handler treats an interrupted thread in a
// way of its own.
const (
	WindowStubEntry = iota
	WindowExit
	WindowDoCall
	WindowMakeCall
	WindowJudgeCall
	WindowJudgeNotice
	WindowClone
	WindowSigreturn
	WindowSignalExit
	WindowSafeCopy
	WindowSafeString
	WindowSafeStore
	NumWindows
)

// WindowStarts returns the address of each window's routine, for the launcher, which
// finds their ends in the symbol table.
func WindowStarts() [NumWindows]uintptr {
	return [NumWindows]uintptr{
		WindowStubEntry:   stubEntryAddr,
		WindowExit:        exitToTargetAddr,
		WindowDoCall:      doCallCheckedAddr,
		WindowMakeCall:    makeCallCheckedAddr,
		WindowJudgeCall:   judgeCallCheckedAddr,
		WindowJudgeNotice: judgeNoticeAddr,
		WindowClone:       doCloneAddr,
		WindowSigreturn:   doSigreturnCheckedAddr,
		WindowSignalExit:  signalExitCheckedAddr,
		WindowSafeCopy:    safeCopyAddr,
		WindowSafeString:  safeStringAddr,
		WindowSafeStore:   safeStoreAddr,
	}
}

// Bootstrap returns the address of the runtime's first instruction in a new program.
func Bootstrap() uintptr { return bootstrapAddr }

// An assembly routine is called from Go through a func value whose code pointer is the
// routine itself, so that neither a wrapper nor a reload of R14 comes between.
// Arguments are integers: a pointer passed to an unknown function would make
// what it points at escape to a heap that does not exist here.

func doCall(nr, a0, a1, a2, a3, a4, a5 uintptr) uintptr {
	f := unsafe.Pointer(&doCallAddr)
	return (*(*func(nr, a0, a1, a2, a3, a4, a5 uintptr) uintptr)(unsafe.Pointer(&f)))(nr, a0, a1, a2, a3, a4, a5)
}

func judgeCall(nr, a0, a1, a2, a3, a4, a5 uintptr) uintptr {
	f := unsafe.Pointer(&judgeCallAddr)
	return (*(*func(nr, a0, a1, a2, a3, a4, a5 uintptr) uintptr)(unsafe.Pointer(&f)))(nr, a0, a1, a2, a3, a4, a5)
}

func judgeNotice(nr, a0, a1, a2, a3, a4, a5 uintptr) uintptr {
	f := unsafe.Pointer(&judgeNoticeAddr)
	return (*(*func(nr, a0, a1, a2, a3, a4, a5 uintptr) uintptr)(unsafe.Pointer(&f)))(nr, a0, a1, a2, a3, a4, a5)
}

func doSigreturn(frame uintptr) {
	f := unsafe.Pointer(&doSigreturnAddr)
	(*(*func(uintptr))(unsafe.Pointer(&f)))(frame)
}

func doClone(job *cloneJob) uintptr {
	f := unsafe.Pointer(&doCloneAddr)
	return (*(*func(uintptr) uintptr)(unsafe.Pointer(&f)))(uintptr(unsafe.Pointer(job)))
}

func exitThread(state *uint32, nr, status uintptr) {
	f := unsafe.Pointer(&exitThreadAddr)
	(*(*func(state, nr, status uintptr))(unsafe.Pointer(&f)))(uintptr(unsafe.Pointer(state)), nr, status)
}

func startHelper(t *Thread, args *cloneArgs) uintptr {
	f := unsafe.Pointer(&startHelperAddr)
	return (*(*func(t, args, size uintptr) uintptr)(unsafe.Pointer(&f)))(t.self, addrOf(args), unsafe.Sizeof(*args))
}

func saveVectors() {
	f := unsafe.Pointer(&saveVectorsAddr)
	(*(*func())(unsafe.Pointer(&f)))()
}

// currentThread returns the thread that runs, in Go code that does not know it.
func currentThread() *Thread {
	f := unsafe.Pointer(&currentThreadAddr)
	return (*Thread)(at((*(*func() uintptr)(unsafe.Pointer(&f)))()))
}

// Now returns the time stamp counter. The launcher converts ticks to time.
func Now() uint64 {
	f := unsafe.Pointer(&rdtscAddr)
	return (*(*func() uint64)(unsafe.Pointer(&f)))()
}

func safeCopy(dst, src, n uintptr) uintptr {
	f := unsafe.Pointer(&safeCopyAddr)
	return (*(*func(dst, src, n uintptr) uintptr)(unsafe.Pointer(&f)))(dst, src, n)
}

func safeString(dst, src, max uintptr) (n, how uintptr) {
	f := unsafe.Pointer(&safeStringAddr)
	return (*(*func(dst, src, max uintptr) (uintptr, uintptr))(unsafe.Pointer(&f)))(dst, src, max)
}

// safeStore stores the low 2 or all 8 bytes of v at once. It reports false for memory that cannot be written.
func safeStore(addr, v, size uintptr) bool {
	f := unsafe.Pointer(&safeStoreAddr)
	return (*(*func(addr, v, size uintptr) uintptr)(unsafe.Pointer(&f)))(addr, v, size) != 0
}
