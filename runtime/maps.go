// Runs in the target, on the tool stack or the signal stack.

package runtime

// mapsReader reads /proc/self/maps line by line (show_map_vma, fs/proc/task_mmu.c).
type mapsReader struct {
	line    mapsLine
	fd      uintptr
	n, used uintptr // bytes in buf, and those parsed
	buf     [1024]byte
}

// fileID names a file.
type fileID struct{ dev, ino uint64 }

// mapsLine is one mapping.
type mapsLine struct {
	Range
	prot   uintptr
	shared bool
	offset uint64
	file   fileID
	vdso   bool
}

func (l *mapsLine) executable() bool { return l.prot&protExec != 0 }

// kind says whether the mapping's code may be patched.
func (l *mapsLine) kind() textKind {
	switch {
	case l.shared:
		return textShared
	case l.prot&protWrite != 0:
		return textWritable
	case l.file.ino == 0 && !l.vdso:
		return textAnonymous
	}
	return textFile
}

// open reports false where there is no /proc.
func (r *mapsReader) open() bool {
	r.fd = openFile("/proc/self/maps\x00", 0)
	return !failed(r.fd)
}

func (r *mapsReader) close() { sys(sysClose, r.fd, 0, 0, 0, 0, 0) }

// next parses the next line.
func (r *mapsReader) next() bool {
	r.line = mapsLine{}
	field, column := 0, 0
	for {
		if r.used == r.n {
			r.n, r.used = sys(sysRead, r.fd, addrOf(&r.buf), uintptr(len(r.buf)), 0, 0, 0), 0
			if failed(r.n) || r.n == 0 {
				r.n = 0
				return false
			}
		}
		b := r.buf[r.used&(uintptr(len(r.buf))-1)]
		r.used++
		if b == '\n' {
			return true
		}
		if b == ' ' || b == '-' && field == fieldStart || b == ':' && field == fieldMajor {
			if column > 0 && field < fieldPath {
				field++
				column = 0
			}
			continue
		}
		r.line.take(field, column, b)
		column++
	}
}

// The fields of a line: "start-end perms offset major:minor inode path".
const (
	fieldStart = iota
	fieldEnd
	fieldPerms
	fieldOffset
	fieldMajor
	fieldMinor
	fieldInode
	fieldPath
)

// take adds one byte of a field.
func (l *mapsLine) take(field, column int, b byte) {
	switch field {
	case fieldStart:
		l.Start = l.Start<<4 | hexDigit(b)
	case fieldEnd:
		l.End = l.End<<4 | hexDigit(b)
	case fieldPerms:
		l.takePerm(b)
	case fieldOffset:
		l.offset = l.offset<<4 | uint64(hexDigit(b))
	case fieldMajor:
		l.file.dev = l.file.dev<<4 | uint64(hexDigit(b))
	case fieldMinor:
		if column == 0 {
			l.file.dev <<= 32
		}
		l.file.dev = l.file.dev&^0xffffffff | (l.file.dev<<4|uint64(hexDigit(b)))&0xffffffff
	case fieldInode:
		l.file.ino = l.file.ino*10 + uint64(b-'0')
	case fieldPath:
		const vdso = "[vdso]"
		if column == 0 {
			l.vdso = true
		}
		l.vdso = l.vdso && column < len(vdso) && vdso[column] == b
	}
}

func (l *mapsLine) takePerm(b byte) {
	switch b {
	case 'r':
		l.prot |= protRead
	case 'w':
		l.prot |= protWrite
	case 'x':
		l.prot |= protExec
	case 's':
		l.shared = true
	}
}

func hexDigit(b byte) uintptr {
	if b >= 'a' {
		return uintptr(b-'a') + 10
	}
	return uintptr(b - '0')
}

// findImage returns the mapping of the image's text as /proc/self/maps shows it. Without
// /proc it reports false.
func findImage() (Range, bool) {
	var r mapsReader
	if !r.open() {
		return Range{}, false
	}
	found := Range{}
	for r.next() {
		if r.line.has(bootstrapAddr) {
			found = r.line.Range
		}
	}
	r.close()
	return found, found != Range{}
}
