package runtime

import "unsafe"

// LoadFirst executes the first program of a target without a helper, from a stage of the launcher that has mapped the shared
// memory. It returns the error number if that fails.
func LoadFirst(path *byte, argv, envp []*byte, image, sharedMemory int) int {
	files := hiddenFiles{image: int32(image), shared: int32(sharedMemory)}
	l := new(loading)
	l.reset(0)
	f := execFile{atFDCWD, uintptr(unsafe.Pointer(path)), 0}
	e := l.open(&f)
	args, env := uintptr(unsafe.Pointer(&argv[0])), uintptr(unsafe.Pointer(&envp[0]))
	switch {
	case e == 0 && l.is386:
		e = first386(f.path, args, env)
	case e == 0:
		l.plan(&files, 0, 0)
		e = l.execute(args, env)
	}
	l.close()
	return int(-e)
}

// first386 executes a 32-bit program, which runs unintercepted.
func first386(path, argv, envp uintptr) int64 {
	pid := sys(sysGetpid, 0, 0, 0, 0, 0, 0)
	if shared().Guard != 0 {
		abort("a 32-bit program cannot run under the guard", 0)
	}
	warn("is a 32-bit program and runs unintercepted", pid)
	shared().MainPID = int32(pid)
	return int64(sys(sysExecve, path, argv, envp, 0, 0, 0))
}
