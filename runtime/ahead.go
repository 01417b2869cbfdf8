// Runs in the target, on the signal stack with every signal blocked or on the tool stack, with patchLock held or before
// the program's first instruction.

package runtime

import (
	"sync/atomic"
	"unsafe"

	"github.com/trapline/trapline/patch"
)

// The sites that a process has patched are noted in the shared memory, by file. Who maps the file later, in another
// process or after exec, patches those that are called more than once before its code can run, and never traps there: a shell
// script that starts a thousand programs pays for their first calls once. For a site that is called once the trap is cheaper than
// the patch, which copies its page. Nothing is taken on trust: the bytes that a plan rests on are compared first.

// SiteCache holds what is known of sites, by file. Entries are only ever added; the launcher may do so before the target
// starts and read it at any time.
type SiteCache struct {
	Used  uint32 // of Sites, or more: there was no room
	Files [1 << 10]CachedFile
	Sites [1 << 14]CachedSite
}

// CachedFile is an entry of an open-addressed table by Key.
type CachedFile struct {
	Key  uint64 // sum of the file's headers and build ID; 0: free
	Last uint32 // index of the site added last, plus 1
}

// CachedSite is one site that has been patched.
type CachedSite struct {
	Sum    uint64 // of the bytes that the plan rests on
	Offset uint32 // of the site in the file, in bytes
	Next   uint32 // index of the file's site added before it, plus 1
	Hot    uint32 // 1: a process has called it more than once
	Plan   patch.Plan
}

// File returns the entry of a file. Without one it makes it, if make is set and there is room; else it returns nil.
func (c *SiteCache) File(key uint64, make bool) *CachedFile {
	const probes = 16
	for i := uint64(0); i < probes; i++ {
		f := &c.Files[(key>>8+i)%uint64(len(c.Files))]
		k := atomic.LoadUint64(&f.Key)
		if k == 0 && make && atomic.CompareAndSwapUint64(&f.Key, 0, key) {
			return f
		}
		if k = atomic.LoadUint64(&f.Key); k == key {
			return f
		}
		if k == 0 {
			return nil
		}
	}
	return nil
}

// Add adds a site to a file, unless it is there.
func (c *SiteCache) Add(f *CachedFile, site CachedSite) {
	for s := c.At(atomic.LoadUint32(&f.Last)); s != nil; s = c.At(s.Next) {
		if s.Offset == site.Offset && s.Sum == site.Sum {
			return
		}
	}
	if atomic.LoadUint32(&c.Used) >= uint32(len(c.Sites)) {
		return
	}
	index := atomic.AddUint32(&c.Used, 1)
	s := c.At(index)
	if s == nil {
		return
	}
	*s = site
	for {
		s.Next = atomic.LoadUint32(&f.Last)
		if atomic.CompareAndSwapUint32(&f.Last, s.Next, index) {
			return
		}
	}
}

// At returns a site by its index plus 1, nil for 0.
func (c *SiteCache) At(index uint32) *CachedSite {
	if index-1 >= uint32(len(c.Sites)) {
		return nil
	}
	return &c.Sites[index-1]
}

// sane reports whether a plan can be followed: the shared memory is open to every process.
func (s *CachedSite) sane() bool {
	p := &s.Plan
	if p.Hops == 0 || p.Hops > patch.MaxHops || p.Tactic >= patch.NumTactics || p.Copied() < 0 || p.Copied() > bridgeStubAt-16 {
		return false
	}
	for i := 0; i < int(p.Hops); i++ {
		if h := p.Hop[i&(patch.MaxHops-1)]; h < p.Low || int(h)+int(p.HopLength(i)) > int(p.High) {
			return false
		}
	}
	return true
}

// rememberSite notes a site that has been patched, with the sum of keepOld.
func rememberSite(x *text, site uintptr, plan *patch.Plan, sum uint64) {
	offset := x.fileOffset(site)
	if x.key == 0 || offset>>32 != 0 {
		return
	}
	c := &shared().Cache
	if f := c.File(x.key, true); f != nil {
		c.Add(f, CachedSite{Sum: sum, Offset: uint32(offset), Plan: *plan})
	}
}

// knownSite returns what is known of a site, nil if nothing is.
func knownSite(x *text, site uintptr) *CachedSite {
	c := &shared().Cache
	f := c.File(x.key, false)
	if x.key == 0 || f == nil {
		return nil
	}
	offset := x.fileOffset(site)
	for s := c.At(atomic.LoadUint32(&f.Last)); s != nil; s = c.At(s.Next) {
		if uint64(s.Offset) == offset {
			return s
		}
	}
	return nil
}

// patchAhead patches the known sites of a text that nobody has executed yet.
func patchAhead(x *text) {
	s := shared()
	if !mayPatch() || x.key == 0 || x.reason() != patch.Patchable {
		return
	}
	f := s.Cache.File(x.key, false)
	if f == nil {
		return
	}
	var w codeWriter
	w.fresh = true
	opened := false
	for c := s.Cache.At(atomic.LoadUint32(&f.Last)); c != nil; c = s.Cache.At(c.Next) {
		site, ok := x.find(c)
		if !ok || c.Hot == 0 {
			continue
		}
		if !opened && !openCode(x.Start, x.End, x.prot) {
			return
		}
		opened = true
		if patchSiteAhead(&w, x, site, c) {
			atomic.AddUint32(&s.Sites.Ahead, 1)
		}
	}
	if opened {
		closeCode(x.Start, x.End, x.prot)
	}
}

// find returns where a site of the file is, if all of what a patch of it changes is in the text.
func (x *text) find(c *CachedSite) (uintptr, bool) {
	d := uint64(c.Offset) - x.offset
	if uint64(c.Offset) < x.offset || d >= uint64(x.End-x.Start) || !c.sane() {
		return 0, false
	}
	site := x.Start + uintptr(d)
	return site, site+uintptr(c.Plan.Low) >= x.Start && site+uintptr(c.Plan.High) <= x.End
}

// patchSiteAhead patches one site, if its bytes are those that the plan was made for.
func patchSiteAhead(w *codeWriter, x *text, site uintptr, c *CachedSite) bool {
	stub := findStub(site)
	if stub == 0 {
		return false
	}
	p := patchOf(stub)
	if p.state == sitePatched {
		return false
	}
	p.plan = c.Plan
	sum, ok := p.keepOld(site)
	if !ok || sum != c.Sum || p.apply(w, x, stub, site) != patch.Patchable {
		return false
	}
	p.enter(stub, patch.Patchable)
	return true
}

// Types of auxiliary vector entries, include/uapi/linux/auxvec.h.
const (
	atNull   = 0
	atPhdr   = 3
	atBase   = 7
	atVDSO   = 33
	auxEntry = 2 * unsafe.Sizeof(uintptr(0))
)

// vdsoText is where the vDSO is.
var vdsoText Range

// patchProgram notes the code that the kernel has mapped for a new program, and patches its known sites. The
// program's stack says where it is: argc, argv, NULL, envp, NULL, auxv (create_elf_tables, fs/binfmt_elf.c).
func patchProgram(sp uintptr) {
	a := sp + 8*(*(*uintptr)(at(sp))+2)
	for *(*uintptr)(at(a)) != 0 {
		a += 8
	}
	for a += 8; *(*uintptr)(at(a)) != atNull; a += auxEntry {
		v := *(*uintptr)(at(a + 8))
		switch *(*uintptr)(at(a)) {
		case atPhdr:
			addSegments(v - elfHeaderSize)
		case atBase:
			addSegments(v)
		case atVDSO:
			addSegments(v)
			if x := knownText(v); x != nil {
				vdsoText = x.Range
			}
		}
	}
	for i := range texts[:textCount] {
		patchAhead(&texts[i])
	}
}
