// Package launcher is the hosted side of trapline: it starts a target, brings the
// runtime into it, lets go, and takes what the tool's hooks send until the target ends.
//
// The launcher traces the target only from its exec to the moment its image is
// mapped and the thread stands at the runtime's bootstrap; then it detaches and nothing
// traces it any more.
package launcher

import (
	"errors"
	"fmt"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	rt "github.com/trapline/trapline/runtime"
)

// Config says what to run and how.
type Config struct {
	Path     string                        // the program's file
	Args     []string                      // its arguments, the name it is called by first
	Env      []string                      // its environment; nil: the launcher's own
	User     *syscall.Credential           // whose rights it has; nil: the launcher's own
	Tool     *rt.Tool                      // nil: no hooks
	Hooked   []int                         // numbers for which Tool.Hook runs; nil: all
	All      bool                          // trap every call, hooked or not
	Trap     Trap                          // the trap source; TrapSUD traps every call, whatever All says
	Guard    bool                          // no call before the runtime is there passes unseen; wants every call trapped, by TrapSeccomp
	NoPatch  bool                          // sites stay as they are: every call takes the trap path
	NoHelper bool                          // programs are executed without ptrace and helper processes
	Cache    string                        // directory that keeps what is known of sites from run to run; "": none
	Drop     bool                          // a thread that finds no room for a record drops it, and does not wait
	Options  []byte                        // for rt.Options, at most 64 KiB
	Events   func([]Event)                 // takes records in the order of time; Data is valid during the call
	Harvest  func(th Thread, state []byte) // takes a thread's tool state, valid during the call, when it has ended, after its last event
	Interval time.Duration                 // how often Look is called; 0: never
	Look     func(threads []ThreadState)   // takes the tool state of all threads that Harvest has not had yet
	Warn     func(line string)             // takes messages of the runtime, each one line with its newline
}

// Status is how a target ended.
type Status struct {
	Started bool           // the program has run
	Code    int            // exit status, if Signal is 0
	Signal  syscall.Signal // the signal that ended it
	Lost    uint64         // records that were dropped
	Sites   rt.SiteCounts  // how the system call sites of all its processes have fared
}

// Event is one record of a hook.
type Event struct {
	PID, TID int
	Ticks    uint64 // time stamp counter
	Time     time.Time
	Kind     uint16
	Data     []byte
}

// Thread is a thread of the target that has ended, or left its program by exec.
type Thread struct {
	PID, TID, Parent int
	Birth            int    // rt.BirthExec, rt.BirthFork, rt.BirthThread
	Comm             string // name of the thread when it got its state
	Exec             bool   // it has not ended, but executed another program
	Alive            bool   // it had not ended when the launcher did
}

// ThreadState is a thread with its tool state.
type ThreadState struct {
	Thread
	State []byte
}

// NotStartedError reports that the target's program could not be executed.
type NotStartedError struct {
	Path string
	Err  error
}

func (e *NotStartedError) Error() string { return fmt.Sprintf("exec %s: %v", e.Path, e.Err) }

// Unwrap returns the kernel's error.
func (e *NotStartedError) Unwrap() error { return e.Err }

// ErrLayout reports a binary that is not linked as the runtime needs it.
var ErrLayout = errors.New("this binary is not linked for trapline; build it with: " + BuildCommand)

// BuildCommand is how a binary with a launcher is built.
const BuildCommand = "CGO_ENABLED=0 go build -ldflags='-T=0x70001000 -E=trapline_start'"

// Run starts the target and returns when it has ended. It returns an error if the target
// was not started or could not be made a target; then it does not run.
func Run(cfg *Config) (Status, error) {
	if err := checkLayout(); err != nil {
		return Status{}, err
	}
	if err := checkTrap(cfg); err != nil {
		return Status{}, err
	}
	if err := checkProgram(cfg.Path); err != nil {
		return Status{}, err
	}
	m, err := newMemory(cfg)
	if err != nil {
		return Status{}, err
	}
	if err := m.fill(cfg); err != nil {
		return Status{}, err
	}
	keepSites, err := m.loadSites(cfg)
	if err != nil {
		return Status{}, err
	}
	files, err := hideFiles(m.file)
	if err != nil {
		return Status{}, err
	}
	signals, err := watchSignals()
	if err != nil {
		return Status{}, err
	}
	d := newDrain(m, cfg)
	target, err := startTarget(cfg, files)
	if err != nil {
		d.stop()
		return Status{}, err
	}
	go signals.forward(target.pid, m.shared)
	status, err := target.wait(m.shared)
	d.stop()
	status.Started = m.shared.MainPID != 0
	status.Sites, status.Lost = m.shared.Sites, atomic.LoadUint64(&m.shared.Lost)
	keepSites()
	return status, err
}

// checkLayout reports whether the binary lies where the image has to lie and was entered
// through trapline_start.
func checkLayout() error {
	text := rt.Bootstrap()
	if _, ok := rt.Started(); !ok || text < rt.ImageBase || text >= rt.ImageLimit {
		return ErrLayout
	}
	return nil
}

// pointer turns an address outside the Go heap into a pointer.
func pointer(addr uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&addr)) }
