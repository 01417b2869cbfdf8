// Runs in the target, on any stack: it reads memory through what it is given.

package patch

// Unwind is the unwind table of one loaded file: the binary search table of its PT_GNU_EH_FRAME segment (LSB 5.0,
// .eh_frame_hdr), which has the functions in the order of addresses. The zero Unwind has none.
type Unwind struct {
	Header uintptr // address of the segment, 0: none
	Count  int     // functions
}

// Reader returns the 4 bytes at an address, and whether they can be read.
type Reader func(addr uintptr) (uint32, bool)

// Encodings, and offsets in the tables, in bytes.
const (
	encUdata4        = 0x03
	encDatarelSdata4 = 0x3b
	encPcrelSdata4   = 0x1b

	tableOffset = 12
	entrySize   = 8 // function, FDE; both from the header's address
	fdeStart    = 8 // from its own address
	fdeLength   = 12
)

// OpenUnwind reads the head of a table. Tables in another form than today's linkers write have no functions.
func OpenUnwind(header uintptr, read Reader) Unwind {
	const form = 1 | encPcrelSdata4<<8 | encUdata4<<16 | encDatarelSdata4<<24
	if header == 0 {
		return Unwind{}
	}
	head, ok := read(header)
	count, ok2 := read(header + tableOffset - 4)
	if !ok || !ok2 || head != form || count > 1<<24 {
		return Unwind{}
	}
	return Unwind{Header: header, Count: int(count)}
}

// Search returns the index of the last function that does not begin behind an address, -1 if there is none.
func (u *Unwind) Search(addr uintptr, read Reader) int {
	low, high := 0, u.Count // the answer is in [low-1, high-1]
	for low < high {
		middle := (low + high) / 2
		start, ok := u.start(middle, read)
		if !ok {
			return -1
		}
		if start <= addr {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low - 1
}

// Function returns a function by index.
func (u *Unwind) Function(i int, read Reader) (Function, bool) {
	if i < 0 || i >= u.Count {
		return Function{}, false
	}
	start, ok := u.start(i, read)
	offset, ok2 := read(u.entry(i) + 4)
	if !ok || !ok2 {
		return Function{}, false
	}
	fde := u.Header + uintptr(int32(offset))
	begin, ok := read(fde + fdeStart)
	length, ok2 := read(fde + fdeLength)
	// Another encoding of addresses than the usual one does not give the same address.
	if !ok || !ok2 || length == 0 || fde+fdeStart+uintptr(int32(begin)) != start {
		return Function{}, false
	}
	f := Function{Start: start, End: start + uintptr(length)}
	if next, ok := u.start(i+1, read); ok {
		f.Next = next
		f.End = min(f.End, next)
	}
	return f, true
}

// start returns where a function begins.
func (u *Unwind) start(i int, read Reader) (uintptr, bool) {
	if i < 0 || i >= u.Count {
		return 0, false
	}
	offset, ok := read(u.entry(i))
	return u.Header + uintptr(int32(offset)), ok
}

func (u *Unwind) entry(i int) uintptr { return u.Header + tableOffset + uintptr(i)*entrySize }
