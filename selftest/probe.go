package selftest

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/trapline/trapline/launcher"
)

// probes look at what interception needs of the kernel. Each tries the thing itself.
var probes = []struct {
	name string
	find func() string
}{
	{"kernel", kernelRelease},
	{"seccomp filter", func() string { return yesOr(probeFilter()) }},
	{"RET_TRAP", func() string { return yesOr(probeTrap()) }},
	{"SUD", func() string { return yesOr(launcher.ProbeSUD()) }},
	{"ptrace", func() string { return yesOr(probePtrace()) }},
	{"FSGSBASE", func() string { return yesOr(probeFSGSBASE()) }},
	{"Yama scope", yamaScope},
	{"no_new_privs", newPrivileges},
}

func yesOr(err error) string {
	if err != nil {
		return "no: " + err.Error()
	}
	return "yes"
}

func kernelRelease() string {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return err.Error()
	}
	return unix.ByteSliceToString(u.Release[:]) + " " + unix.ByteSliceToString(u.Machine[:])
}

// probeFilter installs a filter on a thread that ends with it, and sees whether the filter works.
func probeFilter() error {
	result := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		result <- filterThread()
	}()
	return <-result
}

// filterThread makes an unused system call number fail with EXDEV on this thread.
func filterThread() error {
	const unused, offsetNr = 0x3fffffff, 0
	program := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: offsetNr},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: unused, Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(unix.EXDEV)},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	p := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	if err := unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(&p)), 0, 0); err != nil {
		return err
	}
	if _, _, err := unix.RawSyscall(unused, 0, 0, 0); err != unix.EXDEV {
		return fmt.Errorf("the filter has no effect: %w", err)
	}
	return nil
}

// probeTrap asks for the action. Linux 4.14 and later know the question (kernel/seccomp.c).
func probeTrap() error {
	action := uint32(unix.SECCOMP_RET_TRAP)
	_, _, err := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_GET_ACTION_AVAIL, 0, uintptr(unsafe.Pointer(&action)))
	if err != 0 {
		return err
	}
	return nil
}

// probePtrace traces a child up to its first stop.
func probePtrace() error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd := exec.Command("/proc/self/exe")
	cmd.SysProcAttr = &syscall.SysProcAttr{Ptrace: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	defer cmd.Process.Release()
	var ws unix.WaitStatus
	if _, err := unix.Wait4(cmd.Process.Pid, &ws, 0, nil); err != nil {
		return err
	}
	unix.Kill(cmd.Process.Pid, unix.SIGKILL)
	unix.Wait4(cmd.Process.Pid, nil, 0, nil)
	if !ws.Stopped() || ws.StopSignal() != unix.SIGTRAP {
		return fmt.Errorf("no stop after exec: status %#x", uint32(ws))
	}
	return nil
}

// probeFSGSBASE reads what the kernel tells programs: HWCAP2_FSGSBASE, arch/x86/include/uapi/asm/hwcap2.h, Linux 5.9.
func probeFSGSBASE() error {
	const hwcap2, fsgsbase, entrySize = 26, 1 << 1, 16
	auxv, err := os.ReadFile("/proc/self/auxv")
	if err != nil {
		return err
	}
	for ; len(auxv) >= entrySize; auxv = auxv[entrySize:] {
		if binary.LittleEndian.Uint64(auxv) == hwcap2 && binary.LittleEndian.Uint64(auxv[8:])&fsgsbase != 0 {
			return nil
		}
	}
	return errors.New("not in AT_HWCAP2; the base registers are set by system calls")
}

func yamaScope() string {
	text, err := os.ReadFile("/proc/sys/kernel/yama/ptrace_scope")
	if errors.Is(err, os.ErrNotExist) {
		return "none"
	}
	if err != nil {
		return err.Error()
	}
	return strings.TrimSpace(string(text))
}

// newPrivileges says whether a filter costs a target the rights of set-user-ID programs (seccomp(2)).
func newPrivileges() string {
	hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&hdr, &data[0]); err != nil {
		return err.Error()
	}
	if data[0].Effective&(1<<unix.CAP_SYS_ADMIN) != 0 {
		return "not needed: CAP_SYS_ADMIN"
	}
	return "set in targets: no CAP_SYS_ADMIN"
}
