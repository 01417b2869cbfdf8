package report

import (
	"sync"

	"github.com/trapline/trapline/tools/syscalls"
)

// class is what a call is about: its colour on the timeline.
type class uint8

const (
	classOther class = iota
	classFile
	classNetwork
	classMemory
	classProcess
	classSignal
	classWait
	numClasses
)

// classNames are their names on the page.
var classNames = [numClasses]string{"other", "files", "network", "memory", "processes", "signals", "waiting"}

// classSets say which calls are of a class; the first one counts.
var classSets = []struct {
	class
	set string
}{
	{classWait, "futex,futex_wait,futex_waitv,poll,ppoll,select,pselect6,epoll_wait,epoll_pwait,epoll_pwait2,nanosleep,clock_nanosleep," +
		"pause,wait4,waitid,rt_sigsuspend,rt_sigtimedwait,io_getevents,io_pgetevents"},
	{classNetwork, "%network"},
	{classMemory, "%memory"},
	{classProcess, "%process"},
	{classSignal, "%signal"},
	{classFile, "%file,%desc"},
}

// classes are the classes by number.
var classes = sync.OnceValue(func() map[int]class {
	m := map[int]class{}
	for _, c := range classSets {
		set, err := syscalls.ParseSet(c.set)
		if err != nil {
			panic(err)
		}
		for _, nr := range set.Numbers() {
			if _, ok := m[nr]; !ok {
				m[nr] = c.class
			}
		}
	}
	return m
})

func classOf(nr int) class { return classes()[nr] }
