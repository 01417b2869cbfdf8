// Runs in the target, on the tool stack or the signal stack, with patchLock held or before the
// program's first instruction.

package runtime

import "github.com/trapline/trapline/patch"

// A text is one executable mapping, as far as patching has to know it. The table is a cache of what the kernel knows:
// mapping calls of the target take out what they change, and for a site that is in none /proc/self/maps is read.
type text struct {
	Range
	offset uint64  // of Start in the file
	header uintptr // where the file's ELF header is mapped, 0: unknown
	prot   uintptr
	kind   textKind
	key    uint64 // of the file, 0: unknown
	// The unwind table lies in pages that a program may never touch: it is looked for when a site has to be planned.
	opened bool
	unwind patch.Unwind
}

type textKind uint8

const (
	textFile      textKind = iota // private and read-only, from a file or the vDSO: nobody else sees or changes it
	textShared                    // MAP_SHARED: a patch would change the file
	textWritable                  // the program may write code of its own there
	textAnonymous                 // code that the program has written
)

const maxTexts = 256

var (
	texts     [maxTexts]text
	textCount int
	// textEpoch changes when executable memory does: what was refused may be possible now.
	textEpoch uint32
)

// reason is why sites of the text are not patched.
func (x *text) reason() patch.Reason {
	switch x.kind {
	case textShared:
		return patch.SharedText
	case textWritable:
		return patch.WritableText
	case textAnonymous:
		return patch.AnonymousText
	}
	return patch.Patchable
}

// fileOffset is where in the file the byte at an address of the text is.
func (x *text) fileOffset(addr uintptr) uint64 { return x.offset + uint64(addr-x.Start) }

// identify finds out which file it is.
func (x *text) identify() {
	var f loadedFile
	if x.key == 0 && f.open(x.header) {
		x.key = f.key()
	}
}

// openUnwind finds the unwind table.
func (x *text) openUnwind() {
	if x.opened {
		return
	}
	x.opened = true
	var f loadedFile
	if f.open(x.header) {
		x.unwind = f.unwind()
	}
}

// textOf returns the text that holds addr, nil if it cannot be found out.
func textOf(addr uintptr) *text {
	if x := knownText(addr); x != nil {
		return x
	}
	scanTexts(addr)
	return knownText(addr)
}

func knownText(addr uintptr) *text {
	for i := 0; i < textCount; i++ {
		if texts[i].has(addr) {
			return &texts[i]
		}
	}
	return nil
}

// scanTexts reads the table anew; of the mappings that cannot be patched, which programs with a compiler in them have
// many of, only the one that holds addr. Without /proc the table is left as it is.
func scanTexts(addr uintptr) {
	var s mapsReader
	if !s.open() {
		return
	}
	textCount = 0
	var header mapsLine // of the file whose mappings follow each other
	for s.next() {
		l := &s.line
		if l.offset == 0 {
			header = *l
		}
		if !l.executable() || l.Start >= ImageBase && l.Start < StubLimit || areaOf(l.Start) != nil {
			continue
		}
		if l.kind() != textFile && !l.has(addr) {
			continue
		}
		x := text{Range: l.Range, offset: l.offset, prot: l.prot, kind: l.kind()}
		if header.file == l.file {
			x.header = header.Start
		}
		addText(&x)
	}
	s.close()
}

// addText notes a mapping. It returns nil if there is no room.
func addText(x *text) *text {
	if textCount == maxTexts {
		return nil
	}
	texts[textCount] = *x
	textCount++
	return &texts[textCount-1]
}

// addSegments notes the executable segments of a file that the kernel has loaded.
func addSegments(header uintptr) {
	var f loadedFile
	if !f.open(header) {
		return
	}
	for i := range f.segment[:f.count] {
		s := &f.segment[i]
		if s.kind != ptLoad || s.flags&pfExec == 0 {
			continue
		}
		start := (f.bias + s.vaddr) &^ (pageSize - 1)
		x := text{
			Range:  Range{start, pageUp(f.bias + s.vaddr + s.filesz)},
			offset: s.offset &^ (pageSize - 1), header: header, key: f.key(),
		}
		x.prot = protExec // a constant in the literal would be read from a page of its own
		if s.flags&pfRead != 0 {
			x.prot |= protRead
		}
		if s.flags&pfWrite != 0 {
			x.prot |= protWrite
			x.kind = textWritable
		}
		addText(&x)
	}
}

// forgetTexts takes out what meets [start, end).
func forgetTexts(start, end uintptr) {
	kept := 0
	for i := 0; i < textCount; i++ {
		if meets(start, end, texts[i].Start, texts[i].End) {
			continue
		}
		if kept != i {
			texts[kept] = texts[i]
		}
		kept++
	}
	textCount = kept
	textEpoch++
}

// meetsText reports whether [start, end) meets a known text. It may be called without patchLock: a text that is about to
// be added is not the caller's to change.
func meetsText(start, end uintptr) bool {
	for i := 0; i < textCount; i++ {
		if meets(start, end, texts[i].Start, texts[i].End) {
			return true
		}
	}
	return false
}
