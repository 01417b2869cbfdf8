package bpf

import (
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"slices"
	"syscall"
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// The live tests install filters in children, which are this test binary again. A child
// makes its calls from three pages of machine code, so that their instruction
// pointers are known: one is the reserved range, one lies outside of it below 4 GiB,
// one lies above. Everything after the installation goes through the first.

const probeVariable = "TRAPLINE_BPF_PROBE"

// noInt80Variable is set where int 0x80 is a fault: without CONFIG_IA32_EMULATION, or with ia32_emulation=off.
const noInt80Variable = "TRAPLINE_BPF_NO_INT80"

func TestMain(m *testing.M) {
	if name := os.Getenv(probeVariable); name != "" {
		runChild(name)
	}
	if child(plain).Run() != nil {
		os.Setenv(noInt80Variable, "1")
	}
	os.Exit(m.Run())
}

// Errors that no probed call has of its own stand for the two actions that would
// end the child or could not be told from the kernel's answer.
var observable = map[uint32]uint32{
	unix.SECCOMP_RET_TRAP:                        unix.SECCOMP_RET_ERRNO | uint32(unix.EDOM),
	unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS): unix.SECCOMP_RET_ERRNO | uint32(unix.EXDEV),
}

const (
	trapped = -int64(unix.EDOM)
	missing = -int64(unix.EXDEV)
	passed  = 0
)

// The places a call can come from.
type place int

const (
	reserved place = iota // in the range
	low                   // below 4 GiB, outside
	high                  // above 4 GiB
)

// Numbers of the i386 and x32 tables.
const (
	i386Getpid = 20
	x32Getpid  = x32Bit + unix.SYS_GETPID
)

// liveImage stands for the image: the kernel maps it once, and then finds it mapped.
var liveImage = Mmap{
	Addr:  0x60000000,
	Len:   0x1000,
	Prot:  unix.PROT_READ,
	Flags: unix.MAP_PRIVATE | unix.MAP_ANONYMOUS | unix.MAP_FIXED_NOREPLACE,
}

type probe struct {
	name string
	from place
	i386 bool // by int 0x80
	nr   int
	args [6]uint64
	want int64 // negative errno, or passed
}

func imageArgs() [6]uint64 {
	return [6]uint64{liveImage.Addr, liveImage.Len, uint64(liveImage.Prot), uint64(liveImage.Flags), ^uint64(0), 0}
}

func otherImage(field int, by uint64) [6]uint64 {
	a := imageArgs()
	a[field] += by
	return a
}

// live is a child: its filters, in the order they are installed, and what it probes.
type live struct {
	guard  bool
	filter *Trap
	probes []probe
}

// foreignProbes are the calls that every trap filter treats alike.
func foreignProbes() []probe {
	return []probe{
		{name: "x32 getpid", from: low, nr: x32Getpid, want: missing},
		{name: "x32 getpid from the range", from: reserved, nr: x32Getpid, want: missing},
		{name: "number -1", from: high, nr: -1, want: missing},
		{name: "int 0x80 above 4 GiB", from: high, i386: true, nr: i386Getpid, want: trapped},
		{name: "int 0x80 below 4 GiB", from: low, i386: true, nr: i386Getpid, want: passed},
		{name: "int 0x80 in the range", from: reserved, i386: true, nr: i386Getpid, want: passed},
	}
}

// getpidProbes call getpid, subscribed to, and getppid, which is so only with All.
func getpidProbes(getppid int64) []probe {
	return []probe{
		{name: "getpid from the range", from: reserved, nr: unix.SYS_GETPID, want: passed},
		{name: "getpid below 4 GiB", from: low, nr: unix.SYS_GETPID, want: trapped},
		{name: "getpid above 4 GiB", from: high, nr: unix.SYS_GETPID, want: trapped},
		{name: "getppid", from: high, nr: unix.SYS_GETPPID, want: getppid},
		{name: "getppid from the range", from: reserved, nr: unix.SYS_GETPPID, want: passed},
	}
}

func mmapProbes() []probe {
	return []probe{
		{name: "another address", from: low, nr: unix.SYS_MMAP, args: otherImage(0, 0x1000), want: trapped},
		{name: "another length", from: low, nr: unix.SYS_MMAP, args: otherImage(1, 0x1000), want: trapped},
		{name: "another prot", from: low, nr: unix.SYS_MMAP, args: otherImage(2, unix.PROT_WRITE), want: trapped},
		{name: "another prot, high half", from: low, nr: unix.SYS_MMAP, args: otherImage(2, 1<<32), want: trapped},
		{name: "other flags", from: low, nr: unix.SYS_MMAP, args: otherImage(3, unix.MAP_NORESERVE), want: trapped},
		{name: "the image", from: high, nr: unix.SYS_MMAP, args: imageArgs(), want: passed},
		{name: "the image again", from: low, nr: unix.SYS_MMAP, args: imageArgs(), want: -int64(unix.EEXIST)},
	}
}

func join(lists ...[]probe) []probe {
	var out []probe
	for _, l := range lists {
		out = append(out, l...)
	}
	return out
}

func liveTrap(all bool, subscribed ...int) *Trap {
	return &Trap{Image: liveImage, Subscribed: subscribed, All: all}
}

func lives() map[string]live {
	open := []probe{
		{name: "getpid", from: high, nr: unix.SYS_GETPID, want: passed},
		{name: "mmap", from: low, nr: unix.SYS_MMAP, args: otherImage(0, 0x1000), want: passed},
	}
	enosys := -int64(unix.ENOSYS) // what RET_TRACE answers where nobody traces, and the kernel to unknown numbers
	return map[string]live{
		"nothing":      {filter: liveTrap(false), probes: join(open, foreignProbes())},
		"few":          {filter: liveTrap(false, few...), probes: join(getpidProbes(passed), foreignProbes())},
		"many":         {filter: liveTrap(false, append(slices.Clone(many), unix.SYS_GETPID)...), probes: join(getpidProbes(passed), mmapProbes(), foreignProbes())},
		"odd":          {filter: liveTrap(false, every(1, 2)...), probes: join(getpidProbes(passed), mmapProbes(), foreignProbes())},
		"every number": {filter: liveTrap(false, every(0, 1)...), probes: join(getpidProbes(trapped), mmapProbes(), foreignProbes())},
		"all": {filter: liveTrap(true), probes: join(getpidProbes(trapped), mmapProbes(), foreignProbes(), []probe{
			{name: "number 600", from: low, nr: 600, want: trapped},
			{name: "number 600 from the range", from: reserved, nr: 600, want: enosys},
		})},
		"guard": {guard: true, probes: []probe{
			{name: "getpid", from: low, nr: unix.SYS_GETPID, want: enosys},
			{name: "getpid above 4 GiB", from: high, nr: unix.SYS_GETPID, want: enosys},
			{name: "getpid from the range", from: reserved, nr: unix.SYS_GETPID, want: passed},
			{name: "execve", from: high, nr: unix.SYS_EXECVE, want: enosys},
			{name: "execve from the range", from: reserved, nr: unix.SYS_EXECVE, want: -int64(unix.EFAULT)},
			{name: "int 0x80", from: low, i386: true, nr: i386Getpid, want: enosys},
			{name: "int 0x80 in the range", from: reserved, i386: true, nr: i386Getpid, want: passed},
		}},
		"guard and all": {guard: true, filter: liveTrap(true), probes: join(getpidProbes(trapped), []probe{
			{name: "the image", from: low, nr: unix.SYS_MMAP, args: imageArgs(), want: enosys},
			{name: "int 0x80 below 4 GiB", from: low, i386: true, nr: i386Getpid, want: enosys},
			{name: "int 0x80 above 4 GiB", from: high, i386: true, nr: i386Getpid, want: trapped},
		})},
		"guard and few": {guard: true, filter: liveTrap(false, few...), probes: getpidProbes(enosys)},
	}
}

func TestLive(t *testing.T) {
	t.Parallel()
	for name, l := range lives() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, err := child(name).Output()
			if err != nil {
				t.Fatalf("child: %v", err)
			}
			var want, got []string
			for i, s := range l.script(newPages()) {
				want = append(want, fmt.Sprintf("%s: %s", s.name, outcome(s.want)))
				if 8*i < len(out) {
					got = append(got, fmt.Sprintf("%s: %s", s.name, outcome(int64(binary.NativeEndian.Uint64(out[8*i:])))))
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("answers of the kernel (-want +got):\n%s", diff)
			}
		})
	}
}

// RET_TRAP itself, where the child has SIGSYS at its default.
func TestLiveTrapIsSIGSYS(t *testing.T) {
	t.Parallel()
	err := child(deadly).Run()
	exit, ok := err.(*exec.ExitError)
	if !ok || exit.Sys().(syscall.WaitStatus).Signal() != unix.SIGSYS {
		t.Errorf("a subscribed call from outside the range: %v, want death by SIGSYS", err)
	}
}

func child(name string) *exec.Cmd {
	c := exec.Command(os.Args[0])
	// The probing thread must not see the signals that preempt goroutines: it could not return from them.
	c.Env = append(os.Environ(), probeVariable+"="+name, "GODEBUG=asyncpreemptoff=1")
	if name != plain {
		c.Stderr = os.Stderr
	}
	return c
}

const (
	deadly = "SIGSYS"   // the child that a call of its own kills
	plain  = "int 0x80" // a child that makes one of the other calls, without a filter
)

// runChild does not return.
func runChild(name string) {
	runtime.LockOSThread()
	debug.SetGCPercent(-1)
	from := newPages()
	steps := lives()[name].script(from)
	switch name {
	case deadly:
		steps = deadlyScript(from)
	case plain:
		steps = []step{from.probe(probe{from: high, i386: true, nr: i386Getpid})}
	}
	answers := make([]int64, len(steps)+2)
	steps = append(steps,
		from.step("write", unix.SYS_WRITE, 1, uintptr(unsafe.Pointer(&answers[0])), uintptr(8*len(steps))),
		from.step("exit_group", unix.SYS_EXIT_GROUP))
	perform(steps, answers)
}

// step is one system call of a child.
type step struct {
	name string
	gate gate
	nr   uintptr
	args [6]uintptr
	want int64
}

// perform makes the calls. Go's runtime loses its own system calls on this thread while they
// are made, so nothing here may enter it: no allocation, and no stack check, which is
// where a goroutine that ran for long is preempted.
//
//go:nosplit
func perform(steps []step, answers []int64) {
	for i := range steps {
		s := &steps[i]
		answers[i] = int64(s.gate(s.nr, s.args[0], s.args[1], s.args[2], s.args[3], s.args[4], s.args[5]))
	}
}

// script is the steps that install l's filters and make its probes.
func (l live) script(from *pages) []step {
	var steps []step
	if l.guard {
		steps = append(steps, from.install(must(Guard(from.layout())))...)
	}
	if l.filter != nil {
		l.filter.Range = from.layout()
		steps = append(steps, from.install(visible(must(l.filter.Assemble())))...)
	}
	for _, p := range l.probes {
		if p.i386 && os.Getenv(noInt80Variable) != "" {
			continue
		}
		steps = append(steps, from.probe(p))
	}
	return steps
}

func deadlyScript(from *pages) []step {
	standard := kept([4]uintptr{}) // struct sigaction: SIG_DFL
	none := kept(unix.Rlimit{})    // no core file
	f := liveTrap(false, few...)
	f.Range = from.layout()
	return slices.Concat([]step{
		from.step("setrlimit", unix.SYS_SETRLIMIT, unix.RLIMIT_CORE, none),
		from.step("rt_sigaction", unix.SYS_RT_SIGACTION, uintptr(unix.SIGSYS), standard, 0, 8),
	}, from.install(must(f.Assemble())), []step{from.probe(probe{from: high, nr: unix.SYS_GETPID})})
}

func must(p Program, err error) Program {
	if err != nil {
		panic(err)
	}
	return p
}

func visible(p Program) Program {
	for i, in := range p.Insns {
		if k, ok := observable[in.K]; ok && in.Op == opRet {
			p.Insns[i].K = k
		}
	}
	return p
}

func outcome(r int64) string {
	if r < 0 {
		return unix.ErrnoName(unix.Errno(-r))
	}
	return "passed"
}

// pages are the places calls come from.
type pages [3][]byte

// gate is a function of a page. The arguments come in the registers of Go's ABIInternal.
type gate func(nr, a0, a1, a2, a3, a4, a5 uintptr) uintptr

// int80At is where in a page the other gate starts.
const int80At = 64

var (
	syscallGate = []byte{
		0x48, 0x89, 0xfa, // mov rdx, rdi
		0x49, 0x89, 0xf2, // mov r10, rsi
		0x48, 0x89, 0xdf, // mov rdi, rbx
		0x48, 0x89, 0xce, // mov rsi, rcx
		0x0f, 0x05, // syscall
		0xc3, // ret
	}
	int80Gate = []byte{
		0xcd, 0x80, // int 0x80
		0x48, 0x98, // cdqe
		0xc3, // ret
	}
)

func newPages() *pages {
	return &pages{reserved: page(unix.MAP_32BIT), low: page(unix.MAP_32BIT), high: page(0)}
}

func page(flags int) []byte {
	p, err := unix.Mmap(-1, 0, os.Getpagesize(), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS|flags)
	if err != nil {
		panic(err)
	}
	copy(p, syscallGate)
	copy(p[int80At:], int80Gate)
	if err := unix.Mprotect(p, unix.PROT_READ|unix.PROT_EXEC); err != nil {
		panic(err)
	}
	if below := address(p)>>32 == 0; below != (flags == unix.MAP_32BIT) {
		panic(fmt.Sprintf("page at %#x", address(p)))
	}
	return p
}

func address(p []byte) uintptr { return uintptr(unsafe.Pointer(&p[0])) }

// layout is as narrow as can be: from behind the syscall to behind the int 0x80 of the first page.
func (p *pages) layout() Layout {
	start := uint32(address(p[reserved]))
	return Layout{Lo: start + uint32(len(syscallGate)) - 1, Hi: start + int80At + 2}
}

func (p *pages) gate(from place, offset int) gate {
	code := &p[from][offset]
	function := &code // what a func value points at
	return *(*gate)(unsafe.Pointer(&function))
}

func (p *pages) probe(c probe) step {
	offset := 0
	if c.i386 {
		offset = int80At
	}
	s := step{name: c.name, gate: p.gate(c.from, offset), nr: uintptr(c.nr), want: c.want}
	for i, a := range c.args {
		s.args[i] = uintptr(a)
	}
	return s
}

// step makes a call from the reserved range.
func (p *pages) step(name string, nr uintptr, args ...uintptr) step {
	s := step{name: name, gate: p.gate(reserved, 0), nr: nr}
	copy(s.args[:], args)
	return s
}

var keep []any

// kept is the address of a copy of v that stays where it is.
func kept[T any](v T) uintptr {
	p := &v
	keep = append(keep, p)
	return uintptr(unsafe.Pointer(p))
}

// install puts the filter on the thread alone.
func (p *pages) install(f Program) []step {
	program := kept(unix.SockFprog{Len: uint16(len(f.Insns)), Filter: (*unix.SockFilter)(unsafe.Pointer(&f.Insns[0]))})
	return []step{
		p.step("prctl", unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1),
		p.step("seccomp", unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0, program),
	}
}
