package runtime

import "unsafe"

// The target's vector registers have to be saved before Go code uses them. Most hooks use few, so the launcher finds out
// which ones the code can reach that runs at a hooked call (Shared.Vectors). What goes beyond is behind a function that saves
// the rest first (saveVectors): performOwned, takeBlock, showEntry, showExit.

// FewVectors are the registers that stubSaved saves in any case, bit i for Xi: the first ones a compiler takes, the one that
// Go copies structures with (X14), and the one it keeps at zero (X15).
const FewVectors = 1<<0 | 1<<1 | 1<<2 | 1<<14 | 1<<15

// VectorRoots returns the functions that assembly enters for a hooked call, besides those of the tool, which are all they call
// through pointers.
func VectorRoots() []uintptr {
	return []uintptr{funcEntry(dispatchFunc), funcEntry(callMadeFunc)}
}

// VectorLeaves returns functions that save the other registers first, or never return.
func VectorLeaves() []uintptr {
	return []uintptr{
		funcEntry(performOwned), funcEntry((*Thread).takeBlock), funcEntry((*Thread).showEntry),
		funcEntry((*Thread).showExit), funcEntry(abort), funcEntry(abortErrno),
	}
}

// RoutineAddrs returns the addresses of the variables that freestanding Go code calls assembly through. None of those
// routines uses a vector register, or it is saveVectors.
func RoutineAddrs() []uintptr {
	var addrs []uintptr
	for _, p := range []*uintptr{
		&ownCallAddr, &doCallAddr, &doSigreturnAddr, &doCloneAddr, &exitThreadAddr, &startHelperAddr, &saveVectorsAddr, &rdtscAddr, &currentThreadAddr,
		&safeCopyAddr, &safeStringAddr, &safeStoreAddr,
	} {
		addrs = append(addrs, uintptr(unsafe.Pointer(p)))
	}
	return addrs
}

// funcEntry is the address of a function's code.
func funcEntry[F any](f F) uintptr { return **(**uintptr)(unsafe.Pointer(&f)) }
