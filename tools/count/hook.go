// Runs in the target, on the tool stack; any signal may arrive.

// Package count counts the system calls of a target and the time they take, as strace -c does, and how that time is spread.
package count

import (
	"unsafe"

	rt "github.com/trapline/trapline/runtime"
	"github.com/trapline/trapline/tools/histogram"
)

// Tool is the part of count that runs in the target. A thread counts in its own
// memory, which it shares with the launcher alone, so counting never waits.
var Tool = rt.Tool{Name: "count", Hook: hook, Exit: exit, ThreadSize: int(unsafe.Sizeof(state{}))}

// state is what one thread has counted, by number. Its histograms have room for the octaves that occur: index says for each
// number and octave which of them it is, counted from 1.
type state struct {
	calls   [rt.NumCalls]entry
	index   [rt.NumCalls][histogram.Octaves]uint16
	used    uint64 // octaves in use
	beyond  uint64 // calls that found no octave free: no histogram has them
	octaves [maxOctaves][histogram.Sub]uint64
}

// maxOctaves is what fits into a thread's state. A call takes some six.
const maxOctaves = 1024

// entry is one call. Times are ticks, or nanoseconds with targetOptions.cpu.
type entry struct {
	calls, errors uint64
	spent         uint64
	longest       uint64
	// leastInverted is the complement of the shortest time, so that memory of zeros stands for none.
	leastInverted uint64
}

// targetOptions is what the launcher tells the hook.
type targetOptions struct {
	cpu    uint64 // 1: count the time that the processor spends on the thread
	spread uint64 // 1: fill histograms, which take some ten pages of each thread
}

func options() *targetOptions { return (*targetOptions)(rt.Options()) }

// unknown stands for all numbers beyond the table.
const unknown = rt.NumCalls - 1

func hook(c *rt.Call) {
	stateOf(c).calls[index(c)].calls++ // before the call, which may not return
	c.SetMark(now(c))
}

func exit(c *rt.Call) {
	spent := now(c) - c.Mark()
	s, nr := stateOf(c), index(c)
	e := &s.calls[nr]
	switch r := c.Result(); {
	case r == -rt.ENOTRUN:
		e.calls--
		return
	case r < 0 && r >= -4095:
		e.errors++
	}
	e.spent += spent
	e.longest = max(e.longest, spent)
	e.leastInverted = max(e.leastInverted, ^spent)
	if options().spread != 0 {
		s.addSpent(nr, spent)
	}
}

// addSpent puts a duration into the call's histogram.
//
//go:noinline
func (s *state) addSpent(nr uint, spent uint64) {
	octave, sub := histogram.Bucket(spent)
	place := uint(s.index[nr][octave]) - 1
	if place >= maxOctaves {
		if place = s.newOctave(nr, octave); place >= maxOctaves {
			s.beyond++
			return
		}
	}
	s.octaves[place][sub]++
}

// newOctave takes a free octave for a call. It returns maxOctaves if there is none. Threads whose launcher has gone share
// one state, and may come here at once.
//
//go:noinline
func (s *state) newOctave(nr, octave uint) uint {
	place := uint(s.used)
	if place >= maxOctaves {
		return maxOctaves
	}
	s.used = uint64(place + 1)
	s.index[nr][octave] = uint16(place + 1)
	return place
}

// now returns the time: that of the processor's counter, or what the kernel has counted for the thread.
func now(c *rt.Call) uint64 {
	if options().cpu != 0 {
		return threadTime(c)
	}
	return rt.Now()
}

//go:noinline
func threadTime(c *rt.Call) uint64 {
	const sysClockGettime, clockThreadCPU = 228, 3
	var ts [2]uint64
	c.Inject(sysClockGettime, clockThreadCPU, uintptr(unsafe.Pointer(&ts)), 0, 0, 0, 0)
	return ts[0]*1e9 + ts[1]
}

func stateOf(c *rt.Call) *state { return (*state)(c.Thread().State()) }

func index(c *rt.Call) uint { return min(uint(c.Nr()), unknown) }
