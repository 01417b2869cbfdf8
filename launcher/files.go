package launcher

import (
	"fmt"

	"golang.org/x/sys/unix"

	rt "github.com/trapline/trapline/runtime"
)

// hiddenFiles are the two descriptors that every process of the target keeps, at numbers
// that programs do not look at.
type hiddenFiles struct{ image, shared int }

// highest is the last number tried inside the range that a program may use itself, when the soft
// limit is so high that numbers above it would make every fork copy a large table
// (dup_fd, fs/file.c).
const highest = 1022

// hideFiles opens the image and puts it and the shared memory at high numbers, without
// FD_CLOEXEC. Above the soft limit of open files no program can meet them; the launcher's own
// soft limit is the hard one, since the Go runtime raises it.
func hideFiles(shared int) (hiddenFiles, error) {
	image, err := openImage()
	if err != nil {
		return hiddenFiles{}, fmt.Errorf("open own file: %w", err)
	}
	defer image.Close()
	at := hiddenNumber()
	h := hiddenFiles{image: at, shared: at + 1}
	err = withLimit(unix.RLIMIT_NOFILE, uint64(h.shared)+1, func() error {
		if err := unix.Dup3(int(image.Fd()), h.image, 0); err != nil {
			return fmt.Errorf("descriptor %d for the image: %w", h.image, err)
		}
		if err := unix.Dup3(shared, h.shared, 0); err != nil {
			return fmt.Errorf("descriptor %d for the shared memory: %w", h.shared, err)
		}
		return nil
	})
	return h, err
}

// hiddenNumber chooses the lower of two free numbers.
func hiddenNumber() int {
	soft, hard := fileLimits()
	at := highest
	if soft <= 4096 && (soft+2 <= hard || mayRaise(unix.RLIMIT_NOFILE, uint64(soft)+2)) {
		return soft
	}
	if at+2 > hard {
		at = hard - 2
	}
	for at > 3 && (isOpen(at) || isOpen(at+1)) {
		at--
	}
	return at
}

func isOpen(fd int) bool {
	_, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
	return err == nil
}

// fileLimits returns the soft and hard limit of open files that the target will have.
func fileLimits() (soft, hard int) {
	var l unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &l); err != nil {
		return highest, highest
	}
	start, _ := rt.Started()
	return int(min(start.OpenFiles, 1<<30)), int(min(l.Max, 1<<30))
}
