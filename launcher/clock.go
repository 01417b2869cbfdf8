package launcher

import (
	"sync"
	"time"

	rt "github.com/trapline/trapline/runtime"
)

// clock converts ticks of the time stamp counter, which hooks read, to time.
type clock struct {
	start      time.Time
	startTicks uint64
	once       sync.Once
	rate       float64 // nanoseconds a tick
}

// calibration is how long the rate is measured over. Reading both clocks takes well under
// 100 ns, so the rate is good to some 10 ppm.
const calibration = 10 * time.Millisecond

func newClock() *clock { return &clock{start: time.Now(), startTicks: rt.Now()} }

// nanoseconds returns the length of a tick, measured once.
func (c *clock) nanoseconds() float64 {
	c.once.Do(func() {
		if left := calibration - time.Since(c.start); left > 0 {
			time.Sleep(left)
		}
		elapsed, ticks := time.Since(c.start), rt.Now()-c.startTicks
		c.rate = float64(elapsed) / float64(ticks)
	})
	return c.rate
}

// ticksAtLeast returns a number of ticks that is no shorter than d, and much longer only in the first moments.
func (c *clock) ticksAtLeast(d time.Duration) uint64 {
	const fastest = 8 // ticks in a nanosecond
	if time.Since(c.start) < calibration {
		return uint64(d) * fastest
	}
	return uint64(float64(d) / c.nanoseconds())
}

func (c *clock) time(ticks uint64) time.Time {
	return c.start.Add(time.Duration(float64(int64(ticks-c.startTicks)) * c.nanoseconds()))
}

var process = newClock()

// TicksToDuration converts a difference of time stamps.
func TicksToDuration(ticks uint64) time.Duration {
	return time.Duration(float64(ticks) * process.nanoseconds())
}
