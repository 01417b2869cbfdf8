package count

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/trapline/trapline/launcher"
)

// Live shows a summary again and again while the target runs: on a terminal in place, elsewhere one after the other.
type Live struct {
	sum     *Summary
	out     *os.File
	started time.Time
	err     error
}

// NewLive returns a Live that writes to out.
func NewLive(sum *Summary, out *os.File) *Live { return &Live{sum: sum, out: out, started: time.Now()} }

// Elapsed returns how long the target has run.
func (l *Live) Elapsed() time.Duration { return time.Since(l.started) }

// Look shows what has been counted so far; it serves as launcher.Config.Look.
func (l *Live) Look(threads []launcher.ThreadState) {
	var text bytes.Buffer
	sum, elapsed := l.sum.with(threads), l.Elapsed()
	if sum.opts.Format == FormatTable {
		fmt.Fprintf(&text, "after %.1f s\n", elapsed.Seconds())
	}
	l.fail(sum.Write(&text, elapsed))
	if size, err := unix.IoctlGetWinsize(int(l.out.Fd()), unix.TIOCGWINSZ); err == nil {
		l.write(screen(text.Bytes(), int(cmp.Or(size.Row, 24))))
		return
	}
	if sum.opts.Format == FormatTable {
		text.WriteByte('\n')
	}
	l.write(text.Bytes())
}

// screen returns what puts as much of a text on a terminal as has room there, in place of what it shows.
func screen(text []byte, rows int) []byte {
	const homeAndClear = "\x1b[H\x1b[J"
	lines := bytes.SplitAfter(text, []byte{'\n'})
	if room := max(rows-1, 1); len(lines) > room {
		lines = lines[:room]
	}
	return append([]byte(homeAndClear), bytes.Join(lines, nil)...)
}

// End writes what has been counted in all.
func (l *Live) End(more func(*bytes.Buffer)) error {
	var text bytes.Buffer
	l.fail(l.sum.Write(&text, l.Elapsed()))
	more(&text)
	l.write(text.Bytes())
	return l.err
}

func (l *Live) write(b []byte) {
	_, err := l.out.Write(b)
	l.fail(err)
}

// fail keeps the first error.
func (l *Live) fail(err error) {
	if err != nil && l.err == nil {
		l.err = fmt.Errorf("write table: %w", err)
	}
}
