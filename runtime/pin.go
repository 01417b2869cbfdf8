// Runs in the target, on the tool stack or the exec helper's stack.

package runtime

// A thread that executes a program and its helper run in turns. To wake somebody on another processor takes many times as
// long as on the same one, so the thread is pinned to where it is, the helper inherits that, and the thread
// gets its affinity back in the new program, or when the exec has failed.

// pinSelf returns the affinity that unpin restores, or 0 if the thread is not pinned: it has one processor anyway, or the
// machine has more than fit.
func pinSelf() uint64 {
	var all uint64
	var cpu uint32
	n := sys(sysSchedGetaffinity, 0, 8, addrOf(&all), 0, 0, 0)
	if failed(n) || all&(all-1) == 0 || failed(sys(sysGetcpu, addrOf(&cpu), 0, 0, 0, 0, 0)) || cpu > 63 {
		return 0
	}
	one := uint64(1) << cpu
	if failed(sys(sysSchedSetaffinity, 0, 8, addrOf(&one), 0, 0, 0)) {
		return 0
	}
	return all
}

// unpin gives a thread its affinity back; tid 0 is the caller.
func unpin(tid uintptr, processors uint64) {
	if processors != 0 {
		sys(sysSchedSetaffinity, tid, 8, addrOf(&processors), 0, 0, 0)
	}
}
