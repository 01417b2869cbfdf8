package bpf

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"unsafe"

	"github.com/elastic/go-seccomp-bpf"
	"github.com/elastic/go-seccomp-bpf/arch"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

var (
	testRange = Layout{Lo: 0x70001000, Hi: 0x74ffffff}
	testImage = Mmap{
		Addr:  0x70000000,
		Len:   0x123000,
		Prot:  unix.PROT_READ | unix.PROT_EXEC,
		Flags: unix.MAP_PRIVATE | unix.MAP_FIXED_NOREPLACE,
	}
	few = []int{unix.SYS_GETPID, unix.SYS_OPENAT, unix.SYS_FUTEX}
	// What a runtime cannot do without: exec, fork, signals, masks, mappings, exit.
	many = []int{
		unix.SYS_EXECVE, unix.SYS_EXECVEAT, unix.SYS_FORK, unix.SYS_VFORK, unix.SYS_CLONE, unix.SYS_CLONE3,
		unix.SYS_RT_SIGACTION, unix.SYS_RT_SIGPROCMASK, unix.SYS_RT_SIGRETURN, unix.SYS_RT_SIGSUSPEND,
		unix.SYS_SIGALTSTACK, unix.SYS_SIGNALFD4, unix.SYS_PPOLL, unix.SYS_PSELECT6, unix.SYS_EPOLL_PWAIT,
		unix.SYS_EPOLL_PWAIT2, unix.SYS_IO_PGETEVENTS, unix.SYS_IO_URING_ENTER, unix.SYS_CLOSE, unix.SYS_CLOSE_RANGE,
		unix.SYS_DUP2, unix.SYS_DUP3, unix.SYS_MMAP, unix.SYS_MUNMAP, unix.SYS_MPROTECT, unix.SYS_MREMAP,
		unix.SYS_PKEY_MPROTECT, unix.SYS_PRCTL, unix.SYS_ARCH_PRCTL, unix.SYS_SECCOMP, unix.SYS_EXIT, unix.SYS_EXIT_GROUP,
	}
)

// every is the numbers from first to 511 in steps of step.
func every(first, step int) []int {
	var out []int
	for nr := first; nr <= maxNumber; nr += step {
		out = append(out, nr)
	}
	return out
}

func trap(subscribed ...int) Trap {
	return Trap{Range: testRange, Image: testImage, Subscribed: subscribed}
}

// variants are the filters that the tests go through.
func variants() map[string]Trap {
	all := trap()
	all.All = true
	return map[string]Trap{
		"nothing":      trap(),
		"first":        trap(0),
		"last":         trap(maxNumber),
		"few":          trap(few...),
		"twice":        trap(39, 39, 38, 39),
		"many":         trap(many...),
		"odd":          trap(every(1, 2)...),
		"even":         trap(every(0, 2)...),
		"thirds":       trap(every(0, 3)...),
		"every number": trap(every(0, 1)...),
		"all":          all,
	}
}

// The rules once more, in the plainest form.
func expect(f Trap, c call) uint32 {
	switch c.arch {
	case unix.AUDIT_ARCH_X86_64:
		return expectX86(f, c)
	case unix.AUDIT_ARCH_I386:
		if c.ip < 1<<32 {
			return unix.SECCOMP_RET_ALLOW
		}
		return unix.SECCOMP_RET_TRAP
	}
	return unix.SECCOMP_RET_KILL_PROCESS
}

func expectX86(f Trap, c call) uint32 {
	image := [4]uint64{f.Image.Addr, f.Image.Len, uint64(f.Image.Prot), uint64(f.Image.Flags)}
	switch {
	case c.nr >= 0x40000000:
		return unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)
	case !f.All && !slices.Contains(f.Subscribed, int(c.nr)):
		return unix.SECCOMP_RET_ALLOW
	case uint64(f.Range.Lo) <= c.ip && c.ip <= uint64(f.Range.Hi):
		return unix.SECCOMP_RET_ALLOW
	case c.nr == unix.SYS_MMAP && [4]uint64(c.args[:4]) == image:
		return unix.SECCOMP_RET_ALLOW
	}
	return unix.SECCOMP_RET_TRAP
}

func numbers() []uint32 {
	var out []uint32
	for nr := range uint32(601) {
		out = append(out, nr)
	}
	return append(out, 0x3fffffff, 0x40000000, 0x40000027, 0x7fffffff, 0x80000000, 0xffffffff)
}

// pointers are the edges of r, and addresses that agree with it in the low half.
func pointers(r Layout) []uint64 {
	lo, hi := uint64(r.Lo), uint64(r.Hi)
	return []uint64{lo, hi, lo + (hi-lo)/2, lo - 1, hi + 1, lo | 1<<32, hi | 1<<63, lo | 0xffffffff<<32, 0, 1<<32 - 1, 1 << 32, ^uint64(0)}
}

var architectures = []uint32{unix.AUDIT_ARCH_X86_64, unix.AUDIT_ARCH_I386, unix.AUDIT_ARCH_AARCH64, 0}

func assemble(t testing.TB, f Trap) Program {
	t.Helper()
	p, err := f.Assemble()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// compare runs p against what is expected of f, for every number, address and architecture.
func compare(t *testing.T, f Trap, p Program) {
	t.Helper()
	run := machine(t, p)
	for _, nr := range numbers() {
		for _, ip := range pointers(f.Range) {
			for _, arch := range architectures {
				c := call{nr: nr, arch: arch, ip: ip}
				if got, want := action(run(c)), action(expect(f, c)); got != want {
					t.Fatalf("nr %#x, ip %#x, arch %#x: %s, want %s", nr, ip, arch, got, want)
				}
			}
		}
	}
}

func TestTrapVerdicts(t *testing.T) {
	t.Parallel()
	for name, f := range variants() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			compare(t, f, assemble(t, f))
		})
	}
}

func TestTrapRandomSets(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for round := range 40 {
		var set []int
		density := random.IntN(100)
		for nr := range maxNumber + 1 {
			if random.IntN(100) < density {
				set = append(set, nr)
			}
		}
		random.Shuffle(len(set), func(i, j int) { set[i], set[j] = set[j], set[i] })
		f := trap(set...)
		run := machine(t, assemble(t, f))
		for _, nr := range numbers() {
			for _, ip := range []uint64{uint64(testRange.Lo), uint64(testRange.Lo) - 1} {
				c := call{nr: nr, arch: unix.AUDIT_ARCH_X86_64, ip: ip}
				if got, want := action(run(c)), action(expect(f, c)); got != want {
					t.Fatalf("round %d, nr %#x, ip %#x: %s, want %s", round, nr, ip, got, want)
				}
			}
		}
	}
}

func TestTrapRangeEdges(t *testing.T) {
	t.Parallel()
	for _, r := range []Layout{{0, 0}, {0, 0xffffffff}, {0xffffffff, 0xffffffff}, {0x1000, 0x1000}} {
		f := Trap{Range: r, Image: testImage, Subscribed: many}
		compare(t, f, assemble(t, f))
	}
}

// An independent filter for the same group: the number test of go-seccomp-bpf.
func TestTrapAgreesWithPolicy(t *testing.T) {
	t.Parallel()
	for name, f := range variants() {
		if f.All {
			continue // a policy has no name for every number
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f.Subscribed = slices.DeleteFunc(slices.Clone(f.Subscribed), unnamed)
			ours, list := machine(t, assemble(t, f)), machine(t, policy(t, f.Subscribed))
			for _, nr := range numbers() {
				c := call{nr: nr, arch: unix.AUDIT_ARCH_X86_64, ip: 0x7f0000001000}
				if got, want := action(ours(c)), action(list(c)); got != want {
					t.Errorf("nr %#x: %s, the policy says %s", nr, got, want)
				}
			}
		})
	}
}

func unnamed(nr int) bool { return arch.X86_64.SyscallNumbers[nr] == "" }

func policy(t *testing.T, set []int) Program {
	t.Helper()
	group := seccomp.SyscallGroup{Action: seccomp.ActionTrap}
	for _, nr := range slices.Compact(slices.Sorted(slices.Values(set))) {
		group.Names = append(group.Names, arch.X86_64.SyscallNumbers[nr])
	}
	p := seccomp.Policy{DefaultAction: seccomp.ActionAllow, Syscalls: []seccomp.SyscallGroup{group}}
	insns, err := p.Assemble()
	if err != nil {
		t.Fatal(err)
	}
	raw, err := bpf.Assemble(insns)
	if err != nil {
		t.Fatal(err)
	}
	return Program{Insns: raw}
}

func TestImageMmap(t *testing.T) {
	t.Parallel()
	exact := call{nr: unix.SYS_MMAP, arch: unix.AUDIT_ARCH_X86_64, ip: 0x7f0000001000, args: [6]uint64{
		testImage.Addr, testImage.Len, uint64(testImage.Prot), uint64(testImage.Flags), 1023, 0x2000,
	}}
	type row struct {
		name string
		edit func(*call)
		want string
	}
	rows := []row{
		{"exact", func(*call) {}, "SECCOMP_RET_ALLOW"},
		{"descriptor", func(c *call) { c.args[4]++ }, "SECCOMP_RET_ALLOW"},
		{"offset", func(c *call) { c.args[5]++ }, "SECCOMP_RET_ALLOW"},
		{"mprotect", func(c *call) { c.nr = unix.SYS_MPROTECT }, "SECCOMP_RET_TRAP"},
		{"x32", func(c *call) { c.nr |= x32Bit }, "SECCOMP_RET_ERRNO(ENOSYS)"},
		{"i386", func(c *call) { c.arch = unix.AUDIT_ARCH_I386 }, "SECCOMP_RET_TRAP"},
	}
	for i, field := range []string{"address", "length", "prot", "flags"} {
		for _, by := range []uint64{1, ^uint64(0), 1 << 32, 1 << 63} {
			rows = append(rows, row{fmt.Sprintf("%s + %#x", field, by), func(c *call) { c.args[i] += by }, "SECCOMP_RET_TRAP"})
		}
	}
	high := trap(many...)
	high.Image.Addr, high.Image.Len = 0x123456789000, 0x200001000
	for name, f := range map[string]Trap{"many": trap(many...), "all": variants()["all"], "above 4 GiB": high} {
		run := machine(t, assemble(t, f))
		for _, r := range rows {
			c := exact
			c.args[0], c.args[1] = f.Image.Addr, f.Image.Len
			r.edit(&c)
			if got := action(run(c)); got != r.want {
				t.Errorf("%s: mmap with other %s: %s, want %s", name, r.name, got, r.want)
			}
		}
	}
}

// What the target's init does: put the bounds it found into an assembled program.
func TestRangeCanBeFilledIn(t *testing.T) {
	t.Parallel()
	found := Layout{Lo: 0x60003000, Hi: 0x61abcdef}
	for name, f := range variants() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := assemble(t, f)
			fill(t, p, testRange, found)
			f.Range = found
			if diff := cmp.Diff(assemble(t, f), p); diff != "" {
				t.Errorf("filled in differs from assembled with the range (-assembled +filled in):\n%s", diff)
			}
			compare(t, f, p)
		})
	}
}

func fill(t *testing.T, p Program, old, found Layout) {
	t.Helper()
	if len(p.RangeLo) != len(p.RangeHi) || !slices.IsSorted(p.RangeLo) || !slices.IsSorted(p.RangeHi) {
		t.Fatalf("indexes of the bounds: %v, %v", p.RangeLo, p.RangeHi)
	}
	for i := range p.RangeLo {
		lo, hi := &p.Insns[p.RangeLo[i]].K, &p.Insns[p.RangeHi[i]].K
		if *lo != old.Lo || *hi != old.Hi {
			t.Fatalf("bounds at %d and %d are %#x and %#x", p.RangeLo[i], p.RangeHi[i], *lo, *hi)
		}
		*lo, *hi = found.Lo, found.Hi
	}
}

func TestUnsubscribedNumbersGetTheBitmap(t *testing.T) {
	t.Parallel()
	for name, f := range variants() {
		p := assemble(t, f)
		for nr := range uint32(600) {
			subscribed := f.All || slices.Contains(f.Subscribed, int(nr))
			if got := constAllow(t, p, nr, unix.AUDIT_ARCH_X86_64); got == subscribed {
				t.Errorf("%s: number %d, subscribed %t, is always allowed: %t", name, nr, subscribed, got)
			}
		}
	}
}

// A call from inside the range executes these many instructions: nine and the
// comparisons that find the number.
func TestPathLengths(t *testing.T) {
	t.Parallel()
	type length struct {
		Mean    string
		Longest int
	}
	got := map[string]length{}
	for _, name := range []string{"few", "many", "odd", "all"} {
		f := variants()[name]
		p := assemble(t, f)
		set := f.Subscribed
		if f.All {
			set = every(0, 1)
		}
		total, longest := 0, 0
		for _, nr := range set {
			n := steps(t, p, call{nr: uint32(nr), arch: unix.AUDIT_ARCH_X86_64, ip: uint64(testRange.Lo)})
			total, longest = total+n, max(longest, n)
		}
		got[name] = length{fmt.Sprintf("%.1f", float64(total)/float64(len(set))), longest}
	}
	want := map[string]length{"few": {"11.0", 12}, "many": {"13.6", 15}, "odd": {"17.5", 19}, "all": {"10.0", 10}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("instructions executed (-want +got):\n%s", diff)
	}
}

func TestAssembleRefuses(t *testing.T) {
	t.Parallel()
	empty, replaces := trap(few...), trap(few...)
	empty.Range = Layout{Lo: 2, Hi: 1}
	replaces.Image.Flags = unix.MAP_PRIVATE | unix.MAP_FIXED
	for _, c := range []struct {
		name string
		f    Trap
		want error
	}{
		{"empty range", empty, errEmptyRange},
		{"MAP_FIXED", replaces, errReplaces},
		{"negative number", trap(-1), errNumber},
		{"unknown number", trap(maxNumber + 1), errNumber},
	} {
		if _, err := c.f.Assemble(); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

func TestInstructionIsSockFilter(t *testing.T) {
	t.Parallel()
	type layout struct{ Size, Jt, Jf, K uintptr }
	var ours bpf.RawInstruction
	var kernel unix.SockFilter
	want := layout{unsafe.Sizeof(kernel), unsafe.Offsetof(kernel.Jt), unsafe.Offsetof(kernel.Jf), unsafe.Offsetof(kernel.K)}
	got := layout{unsafe.Sizeof(ours), unsafe.Offsetof(ours.Jt), unsafe.Offsetof(ours.Jf), unsafe.Offsetof(ours.K)}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("layout (-kernel +ours):\n%s", diff)
	}
}
