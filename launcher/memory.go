package launcher

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/trapline/trapline/bpf"
	rt "github.com/trapline/trapline/runtime"
)

// memory is the shared file: the Shared structure, mapped where every process has it, and
// the blocks.
type memory struct {
	file   int
	shared *rt.Shared
	blocks []byte
	size   int // of a block
}

// ringSize is the size of a thread's ring in bytes, a power of two.
const ringSize = 64 << 10

var errTooMuch = errors.New("too large")

func newMemory(cfg *Config) (*memory, error) {
	if len(cfg.Options) > len(rt.Shared{}.Options) {
		return nil, fmt.Errorf("tool options: %w", errTooMuch)
	}
	state := 0
	if cfg.Tool != nil {
		state = (cfg.Tool.ThreadSize + 63) &^ 63
	}
	size := int(pageUp(uintptr(rt.BlockHeader + state + ringSize)))
	// The ring takes what is left, which has to stay a power of two.
	state = size - rt.BlockHeader - ringSize
	if size > rt.MaxBlockSize {
		return nil, fmt.Errorf("thread state of the tool: %w", errTooMuch)
	}
	fd, err := sharedFile(int64(rt.BlockOffset) + int64(size)*rt.MaxBlocks)
	if err != nil {
		return nil, fmt.Errorf("memory for the target: %w", err)
	}
	m := &memory{file: fd, size: size}
	head, err := mapFile(fd, rt.SharedBase, 0, rt.SharedLimit-rt.SharedBase, unix.MAP_FIXED_NOREPLACE)
	if err != nil {
		return nil, err
	}
	m.shared = (*rt.Shared)(unsafe.Pointer(&head[0]))
	m.blocks, err = mapFile(fd, 0, rt.BlockOffset, size*rt.MaxBlocks, 0)
	if err != nil {
		return nil, err
	}
	s := m.shared
	s.BlockSize, s.BlockLimit = uint32(size), rt.MaxBlocks
	s.StateSize = uint32(state)
	return m, lock(fd)
}

// sharedFile makes a sparse file in memory. A limit on the size of files (RLIMIT_FSIZE) that the launcher
// may not raise does not count for anonymous memory, whose file a privileged process can open.
func sharedFile(size int64) (int, error) {
	if !mayRaise(unix.RLIMIT_FSIZE, uint64(size)) {
		return anonymousFile(size)
	}
	fd, err := unix.MemfdCreate("trapline", unix.MFD_CLOEXEC)
	if err != nil {
		return 0, err
	}
	return fd, withLimit(unix.RLIMIT_FSIZE, uint64(size), func() error { return unix.Ftruncate(fd, size) })
}

func anonymousFile(size int64) (int, error) {
	r, _, errno := unix.Syscall6(unix.SYS_MMAP, 0, uintptr(size), unix.PROT_READ|unix.PROT_WRITE,
		unix.MAP_SHARED|unix.MAP_ANONYMOUS|unix.MAP_NORESERVE, ^uintptr(0), 0)
	if errno != 0 {
		return 0, errno
	}
	defer unix.Syscall(unix.SYS_MUNMAP, r, uintptr(size), 0)
	path := fmt.Sprintf("/proc/self/map_files/%x-%x", r, r+uintptr(size))
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, fmt.Errorf("the limit on the size of files (RLIMIT_FSIZE) is too low: %w", err)
	}
	return fd, nil
}

// lock takes the lock that tells the runtime that the launcher lives. The kernel drops it
// with the process.
func lock(fd int) error {
	l := unix.Flock_t{Type: unix.F_WRLCK}
	if err := unix.FcntlFlock(uintptr(fd), unix.F_SETLK, &l); err != nil {
		return fmt.Errorf("lock memory of the target: %w", err)
	}
	return nil
}

func mapFile(fd int, addr uintptr, offset int64, length, flags int) ([]byte, error) {
	r, _, errno := unix.Syscall6(unix.SYS_MMAP, addr, uintptr(length), unix.PROT_READ|unix.PROT_WRITE,
		uintptr(unix.MAP_SHARED|unix.MAP_NORESERVE|flags), uintptr(fd), uintptr(offset))
	if errno != 0 {
		return nil, fmt.Errorf("map memory of the target: %w", errno)
	}
	return unsafe.Slice((*byte)(pointer(r)), length), nil
}

// fill writes what the runtime reads in every process.
func (m *memory) fill(cfg *Config) error {
	s := m.shared
	s.Magic = rt.SharedMagic
	start, _ := rt.Started()
	s.ClosedFiles, s.IgnoredSignals, s.InitialMask = start.ClosedFiles, start.IgnoredSignals, start.Mask
	if set, err := unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0); err == nil {
		s.NoNewPrivs = uint8(set)
	}
	if err := fillImage(s); err != nil {
		return err
	}
	fillWindows(s)
	s.StartWrites, s.StartReads = rt.StartPages(s.DataFileEnd)
	s.PIDMax = uint32(setting("kernel/pid_max"))
	s.RandomBase, s.RandomHeap = randomBits()
	if cfg.Guard {
		s.Guard = 1
	}
	if yama() {
		s.Yama = 1
	}
	if cfg.NoPatch {
		s.NoPatch = 1
	}
	if mode, err := unix.PrctlRetInt(unix.PR_GET_SECCOMP, 0, 0, 0, 0); err == nil && mode != 0 {
		s.Filtered = 1
	}
	if cfg.NoHelper {
		s.NoHelper = 1
	}
	if cfg.Drop {
		s.Drop = 1
	}
	s.Source = uint32(cfg.Trap)
	copy(s.Options[:], cfg.Options)
	if cfg.Tool != nil {
		s.Tool = uintptr(unsafe.Pointer(cfg.Tool))
	}
	if needsAllVectors(cfg.Tool) {
		s.Vectors = 1
	}
	markCalls(s, cfg)
	if cfg.Trap == TrapSUD {
		return nil
	}
	return fillFilter(s, cfg)
}

// yama reports whether the kernel has Yama, or cannot be asked.
func yama() bool {
	_, err := os.Stat("/proc/sys/kernel/yama")
	_, unknown := os.Stat("/proc/sys/kernel")
	return err == nil || unknown != nil
}

// setting reads a number that the kernel is configured with, 0 if it cannot be read.
func setting(name string) uint64 {
	raw, _ := os.ReadFile("/proc/sys/" + name)
	n, _ := strconv.ParseUint(strings.TrimSpace(string(raw)), 10, 32)
	return n
}

// randomBits returns how much the kernel varies the addresses of programs and heaps, in bits of pages.
func randomBits() (base, heap uint8) {
	const gap = 18 // 1 GiB (arch_randomize_brk, arch/x86/kernel/process.c, 6.9)
	if setting("kernel/randomize_va_space") > 1 {
		heap = gap
	}
	if setting("kernel/randomize_va_space") > 0 {
		base = uint8(setting("vm/mmap_rnd_bits"))
	}
	return base, heap
}

// markCalls notes for each number who has to see it.
func markCalls(s *rt.Shared, cfg *Config) {
	for nr := range rt.NumCalls {
		if rt.Subscribed(nr) {
			s.Calls[nr] |= rt.CallOwned
		}
	}
	if cfg.Trap == TrapSUD {
		// Numbers that exist for x32 alone (arch/x86/entry/syscalls/syscall_64.tbl, 6.18): no filter is there
		// to refuse them, and stubs look at the low 16 bits.
		for nr := 512; nr <= 547; nr++ {
			s.Calls[nr] |= rt.CallOwned
		}
	}
	if cfg.Tool == nil || cfg.Tool.Hook == nil {
		return
	}
	for _, nr := range cfg.Hooked {
		s.Calls[nr] |= rt.CallHooked
	}
	if cfg.Hooked != nil {
		return
	}
	for nr := range s.Calls {
		s.Calls[nr] |= rt.CallHooked
	}
	s.HookOut = 1
}

// Filter returns the trap filter for what cfg wants to see.
func Filter(cfg *Config) (bpf.Program, error) {
	if err := checkLayout(); err != nil {
		return bpf.Program{}, err
	}
	s := new(rt.Shared)
	if err := fillImage(s); err != nil {
		return bpf.Program{}, err
	}
	return filterFor(s, cfg)
}

// trapAll reports whether every number traps: a call that the trap filter does not see would end at the guard.
func trapAll(cfg *Config) bool {
	return cfg.All || cfg.Guard || cfg.Tool != nil && cfg.Tool.Hook != nil && cfg.Hooked == nil
}

func filterFor(s *rt.Shared, cfg *Config) (bpf.Program, error) {
	t := bpf.Trap{
		Range: bpf.Layout{Lo: uint32(s.TextStart), Hi: rt.StubLimit},
		Image: bpf.Mmap{
			Addr: rt.ImageBase, Len: uint64(s.ImageLength),
			Prot: unix.PROT_READ | unix.PROT_EXEC, Flags: rt.ImageMmapFlags,
		},
		All: trapAll(cfg),
	}
	for nr := range rt.NumCalls {
		if rt.Subscribed(nr) {
			t.Subscribed = append(t.Subscribed, nr)
		}
	}
	t.Subscribed = append(t.Subscribed, cfg.Hooked...)
	return t.Assemble()
}

func fillFilter(s *rt.Shared, cfg *Config) error {
	if trapAll(cfg) {
		s.TrapAll = 1
	}
	p, err := filterFor(s, cfg)
	if err != nil {
		return err
	}
	if len(p.Insns) > len(s.Filter) || len(p.RangeLo) > len(s.RangeLo) || len(p.RangeHi) > len(s.RangeHi) {
		return fmt.Errorf("filter: %w", errTooMuch)
	}
	for i, in := range p.Insns {
		s.Filter[i] = rt.FilterInstruction{Op: in.Op, JT: in.Jt, JF: in.Jf, K: in.K}
	}
	s.FilterLength = uint32(len(p.Insns))
	for i, at := range p.RangeLo {
		s.RangeLo[i] = uint32(at)
	}
	for i, at := range p.RangeHi {
		s.RangeHi[i] = uint32(at)
	}
	s.RangeLos, s.RangeHis = uint32(len(p.RangeLo)), uint32(len(p.RangeHi))
	return nil
}
