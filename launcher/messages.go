package launcher

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"

	rt "github.com/trapline/trapline/runtime"
)

// messages prints what the runtime in the target has to say.
func (d *drain) messages() {
	for i := range d.mem.shared.Messages {
		m := &d.mem.shared.Messages[i]
		n := atomic.LoadUint32(&m.Length)
		if n == 0 {
			continue
		}
		text := string(m.Text[:min(int(n), len(m.Text))])
		if m.Fault != 0 {
			text += d.cfg.faultText(m) + "\n"
		}
		atomic.StoreUint32(&m.Length, 0)
		d.cfg.warn(text)
	}
}

// warn passes a message on.
func (cfg *Config) warn(text string) {
	if cfg.Warn != nil {
		cfg.Warn(text)
		return
	}
	os.Stderr.WriteString(text)
}

// failures tells by the function of the Go runtime that freestanding code ran into what it
// did wrong. The first prefix that fits counts.
var failures = []struct{ prefix, what string }{
	{"runtime.panicBounds", "index out of range"},
	{"runtime.panicIndex", "index out of range"},
	{"runtime.panicSlice", "slice out of range"},
	{"runtime.goPanicIndex", "index out of range"},
	{"runtime.goPanicSlice", "slice out of range"},
	{"runtime.panicdivide", "integer divide by zero"},
	{"runtime.panicshift", "negative shift amount"},
	{"runtime.mallocgc", "memory allocation"},
	{"runtime.newobject", "memory allocation"},
	{"runtime.makeslice", "memory allocation"},
	{"runtime.growslice", "memory allocation"},
	{"runtime.gopanic", "panic"},
	{"runtime.", "call into the Go runtime"},
	{"internal/", "call into the Go runtime"},
}

// faultText says which function of a tool failed, how, in which call, and at which site of the target.
func (cfg *Config) faultText(m *rt.Message) string {
	what, found := "", false
	var where string
	for _, pc := range append([]uintptr{m.PC}, m.Stack[:]...) {
		f := runtime.FuncForPC(pc)
		if f == nil {
			continue
		}
		// At the entry of a function nothing is inlined.
		name := runtime.FuncForPC(f.Entry()).Name()
		reason := failureOf(name)
		if reason == "" {
			where = name
			break
		}
		if !found || what == "call into the Go runtime" || what == "panic" || what == "memory allocation" && strings.Contains(reason, "range") {
			what, found = reason, true
		}
	}
	if where == "" {
		where = fmt.Sprintf("%#x", m.PC)
	}
	text := failure(m, what) + " in " + shortName(where)
	if cfg.Tool != nil {
		text += " of tool " + cfg.Tool.Name
	}
	if m.Call >= 0 {
		text += fmt.Sprintf(", call %d", m.Call)
	}
	return text + fmt.Sprintf(" at site %#x", m.Site)
}

// failure says what went wrong. what is what the functions of the Go runtime tell.
func failure(m *rt.Message, what string) string {
	switch {
	case m.Guard != 0:
		return "stack overflow"
	case m.Lost != 0:
		return fmt.Sprintf("jump to address %#x", m.Addr)
	case syscall.Signal(m.Fault) == syscall.SIGILL:
		return "illegal instruction"
	case syscall.Signal(m.Fault) == syscall.SIGTRAP:
		return "breakpoint"
	case what != "":
		return what
	case syscall.Signal(m.Fault) == syscall.SIGFPE:
		return "arithmetic fault"
	}
	return fmt.Sprintf("memory fault at address %#x", m.Addr)
}

func failureOf(function string) string {
	for _, f := range failures {
		if strings.HasPrefix(function, f.prefix) {
			return f.what
		}
	}
	return ""
}

// shortName drops the module from the name of one of its own functions.
func shortName(function string) string {
	return strings.TrimPrefix(function, "github.com/trapline/trapline/")
}
