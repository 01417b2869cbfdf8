package runtime

import "github.com/trapline/trapline/patch"

// A page that is touched for the first time costs an exception, under some hypervisors some 10 us. boot asks the kernel for the
// pages that the start of every program touches, with three calls: bootstrap for the Thread and its stack, mapImage for the rest.
// Kernels that refuse them (before 5.14, 6.15) bring the pages one by one.

// A pageRange is some whole pages, as process_madvise takes them: struct iovec.
type pageRange struct{ addr, length uintptr }

// PageRanges is a list of ranges of whole pages.
type PageRanges struct {
	list [8]pageRange
	n    uintptr
}

// add adds the pages of [addr, addr+length).
func (r *PageRanges) add(addr, length uintptr) {
	start := addr &^ (pageSize - 1)
	r.list[r.n] = pageRange{start, pageUp(addr+length) - start}
	r.n++
}

// StartPages returns which other pages the start of a program writes to, and which it reads. dataEnd is where the image's
// initialized data ends.
func StartPages(dataEnd uintptr) (write, read PageRanges) {
	write.add(SlotBase+slotGuard-2*pageSize, 2*pageSize)
	write.add(dataEnd, 1)
	small, large := addrOf(&textCount), addrOf(&exeLink)
	write.add(small, large-small)
	write.add(addrOf(&texts), 1)

	// The kernel maps 64 KiB around a page of a file (fault_around_bytes, mm/memory.c, 6.18).
	read.add(funcEntry(patch.Decode), 1)
	read.add(addrOf(&stubTemplate), 1)
	read.add(addrOf(&shared().Cache), 1)
	return write, read
}

// populate makes the pages present.
func (r *PageRanges) populate(advice uintptr) {
	const self = ^uintptr(9999) // PIDFD_SELF_THREAD, include/uapi/linux/fcntl.h, 6.15
	if r.n != 0 {
		sys(sysProcessMadvise, self, addrOf(&r.list), r.n, advice, 0, 0)
	}
}

const (
	madvPopulateRead  = 22
	madvPopulateWrite = 23
)
