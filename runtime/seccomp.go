// Runs in the target, on the tool stack or the signal stack.

package runtime

// include/uapi/linux/seccomp.h and prctl.h.
const (
	setModeStrict = 0 // SECCOMP_SET_MODE_STRICT
	seccompStrict = 1 // SECCOMP_MODE_STRICT
	prGetSeccomp  = 21
	prSetSeccomp  = 22
)

// seccomp serves seccomp.
func seccomp(t *Thread, c *Call) int64 {
	a := &c.args
	if uint32(a[0]) == setModeStrict && uint32(a[1]) == 0 && a[2] == 0 {
		refuseStrict(t.site)
	}
	return int64(doCall(sysSeccomp, a[0], a[1], a[2], a[3], a[4], a[5]))
}

// refuseStrict ends a process that is about to enter strict mode, in which the runtime could not go
// on. Where there is a filter, the runtime's or the target's own, the kernel refuses
// (seccomp_may_assign_mode, kernel/seccomp.c, 6.18).
func refuseStrict(site uintptr) {
	if sys(sysPrctl, prGetSeccomp, 0, 0, 0, 0, 0) == 0 {
		abort("the program enters strict seccomp mode, in which the runtime cannot go on", site)
	}
}
