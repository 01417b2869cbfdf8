// Runs in the target, on the signal stack with every signal blocked or on the tool stack, with patchLock held unless a
// function says otherwise.

package runtime

import "github.com/trapline/trapline/patch"

// The patched code of a library lies far from the stubs. A bridge within ±2 GiB of the jump takes the thread over
// the distance:
//
//	 0      a copy of the n bytes of instructions that a detour skips; n is 0 for a jump in padding
//	 n      mov $stub, %r11d
//	 n + 6  jmp *%r11
//	60      the stub's address
//
// Areas of bridges are mapped where the kernel finds room, for as long as the process lives: a site gets one bridge.
const (
	bridgeSize     = 64
	bridgeStubAt   = 60
	bridgeAreaSize = 64 << 10
	maxBridgeAreas = 64
	reach          = 1<<31 - 1<<20 // of a jump's 32-bit displacement, less the size of what it starts or ends in
)

type bridgeArea struct {
	base uintptr
	used uintptr // bytes
}

var (
	bridgeAreas     [maxBridgeAreas]bridgeArea
	bridgeAreaCount int
)

// within reports whether a jump at from can reach to.
func within(from, to uintptr) bool { return to-from+reach < 2*reach }

// areaOf returns the area of bridges that holds addr, nil if there is none. It may be called without patchLock.
func areaOf(addr uintptr) *bridgeArea {
	for i := 0; i < bridgeAreaCount; i++ {
		if a := &bridgeAreas[i]; addr-a.base < bridgeAreaSize {
			return a
		}
	}
	return nil
}

// meetsBridges reports whether [start, end) meets an area of bridges. It may be called without patchLock.
func meetsBridges(start, end uintptr) bool {
	for i := 0; i < bridgeAreaCount; i++ {
		if base := bridgeAreas[i].base; meets(start, end, base, base+bridgeAreaSize) {
			return true
		}
	}
	return false
}

// newBridge writes a bridge to stub near an address, with a copy of code before it. It returns 0 if there is no room.
func newBridge(near, stub, code uintptr, n int) uintptr {
	a := bridgeAreaNear(near)
	if a == nil {
		return 0
	}
	b := a.base + a.used
	if safeCopy(b, code, uintptr(n)) != uintptr(n) || !relocate(b, code, n) {
		return 0
	}
	a.used += bridgeSize
	end := b + uintptr(n)
	*(*uint16)(at(end)) = 0xbb41
	*(*uint32)(at(end + 2)) = uint32(stub)
	*(*uint32)(at(end + 6)) = 0xcce3ff41
	*(*uint32)(at(b + bridgeStubAt)) = uint32(stub)
	return b
}

// relocate corrects what the copy of n bytes of code at b says relative to RIP.
func relocate(b, code uintptr, n int) bool {
	var bytes [bridgeSize]byte
	safeCopy(addrOf(&bytes), b, uintptr(n))
	for i := 0; i < n; {
		inst, ok := patch.Decode(bytes[i&(bridgeSize-1) : n&(bridgeSize-1)])
		if !ok {
			return false
		}
		if inst.Disp != 0 {
			d := (*int32)(at(b + uintptr(i+inst.Disp)))
			moved := int64(*d) + int64(code) - int64(b)
			if int64(int32(moved)) != moved {
				return false
			}
			*d = int32(moved)
		}
		i += inst.Len
	}
	return true
}

// bridgeStub returns the stub that the bridge around addr leads to, 0 if there is none. It may be called without
// patchLock.
func bridgeStub(addr uintptr) uintptr {
	return uintptr(*(*uint32)(at(addr&^(bridgeSize-1) + bridgeStubAt)))
}

// bridgeAreaNear returns an area with room for one more bridge.
func bridgeAreaNear(near uintptr) *bridgeArea {
	for i := 0; i < bridgeAreaCount; i++ {
		if a := &bridgeAreas[i]; within(near, a.base) && a.used+bridgeSize <= bridgeAreaSize {
			return a
		}
	}
	if bridgeAreaCount == maxBridgeAreas {
		return nil
	}
	base := mapBridges(near)
	if base == 0 {
		return nil
	}
	a := &bridgeAreas[bridgeAreaCount]
	*a = bridgeArea{base: base}
	bridgeAreaCount++
	return a
}

// mapBridges maps an area: where the kernel likes, or else at steps below and above. Below comes first: the heap
// grows behind a program.
func mapBridges(near uintptr) uintptr {
	const (
		flags = mapPrivate | mapAnonymous | mapNoreserve
		prot  = protRead | protWrite | protExec
		step  = 64 << 20
	)
	r := sys(sysMmap, 0, bridgeAreaSize, prot, flags, ^uintptr(0), 0)
	if failed(r) {
		return 0
	}
	if within(near, r) {
		return r
	}
	sys(sysMunmap, r, bridgeAreaSize, 0, 0, 0, 0)
	page := near &^ (pageSize - 1)
	for d := uintptr(step); d < reach; d += step {
		for _, want := range [...]uintptr{page - d, page + d} {
			r := sys(sysMmap, want, bridgeAreaSize, prot, flags|mapFixedNoreplace, ^uintptr(0), 0)
			if r == want {
				return r
			}
		}
	}
	return 0
}
