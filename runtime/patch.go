// Runs in the target, on the signal stack with every signal blocked, unless a function says otherwise.

package runtime

import (
	"sync/atomic"
	"unsafe"

	"github.com/trapline/trapline/patch"
)

// At the first trap of a site its two bytes become a short jump to padding nearby, which holds a jump to the
// site's stub or to a bridge that leads there; package patch finds the padding. What another thread sees:
//
//  1. the bridge is written: nobody goes there yet
//  2. the padding is written, the last hop first: nobody executes it
//  3. every processor has been made to look again (membarrier)
//  4. two bytes of the site are stored at once: a thread traps as before, or jumps
//
// A detour has no padding; its step 4 stores the five bytes of the instruction before the site.
//
// Only text that is private to the process and that nobody may write is patched. Before the target changes a mapping
// with patched sites they are put back (unpatch).

// sitePatch is what a stub keeps about the patching of its site.
type sitePatch struct {
	traps   uint32 // times the site has trapped
	epoch   uint32 // textEpoch when it was refused
	state   uint8
	refused patch.Reason
	plan    patch.Plan
	listed  bool                  // in patchesByPage
	next    uint32                // stub in the same list, 0: none
	old     [patch.MaxHops]uint64 // what the hops had in their places
}

// States of a site.
const (
	siteNew     = 0
	sitePatched = 1
	siteRefused = 2
)

var _ [stubSize - stubData - unsafe.Sizeof(sitePatch{})]byte

func patchOf(stub uintptr) *sitePatch { return (*sitePatch)(at(stub + stubData)) }

// patchLock is held by the one thread that patches. A handler never waits for it.
var patchLock uint32

func tryPatchLock() bool { return atomic.CompareAndSwapUint32(&patchLock, 0, 1) }

// waitPatchLock is for the tool stack, where a thread may wait: the holder is in its signal handler or in a call that
// changes a mapping, and soon done. A holder that is not for seconds was killed: a vfork child.
func waitPatchLock() {
	const yields, naps = 1000, 3000
	for i := 0; i < yields+naps && !tryPatchLock(); i++ {
		if i < yields {
			sys(sysSchedYield, 0, 0, 0, 0, 0, 0)
			continue
		}
		nap := [2]int64{0, 1e6} // struct timespec
		sys(sysNanosleep, addrOf(&nap), 0, 0, 0, 0, 0)
	}
	atomic.StoreUint32(&patchLock, 1)
}

func unlockPatches() { atomic.StoreUint32(&patchLock, 0) }

// patchSite is called at every trap of a site.
func patchSite(stub, site uintptr) {
	atomic.AddUint64(&shared().Sites.Traps, 1)
	p := patchOf(stub)
	traps := atomic.AddUint32(&p.traps, 1)
	if !mayPatch() || traps > 1 && !p.again(traps) || !tryPatchLock() {
		return
	}
	p.verify(site)
	if p.state != sitePatched {
		p.attempt(stub, site, traps)
	}
	unlockPatches()
}

// mayPatch reports whether sites are patched at all.
func mayPatch() bool { return shared().NoPatch == 0 && traceOrders&orderText == 0 }

// again reports whether a site that has trapped before is to be looked at once more: after 2, 4, 8... traps, unless it
// was refused for a reason that stays and executable memory has not changed since.
func (p *sitePatch) again(traps uint32) bool {
	return traps&(traps-1) == 0 && (p.state != siteRefused || p.epoch != textEpoch || !p.refused.Lasting())
}

// verify finds out whether a patch is still there: the kernel may have read the page anew, or the program put other
// bytes there. A thread that trapped just before another one patched the site finds it in place.
func (p *sitePatch) verify(site uintptr) {
	if p.state != sitePatched {
		return
	}
	at := site
	if p.plan.Tactic == patch.Detour {
		at += uintptr(p.plan.Hop[0])
	}
	var b byte
	if safeCopy(addrOf(&b), at, 1) == 1 && (b == shortJump || b == longJump) {
		return
	}
	p.lost()
}

// lost notes that the site is as it was.
func (p *sitePatch) lost() { p.state, p.traps = siteNew, 0 }

// enter notes the outcome of an attempt in the site and in what the launcher can see.
func (p *sitePatch) enter(stub uintptr, reason patch.Reason) {
	s := &shared().Sites
	if p.state == siteRefused {
		atomic.AddUint32(&s.Refused[p.refused], ^uint32(0))
	}
	if reason == patch.Patchable {
		p.list(stub)
		p.state = sitePatched
		atomic.AddUint32(&s.Patched[p.plan.Tactic], 1)
		return
	}
	p.state, p.epoch, p.refused = siteRefused, textEpoch, reason
	atomic.AddUint32(&s.Refused[reason], 1)
}

// attempt patches the site if that is possible.
//
// A site that other processes have called just once, as far as is known, is left as it is for now: to patch it
// costs more than one call by way of the trap.
func (p *sitePatch) attempt(stub, site uintptr, traps uint32) {
	x := textOf(site)
	if x == nil {
		p.enter(stub, patch.UnknownText)
		return
	}
	if reason := x.reason(); reason != patch.Patchable {
		p.enter(stub, reason)
		return
	}
	x.identify()
	known := knownSite(x, site)
	if known != nil && traps == 1 && known.Hot == 0 {
		return
	}
	if known != nil && traps > 1 {
		known.Hot = 1
	}
	p.enter(stub, p.patch(x, stub, site))
}

// patch patches the site of a text.
func (p *sitePatch) patch(x *text, stub, site uintptr) patch.Reason {
	p.plan = planSite(x, site)
	if p.plan.Reason != patch.Patchable {
		return p.plan.Reason
	}
	sum, ok := p.keepOld(site)
	if !ok {
		return patch.UnknownText
	}
	var w codeWriter
	reason := p.apply(&w, x, stub, site)
	if reason == patch.Patchable {
		rememberSite(x, site, &p.plan, sum)
	}
	return reason
}

// window is the code around the site that is being patched.
var window patch.Text

// planSite finds out how a site can be patched: with its own function, and if that is not enough with its neighbours.
func planSite(x *text, site uintptr) patch.Plan {
	x.openUnwind()
	plan := planWithin(x, site, false)
	if plan.Reason == patch.NoPadding {
		plan = planWithin(x, site, true)
	}
	return plan
}

func planWithin(x *text, site uintptr, wide bool) patch.Plan {
	window.Around(site, x.Start, x.End, &x.unwind, readWord, wide)
	n := uintptr(window.N)
	if safeCopy(addrOf(&window.Code), window.Base, n) != n {
		return patch.Plan{Reason: patch.UnknownText}
	}
	removePatches()
	return window.Plan(site)
}

// removePatches gives the window the bytes that were there before any patch, and notes which ones patches have taken.
func removePatches() {
	const far = patch.MaxHops << 7 // from a site to the last of its hops, at most
	end := window.Base + uintptr(window.N)
	for page := (window.Base - far) / pageSize; page <= (end+far)/pageSize; page++ {
		for stub := patchesByPage[page%uintptr(len(patchesByPage))]; stub != 0; {
			p := patchOf(uintptr(stub))
			if site := stubSite(uintptr(stub)); p.state == sitePatched && meets(p.low(site), p.high(site), window.Base, end) {
				p.remove(site)
			}
			stub = p.next
		}
	}
}

// remove takes one patch out of the window.
func (p *sitePatch) remove(site uintptr) {
	if p.plan.Tactic == patch.Detour {
		window.Take(p.low(site), site)
	} else {
		window.Restore(site, callBytes, callLength)
	}
	for i := 0; i < int(p.plan.Hops); i++ {
		window.Restore(p.hop(site, i), p.old[i], p.plan.HopLength(i))
	}
}

// patchesByPage has the stubs of all sites that were ever patched, in lists by the page of the site.
var patchesByPage [512]uint32

// list puts a stub into its list.
func (p *sitePatch) list(stub uintptr) {
	if p.listed {
		return
	}
	head := &patchesByPage[stubSite(stub)/pageSize%uintptr(len(patchesByPage))]
	p.listed, p.next = true, *head
	*head = uint32(stub)
}

// keepOld notes what the plan's places hold, and returns a sum over that and what else a patch rests on.
func (p *sitePatch) keepOld(site uintptr) (sum uint64, ok bool) {
	var code [bridgeSize]byte
	n := uintptr(p.plan.Copied()+callLength) & (bridgeSize - 1)
	if safeCopy(addrOf(&code), site-uintptr(p.plan.Copied()), n) != n {
		return 0, false
	}
	sum = sumStart
	for _, b := range code[:n] {
		sum = addToSum(sum, uint64(b))
	}
	for i := 0; i < int(p.plan.Hops); i++ {
		old := &p.old[i&(patch.MaxHops-1)]
		*old = 0
		if size := p.plan.HopLength(i); safeCopy(addrOf(old), p.hop(site, i), size) != size {
			return 0, false
		}
		sum = addToSum(sum, *old)
	}
	return sum, true
}

// First bytes of jumps.
const (
	shortJump = 0xeb
	longJump  = 0xe9
)

// jumpTo is the bytes of a jump of 5 bytes.
func jumpTo(from, to uintptr) uint64 { return longJump | uint64(uint32(to-from-patch.JumpLength))<<8 }

// shortJumpTo is the bytes of a jump of 2 bytes.
func shortJumpTo(from, to uintptr) uint64 {
	return shortJump | uint64(uint8(to-from-patch.SiteLength))<<8
}

// apply writes the patch that p.plan describes.
//
// Precondition: keepOld.
func (p *sitePatch) apply(w *codeWriter, x *text, stub, site uintptr) patch.Reason {
	hops := int(p.plan.Hops)
	last := p.hop(site, hops-1)
	first, n := site, uintptr(patch.SiteLength)
	if p.plan.Tactic == patch.Detour {
		first, n = last, patch.JumpLength
	}
	if !w.fresh && !fitsStore(first, n) && !singleThreaded() {
		return patch.Threads
	}
	goal := stub
	if copied := p.plan.Copied(); copied != 0 || !within(last, stub) {
		if goal = newBridge(last, stub, last, copied); goal == 0 {
			return patch.NoBridge
		}
	}
	if !w.begin(x, p.low(site), p.high(site)) {
		return patch.CannotWrite
	}
	ok := p.writeHops(w, site, last, goal)
	w.end()
	if !ok {
		return patch.CannotWrite
	}
	return patch.Patchable
}

// writeHops writes the jumps, the one that is executed first as the last one.
func (p *sitePatch) writeHops(w *codeWriter, site, last, goal uintptr) bool {
	if p.plan.Tactic == patch.Detour {
		return w.publish(last, jumpTo(last, goal), patch.JumpLength)
	}
	ok := w.write(last, jumpTo(last, goal), patch.JumpLength)
	for i := int(p.plan.Hops) - 2; i >= 0 && ok; i-- {
		ok = w.write(p.hop(site, i), shortJumpTo(p.hop(site, i), p.hop(site, i+1)), patch.SiteLength)
	}
	return ok && w.publish(site, shortJumpTo(site, p.hop(site, 0)), patch.SiteLength)
}

// hop is the address of a hop.
func (p *sitePatch) hop(site uintptr, i int) uintptr {
	return site + uintptr(p.plan.Hop[i&(patch.MaxHops-1)])
}

// low and high bound the bytes that the patch rests on.
func (p *sitePatch) low(site uintptr) uintptr  { return site + uintptr(p.plan.Low) }
func (p *sitePatch) high(site uintptr) uintptr { return site + uintptr(p.plan.High) }

// unpatch puts the site's bytes back, and the padding's if no other thread can be there.
func (p *sitePatch) unpatch(x *text, site uintptr) {
	var w codeWriter
	if !w.begin(x, p.low(site), p.high(site)) {
		abort("a patched system call site cannot be put back", site)
	}
	ok := true
	if p.plan.Tactic == patch.Detour {
		ok = w.publish(p.hop(site, 0), p.old[0], patch.JumpLength)
	} else {
		for i := 0; i < int(p.plan.Hops) && w.alone; i++ {
			w.write(p.hop(site, i), p.old[i], p.plan.HopLength(i))
		}
		ok = w.publish(site, callBytes, callLength)
	}
	w.end()
	if !ok {
		abort("a patched system call site cannot be put back", site)
	}
}

// unpatchRange puts back the patched sites that a change of [start, end) would tear apart, or with all set every one
// in it. The others in it are taken to be gone.
//
// Precondition: patchLock is held, on the tool stack.
func unpatchRange(start, end uintptr, all bool) {
	for stub, limit := uintptr(StubBase), stubsEnd(); stub < limit; stub += stubSize {
		p := patchOf(stub)
		if p.state != sitePatched {
			continue
		}
		site := stubSite(stub)
		low, high := p.low(site), p.high(site)
		if !meets(start, end, low, high) {
			continue
		}
		if x := textOf(site); x != nil && (all || low < start || high > end) {
			p.unpatch(x, site)
		}
		p.lost()
	}
}

// patchTarget returns where a thread is for the target that was interrupted at ip, on the way from a site to its stub: the
// stub, or of a detour the instruction whose copy ip is at. It returns 0 if ip is on no such way; at a site itself it
// is not.
func patchTarget(ip uintptr) uintptr {
	if areaOf(ip) != nil {
		return bridgeTarget(ip)
	}
	var way [patch.MaxHops + 1]uintptr
	for i := range way {
		way[i] = ip
		var code uint64
		if safeCopy(addrOf(&code), ip, patch.JumpLength) < patch.SiteLength {
			return 0
		}
		switch byte(code) {
		case shortJump:
			ip += patch.SiteLength + uintptr(int8(code>>8))
			continue
		case longJump:
			stub := jumpTarget(ip + patch.JumpLength + uintptr(int32(code>>8)))
			for _, passed := range way[:i+1] {
				if stub != 0 && passed == stubSite(stub) {
					return 0 // at the site, or at a jump of the target's to it
				}
			}
			return stub
		}
		break
	}
	return 0
}

// bridgeTarget is patchTarget for the inside of a bridge.
func bridgeTarget(ip uintptr) uintptr {
	stub := bridgeStub(ip)
	if stub == 0 {
		return 0
	}
	p := patchOf(stub)
	if at := ip & (bridgeSize - 1); int(at) < p.plan.Copied() {
		return p.hop(stubSite(stub), 0) + at
	}
	return stub
}

// jumpTarget returns the stub that a long jump leads to, if it is one of a patch in padding.
func jumpTarget(to uintptr) uintptr {
	if areaOf(to) != nil {
		to = bridgeStub(to)
	}
	if !inStubs(to) || to&(stubSize-1) != 0 || to >= stubsEnd() || patchOf(to).plan.Tactic == patch.Detour {
		return 0
	}
	return to
}
