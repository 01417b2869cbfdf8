package trace

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/trapline/trapline/launcher"
	rt "github.com/trapline/trapline/runtime"
)

// mem is one copy of a synthetic record.
type mem struct {
	addr  uint64
	flags uint32
	data  []byte
}

// str is a copy of a whole string, raw one of plain bytes, words one of 64-bit words.
func str(addr uint64, s string) mem { return mem{addr, copyNUL, []byte(s)} }
func raw(addr uint64, s string) mem { return mem{addr, 0, []byte(s)} }

func words(addr uint64, w ...uint64) mem {
	m := mem{addr: addr}
	for _, v := range w {
		m.data = binary.LittleEndian.AppendUint64(m.data, v)
	}
	return m
}

func ints(addr uint64, w ...uint32) mem {
	m := mem{addr: addr}
	for _, v := range w {
		m.data = binary.LittleEndian.AppendUint32(m.data, v)
	}
	return m
}

// copies appends copies as rt.Writer lays them out.
func copies(b []byte, list []mem) []byte {
	for _, m := range list {
		b = binary.LittleEndian.AppendUint64(b, m.addr)
		b = binary.LittleEndian.AppendUint32(b, uint32(len(m.data)))
		b = binary.LittleEndian.AppendUint32(b, m.flags)
		b = append(b, m.data...)
		b = append(b, make([]byte, -len(m.data)&7)...)
	}
	return b
}

// enterData makes an enter record with as many arguments as the hook would put there.
func enterData(nr int, args [6]uint64, in ...mem) []byte {
	n := resolve(nr, args[0], args[1]).count()
	b := binary.LittleEndian.AppendUint64(nil, uint64(n)<<32|uint64(uint32(nr)))
	for _, a := range args[:n] {
		b = binary.LittleEndian.AppendUint64(b, a)
	}
	return copies(b, in)
}

func exitData(result int64, out ...mem) []byte {
	return copies(binary.LittleEndian.AppendUint64(nil, uint64(result)), out)
}

// line returns the printer's text for one call.
func line(t *testing.T, enter, exit []byte) string {
	t.Helper()
	var out bytes.Buffer
	p := NewPrinter(&out, Options{MaxString: DefaultMaxString, Column: DefaultColumn})
	p.Events([]launcher.Event{
		{PID: 1, TID: 1, Kind: recordEnter, Data: enter},
		{PID: 1, TID: 1, Kind: recordExit, Data: exit},
	})
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

const (
	atFDCWD = 0xffffff9c
	null    = 0
	a1      = 0x7000 // addresses of synthetic memory
	a2      = 0x8000
	a3      = 0x9000
)

func TestDecode(t *testing.T) {
	t.Parallel()
	long := string(bytes.Repeat([]byte{'x'}, 33))
	for _, c := range []struct {
		nr     int
		args   [6]uint64
		in     []mem
		result int64
		out    []mem
		want   string
	}{
		{unix.SYS_GETPID, [6]uint64{}, nil, 77, nil, `getpid()                                = 77`},
		{unix.SYS_CLOSE, [6]uint64{3}, nil, 0, nil, `close(3)                                = 0`},
		{unix.SYS_CLOSE, [6]uint64{0xffffffff}, nil, -9, nil,
			`close(-1)                               = -1 EBADF (Bad file descriptor)`},
		{unix.SYS_OPENAT, [6]uint64{atFDCWD, a1, unix.O_RDWR | unix.O_CREAT | unix.O_CLOEXEC, 0o640}, []mem{str(a1, "/f")}, 3, nil,
			`openat(AT_FDCWD, "/f", O_RDWR|O_CREAT|O_CLOEXEC, 0640) = 3`},
		{unix.SYS_OPENAT, [6]uint64{5, a1, 0, 0o640}, []mem{str(a1, "/f")}, -2, nil,
			`openat(5, "/f", O_RDONLY)               = -1 ENOENT (No such file or directory)`},
		{unix.SYS_OPEN, [6]uint64{a1, 0, 0}, []mem{{a1, copyFault, nil}}, -14, nil,
			`open(0x7000, O_RDONLY)                  = -1 EFAULT (Bad address)`},
		{unix.SYS_READ, [6]uint64{3, a1, 832}, nil, 4, []mem{raw(a1, "\x7fELF")},
			`read(3, "\177ELF", 832)                 = 4`},
		{unix.SYS_READ, [6]uint64{3, a1, 832}, nil, -11, nil,
			`read(3, 0x7000, 832)                    = -1 EAGAIN (Resource temporarily unavailable)`},
		{unix.SYS_WRITE, [6]uint64{1, a1, 33}, []mem{raw(a1, long[:32])}, 33, nil,
			`write(1, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"..., 33) = 33`},
		{unix.SYS_WRITE, [6]uint64{1, a1, 5}, []mem{raw(a1, "a\x00\x001\n")}, 5, nil,
			`write(1, "a\0\0001\n", 5)               = 5`},
		{unix.SYS_WRITEV, [6]uint64{1, a1, 2}, []mem{words(a1, a2, 3, a3, 0), raw(a2, "abc")}, 3, nil,
			`writev(1, [{iov_base="abc", iov_len=3}, {iov_base="", iov_len=0}], 2) = 3`},
		{unix.SYS_READV, [6]uint64{1, a1, 2}, []mem{words(a1, a2, 3, a3, 9)}, 5,
			[]mem{words(a1, a2, 3, a3, 9), raw(a2, "abc"), raw(a3, "de")},
			`readv(1, [{iov_base="abc", iov_len=3}, {iov_base="de", iov_len=9}], 2) = 5`},
		{unix.SYS_FSTAT, [6]uint64{1, a1}, nil, 0, []mem{words(a1, 1, 2, 3, 0o100644, 0, 0, 174)},
			`fstat(1, {st_mode=S_IFREG|0644, st_size=174, ...}) = 0`},
		{unix.SYS_FSTAT, [6]uint64{1, a1}, nil, 0, []mem{words(a1, 1, 2, 3, 0o20666, 0, 0x103, 0)},
			`fstat(1, {st_mode=S_IFCHR|0666, st_rdev=makedev(0x1, 0x3), ...}) = 0`},
		{unix.SYS_BRK, [6]uint64{}, nil, 0x555555556000, nil, `brk(NULL)                               = 0x555555556000`},
		{unix.SYS_MMAP, [6]uint64{0, 8192, 3, 0x22, 0xffffffff, 0}, nil, 0x7f0000000000, nil,
			`mmap(NULL, 8192, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x7f0000000000`},
		{unix.SYS_MMAP, [6]uint64{0, 8192, 0, 0x22, 3, 0x7000}, nil, -12, nil,
			`mmap(NULL, 8192, PROT_NONE, MAP_PRIVATE|MAP_ANONYMOUS, 3, 0x7000) = -1 ENOMEM (Cannot allocate memory)`},
		{unix.SYS_MREMAP, [6]uint64{a1, 1, 2, 1, 5}, nil, a2, nil, `mremap(0x7000, 1, 2, MREMAP_MAYMOVE)    = 0x8000`},
		{unix.SYS_MREMAP, [6]uint64{a1, 1, 2, 3, a3}, nil, a3, nil,
			`mremap(0x7000, 1, 2, MREMAP_MAYMOVE|MREMAP_FIXED, 0x9000) = 0x9000`},
		{unix.SYS_UMASK, [6]uint64{0o22}, nil, 7, nil, `umask(022)                              = 007`},
		{unix.SYS_RT_SIGACTION, [6]uint64{2, a1, 0, 8}, []mem{words(a1, 0x1234, 0x14000000, 0x5678, 1)}, 0, nil,
			`rt_sigaction(SIGINT, {sa_handler=0x1234, sa_mask=[HUP], sa_flags=SA_RESTORER|SA_RESTART, sa_restorer=0x5678}, NULL, 8) = 0`},
		{unix.SYS_RT_SIGPROCMASK, [6]uint64{2, a1, a2, 8}, []mem{words(a1, ^uint64(0))}, 0, []mem{words(a2, 1<<32|1<<16)},
			`rt_sigprocmask(SIG_SETMASK, ~[], [CHLD RT_1], 8) = 0`},
		{unix.SYS_FUTEX, [6]uint64{a1, 128, 2, 0}, nil, -11, nil,
			`futex(0x7000, FUTEX_WAIT_PRIVATE, 2, NULL) = -1 EAGAIN (Resource temporarily unavailable)`},
		{unix.SYS_FUTEX, [6]uint64{a1, 129, 1, 9, 9, 9}, nil, 1, nil, `futex(0x7000, FUTEX_WAKE_PRIVATE, 1)    = 1`},
		{unix.SYS_FUTEX, [6]uint64{a1, 0x189, 0, a2, 0, 0xffffffff}, []mem{words(a2, 1, 5)}, -110, nil,
			`futex(0x7000, FUTEX_WAIT_BITSET_PRIVATE|FUTEX_CLOCK_REALTIME, 0, {tv_sec=1, tv_nsec=5}, FUTEX_BITSET_MATCH_ANY) = -1 ETIMEDOUT (Connection timed out)`},
		{unix.SYS_FCNTL, [6]uint64{3, unix.F_GETFL}, nil, 0x8002, nil,
			`fcntl(3, F_GETFL)                       = 0x8002 (flags O_RDWR|O_LARGEFILE)`},
		{unix.SYS_FCNTL, [6]uint64{3, unix.F_SETFD, 1}, nil, 0, nil, `fcntl(3, F_SETFD, FD_CLOEXEC)           = 0`},
		{unix.SYS_FCNTL, [6]uint64{3, unix.F_SETLK, a1}, []mem{words(a1, 1, 0, 10, 0)}, 0, nil,
			`fcntl(3, F_SETLK, {l_type=F_WRLCK, l_whence=SEEK_SET, l_start=0, l_len=10}) = 0`},
		{unix.SYS_IOCTL, [6]uint64{1, unix.TCGETS, a1}, nil, -25, nil,
			`ioctl(1, TCGETS, 0x7000)                = -1 ENOTTY (Inappropriate ioctl for device)`},
		{unix.SYS_IOCTL, [6]uint64{1, unix.TIOCGWINSZ, a1}, nil, 0, []mem{words(a1, 24|80<<16)},
			`ioctl(1, TIOCGWINSZ, {ws_row=24, ws_col=80, ws_xpixel=0, ws_ypixel=0}) = 0`},
		{unix.SYS_IOCTL, [6]uint64{1, 0xc0081234, 5}, nil, -25, nil,
			`ioctl(1, _IOC(_IOC_READ|_IOC_WRITE, 0x12, 0x34, 0x8), 0x5) = -1 ENOTTY (Inappropriate ioctl for device)`},
		{unix.SYS_EXECVE, [6]uint64{a1, a2, a3}, []mem{str(a1, "/bin/ls"), words(a2, a1, a3, 0), str(a3, "-l"), words(a3|noteBit, 20)}, -2, nil,
			`execve("/bin/ls", ["/bin/ls", "-l"], 0x9000 /* 20 vars */) = -1 ENOENT (No such file or directory)`},
		{unix.SYS_GETDENTS64, [6]uint64{3, a1, 32768}, nil, 72, []mem{words(a1|noteBit, 3)},
			`getdents64(3, 0x7000 /* 3 entries */, 32768) = 72`},
		{unix.SYS_WAIT4, [6]uint64{^uint64(0), a1, 0, 0}, nil, 9, []mem{ints(a1, 0x100)},
			`wait4(-1, [{WIFEXITED(s) && WEXITSTATUS(s) == 1}], 0, NULL) = 9`},
		{unix.SYS_WAIT4, [6]uint64{5, a1, 1, 0}, nil, 0, []mem{ints(a1, 0)}, `wait4(5, 0x7000, WNOHANG, NULL)         = 0`},
		{unix.SYS_CLONE, [6]uint64{0x1200011, 0, 0, a1, 0}, nil, 5, nil,
			`clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|CLONE_CHILD_SETTID|SIGCHLD, child_tidptr=0x7000) = 5`},
		{unix.SYS_CLONE3, [6]uint64{a1, 88}, []mem{words(a1, 0x100100, 0, 0, a2, 17, 0, 0, 0, 0, 0, 0)}, 5, []mem{ints(a2, 5)},
			`clone3({flags=CLONE_VM|CLONE_PARENT_SETTID, parent_tid=0x8000, exit_signal=SIGCHLD, stack=NULL, stack_size=0} => {parent_tid=[5]}, 88) = 5`},
		{unix.SYS_POLL, [6]uint64{a1, 2, 1000}, []mem{words(a1, 1<<32|3, 4<<32|4)}, 1, []mem{words(a1, 1<<48|1<<32|3, 4<<32|4)},
			`poll([{fd=3, events=POLLIN}, {fd=4, events=POLLOUT}], 2, 1000) = 1 ([{fd=3, revents=POLLIN}])`},
		{unix.SYS_POLL, [6]uint64{a1, 1, 0}, []mem{words(a1, 1<<32|3)}, 0, []mem{words(a1, 1<<32|3)},
			`poll([{fd=3, events=POLLIN}], 1, 0)     = 0 (Timeout)`},
		{unix.SYS_SELECT, [6]uint64{5, a1, 0, 0, a2}, []mem{words(a1, 0x18), words(a2, 1, 0)}, 1, []mem{words(a1, 8), words(a2, 0, 9)},
			`select(5, [3 4], NULL, NULL, {tv_sec=1, tv_usec=0}) = 1 (in [3], left {tv_sec=0, tv_usec=9})`},
		{unix.SYS_EPOLL_WAIT, [6]uint64{4, a1, 8, 0xffffffff}, nil, 1, []mem{ints(a1, 1, 7, 0)},
			`epoll_wait(4, [{events=EPOLLIN, data={u32=7, u64=7}}], 8, -1) = 1`},
		{unix.SYS_EPOLL_WAIT, [6]uint64{4, a1, 8, 0}, nil, 0, nil, `epoll_wait(4, [], 8, 0)                 = 0`},
		{unix.SYS_SOCKET, [6]uint64{2, 0x80001, 6}, nil, 3, nil, `socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC, IPPROTO_TCP) = 3`},
		{unix.SYS_CONNECT, [6]uint64{3, a1, 16}, []mem{raw(a1, "\x02\x00\x00\x50\x7f\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00")}, -111, nil,
			`connect(3, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("127.0.0.1")}, 16) = -1 ECONNREFUSED (Connection refused)`},
		{unix.SYS_CONNECT, [6]uint64{3, a1, 7}, []mem{raw(a1, "\x01\x00/run\x00")}, 0, nil,
			`connect(3, {sa_family=AF_UNIX, sun_path="/run"}, 7) = 0`},
		{unix.SYS_BIND, [6]uint64{3, a1, 5}, []mem{raw(a1, "\x01\x00\x00ab")}, 0, nil,
			`bind(3, {sa_family=AF_UNIX, sun_path=@"ab"}, 5) = 0`},
		{unix.SYS_ACCEPT4, [6]uint64{3, a1, a2, 0x80000}, []mem{ints(a2, 128)}, 4, []mem{raw(a1, "\x01\x00"), ints(a2, 2)},
			`accept4(3, {sa_family=AF_UNIX}, [128 => 2], SOCK_CLOEXEC) = 4`},
		{unix.SYS_ACCEPT, [6]uint64{3, 0, 0}, nil, 4, nil, `accept(3, NULL, NULL)                   = 4`},
		{unix.SYS_GETSOCKOPT, [6]uint64{3, 1, 4, a1, a2}, []mem{ints(a2, 4)}, 0, []mem{ints(a1, 111), ints(a2, 4)},
			`getsockopt(3, SOL_SOCKET, SO_ERROR, [ECONNREFUSED], [4]) = 0`},
		{unix.SYS_SETSOCKOPT, [6]uint64{3, 6, 1, a1, 4}, []mem{ints(a1, 1)}, 0, nil, `setsockopt(3, SOL_TCP, TCP_NODELAY, [1], 4) = 0`},
		{unix.SYS_SENDMSG, [6]uint64{3, a1, 0x4000}, []mem{words(a1, 0, 0, a2, 1, 0, 0, 0), words(a2, a3, 2), raw(a3, "hi")}, 2, nil,
			`sendmsg(3, {msg_name=NULL, msg_namelen=0, msg_iov=[{iov_base="hi", iov_len=2}], msg_iovlen=1, msg_controllen=0, msg_flags=0}, MSG_NOSIGNAL) = 2`},
		{unix.SYS_RECVMSG, [6]uint64{3, a1, 0}, []mem{words(a1, 0, 0, a2, 1, 0, 0, 0)}, -11, nil,
			`recvmsg(3, {msg_namelen=0}, 0)          = -1 EAGAIN (Resource temporarily unavailable)`},
		{unix.SYS_PIPE2, [6]uint64{a1, 0x80000}, nil, 0, []mem{ints(a1, 3, 4)}, `pipe2([3, 4], O_CLOEXEC)                = 0`},
		{unix.SYS_PRLIMIT64, [6]uint64{0, 3, 0, a1}, nil, 0, []mem{words(a1, 8<<20, ^uint64(0))},
			`prlimit64(0, RLIMIT_STACK, NULL, {rlim_cur=8192*1024, rlim_max=RLIM64_INFINITY}) = 0`},
		{unix.SYS_PRCTL, [6]uint64{unix.PR_SET_NAME, a1, 9, 9, 9}, []mem{str(a1, "worker")}, 0, nil, `prctl(PR_SET_NAME, "worker")            = 0`},
		{unix.SYS_ARCH_PRCTL, [6]uint64{0x1002, a1}, nil, 0, nil, `arch_prctl(ARCH_SET_FS, 0x7000)         = 0`},
		{unix.SYS_GETRANDOM, [6]uint64{a1, 8, 1}, nil, 2, []mem{raw(a1, "\x01\xff")}, `getrandom("\x01\xff", 8, GRND_NONBLOCK) = 2`},
		{unix.SYS_GETCWD, [6]uint64{a1, 4096}, nil, 5, []mem{raw(a1, "/tmp\x00")}, `getcwd("/tmp", 4096)                    = 5`},
		{unix.SYS_NANOSLEEP, [6]uint64{a1, a2}, []mem{words(a1, 5, 0)}, 0, nil,
			`nanosleep({tv_sec=5, tv_nsec=0}, 0x8000) = 0`},
		{unix.SYS_NANOSLEEP, [6]uint64{a1, a2}, []mem{words(a1, 5, 0)}, -4, []mem{words(a2, 1, 2)},
			`nanosleep({tv_sec=5, tv_nsec=0}, {tv_sec=1, tv_nsec=2}) = ? ERESTART_RESTARTBLOCK (Interrupted by signal)`},
		{unix.SYS_READ, [6]uint64{0, a1, 1}, nil, -rt.ERESTARTSYS, nil,
			`read(0, 0x7000, 1)                      = ? ERESTARTSYS (To be restarted if SA_RESTART is set)`},
		{unix.SYS_SENDFILE, [6]uint64{1, 2, a1, 10}, []mem{words(a1, 0)}, 7, []mem{words(a1, 7)}, `sendfile(1, 2, [0] => [7], 10)          = 7`},
		{unix.SYS_NFSSERVCTL, [6]uint64{1, 2, 3}, nil, -1, nil, `nfsservctl(0x1, 0x2, 0x3)               = -1 EPERM (Operation not permitted)`},
		{9999, [6]uint64{1, 2, 3, 0, 5, 6}, nil, -38, nil,
			`syscall_0x270f(0x1, 0x2, 0x3, 0, 0x5, 0x6) = -1 ENOSYS (Function not implemented)`},
	} {
		want := c.want + "\n"
		if got := line(t, enterData(c.nr, c.args, c.in...), exitData(c.result, c.out...)); got != want {
			t.Errorf("%s (-want +got):\n%s", callName(c.nr), cmp.Diff(want, got))
		}
	}
}

// FuzzEvents feeds records of any content to the printer: it must not fail on them.
func FuzzEvents(f *testing.F) {
	f.Add(uint16(unix.SYS_SENDMSG), enterData(unix.SYS_SENDMSG, [6]uint64{3, a1}, words(a1, 0, 0, a2, 1, 0, 0, 0)), exitData(-1))
	f.Add(uint16(unix.SYS_RECVMSG), enterData(unix.SYS_RECVMSG, [6]uint64{3, a1}, words(a1, a2, 9, a2, 1, a3, 99, 0)),
		exitData(5, words(a1, a2, 9, a2, 1, a3, 99, 0)))
	f.Add(uint16(unix.SYS_CLONE3), enterData(unix.SYS_CLONE3, [6]uint64{a1, 88}, words(a1, ^uint64(0))), exitData(3))
	f.Fuzz(func(t *testing.T, nr uint16, enter, exit []byte) {
		if len(enter) >= 4 {
			enter = append(binary.LittleEndian.AppendUint32(nil, uint32(nr)%maxRows), enter[4:]...)
		}
		p := NewPrinter(bytes.NewBuffer(nil), Options{MaxString: 16, Column: DefaultColumn})
		p.Events([]launcher.Event{
			{PID: 1, TID: 1, Kind: recordEnter, Data: enter},
			{PID: 1, TID: 1, Kind: recordExit, Data: exit},
			{PID: 1, TID: 1, Kind: recordSignal, Data: exit},
		})
		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
	})
}
