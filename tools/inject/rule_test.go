package inject_test

import (
	"path"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/trapline/trapline/tools/inject"
	"github.com/trapline/trapline/tools/trace"
)

// parsed is what matters of a rule.
type parsed struct {
	Calls             []int
	Replaces, IsValue bool
	Result            int64
	Instead, Signal   int
	WaitIn, WaitOut   time.Duration
	PokeIn, PokeOut   []inject.Poke
	First, Last, Step uint32
	Comm              string
	Chance            float64
	Seed              uint64
}

func parse(text string, fault bool) (*parsed, error) {
	r, err := inject.ParseRule(text, fault, &trace.Dictionary)
	if err != nil {
		return nil, err
	}
	return &parsed{r.Calls.Numbers(), r.Replaces, r.IsValue, r.Result, r.Instead, r.Signal, r.WaitIn, r.WaitOut, r.PokeIn, r.PokeOut,
		r.First, r.Last, r.Step, r.Comm, r.Chance, r.Seed}, nil
}

func TestParseRule(t *testing.T) {
	t.Parallel()
	chdir := []int{unix.SYS_CHDIR}
	for _, c := range []struct {
		text string
		want parsed
	}{
		{"chdir:error=ENOENT", parsed{Replaces: true, Result: -2}},
		{"chdir:error=eagain", parsed{Replaces: true, Result: -11}},
		{"chdir::error=4095:", parsed{Replaces: true, Result: -4095}},
		{"chdir:retval=0", parsed{Replaces: true, IsValue: true}},
		{"chdir:retval=0xffffffffffffffff", parsed{Replaces: true, IsValue: true, Result: -1}},
		{"chdir:retval=-1", parsed{Replaces: true, IsValue: true, Result: -1}},
		{"chdir:error=EIO:syscall=getpid", parsed{Replaces: true, Result: -5, Instead: unix.SYS_GETPID}},
		{"chdir:signal=USR1", parsed{Signal: 10}},
		{"chdir:signal=sigusr1", parsed{Signal: 10}},
		{"chdir:signal=64", parsed{Signal: 64}},
		{"chdir:signal=SIGRT_1", parsed{Signal: 33}},
		{"chdir:delay_enter=5", parsed{WaitIn: 5 * time.Microsecond}},
		{"chdir:delay_enter=1.5ms:delay_exit=1e-1s", parsed{WaitIn: 1500 * time.Microsecond, WaitOut: 100 * time.Millisecond}},
		{"chdir:delay_exit=20ns", parsed{WaitOut: 20}},
		{"chdir:poke_enter=@arg1=00fF,@arg6=41:poke_exit=@arg2=aa", parsed{
			PokeIn: []inject.Poke{{Arg: 0, Data: []byte{0, 255}}, {Arg: 5, Data: []byte{0x41}}}, PokeOut: []inject.Poke{{Arg: 1, Data: []byte{0xaa}}}}},
		{"chdir:signal=1:when=7", parsed{Signal: 1, First: 7, Step: 77}},
		{"chdir:signal=1:when=7+", parsed{Signal: 1, First: 7, Step: 1}},
		{"chdir:signal=1:when=7+3", parsed{Signal: 1, First: 7, Step: 3}},
		{"chdir:signal=1:when=7..9", parsed{Signal: 1, First: 7, Last: 9, Step: 1}},
		{"chdir:signal=1:when=7..9+", parsed{Signal: 1, First: 7, Last: 9, Step: 1}},
		{"chdir:signal=1:when=7..65534+65535", parsed{Signal: 1, First: 7, Last: 65534, Step: 65535}},
		{"chdir:signal=1:when=2:when=3+", parsed{Signal: 1, First: 3, Step: 1}},
		{`chdir:signal=1:if=path=="a:b" && arg1:comm=x*:prob=0.25:seed=0x10`, parsed{Signal: 1, Comm: "x*", Chance: 0.25, Seed: 16}},
	} {
		c.want.Calls = chdir
		if c.want.Instead == 0 {
			c.want.Instead = -1
		}
		if c.want.First == 0 {
			c.want.First, c.want.Step = 1, 1
		}
		if c.want.Step == 77 { // none
			c.want.Step = 0
		}
		got, err := parse(c.text, false)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
		} else if diff := cmp.Diff(&c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.text, diff)
		}
	}
	for text, want := range map[string]int64{"chdir": -38, "chdir:when=2": -38, "chdir:error=EPERM": -1} {
		got, err := parse(text, true)
		if err != nil {
			t.Errorf("fault=%s: %v", text, err)
		} else if diff := cmp.Diff(want, got.Result); diff != "" {
			t.Errorf("fault=%s (-want +got):\n%s", text, diff)
		}
	}
}

// TestWrongRules: what is refused, as strace refuses it where it knows it.
func TestWrongRules(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", "chdir", ":error=EIO", "nocall:error=EIO", "chdir:error=0", "chdir:error=4096", "chdir:error=ENONE", "chdir:error=", "chdir:error",
		"chdir:error=EIO:error=EIO", "chdir:error=EIO:retval=0", "chdir:retval=x", "chdir:retval=", "chdir:signal=0", "chdir:signal=65",
		"chdir:signal=NONE", "chdir:signal=1:signal=2", "chdir:syscall=getpid", "chdir:error=EIO:syscall=open", "chdir:delay_enter=1m",
		"chdir:delay_enter=-1", "chdir:delay_enter=NaN", "chdir:delay_enter=1e300", "chdir:delay_enter=", "chdir:delay_enter=1:delay_enter=1",
		"chdir:poke_enter=", "chdir:poke_enter=@arg1", "chdir:poke_enter=@arg1=", "chdir:poke_enter=@arg1=1", "chdir:poke_enter=@arg1=xx",
		"chdir:poke_enter=@arg0=11", "chdir:poke_enter=@arg7=11", "chdir:poke_enter=arg1=11", "chdir:poke_enter=@arg1=11,@arg1=22",
		"chdir:poke_enter=@arg1=" + strings.Repeat("11", 1025), "chdir:error=EIO:when=0", "chdir:error=EIO:when=", "chdir:error=EIO:when=65536",
		"chdir:error=EIO:when=3..2", "chdir:error=EIO:when=1..65535", "chdir:error=EIO:when=1+0", "chdir:error=EIO:when=1+65536",
		"chdir:error=EIO:when=1.2", "chdir:error=EIO:when=+1", "chdir:error=EIO:prob=0", "chdir:error=EIO:prob=1.1", "chdir:error=EIO:prob=x",
		"chdir:error=EIO:seed=1", "chdir:error=512", "chdir:error=530", "chdir:retval=-512", "chdir:error=EIO:comm=[a", "chdir:when=1",
		"chdir:error=EIO:if=", "chdir:error=EIO:if=path", "chdir:error=EIO:if=path~x", `chdir:error=EIO:if=path<"x"`, "chdir:error=EIO:if=arg7",
		"chdir:error=EIO:if=arg0", "chdir:error=EIO:if=(arg1", "chdir:error=EIO:if=arg1)", "chdir:error=EIO:if=O_NOTHING", "chdir:error=EIO:if=1 2",
		`chdir:error=EIO:if=path=="x`, "chdir:error=EIO:if=1&&", "chdir:error=EIO:if=|1", "chdir:error=EIO:if=" + strings.Repeat("(", 200),
		"chdir:error=EIO:if=" + strings.Repeat("1==(", 20) + "1" + strings.Repeat(")", 20), `chdir:error=EIO:if=path~"[a"`,
	} {
		if got, err := parse(text, false); err == nil {
			t.Errorf("%q is accepted: %+v", text, got)
		}
	}
	for _, text := range []string{"chdir:retval=1", "chdir:signal=1", "chdir:delay_enter=1", "chdir:poke_enter=@arg1=11", "chdir:error=EIO:syscall=getpid"} {
		if got, err := parse(text, true); err == nil {
			t.Errorf("fault=%q is accepted: %+v", text, got)
		}
	}
}

// TestRoom: rules that the target has no room for are refused.
func TestRoom(t *testing.T) {
	t.Parallel()
	rule := func(text string) *inject.Rule {
		r, err := inject.ParseRule(text, false, &trace.Dictionary)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	for _, c := range []struct {
		text string
		fits int // so many of it
	}{
		{"chdir:error=EIO", 96}, {"all:error=EIO", 18}, {"all:error=EIO:when=2", 2}, {"chdir:poke_enter=@arg1=" + strings.Repeat("11", 1024), 8},
		{"chdir:error=EIO:if=" + strings.Repeat("1==1&&", 50) + "1", 3},
	} {
		rules := new(inject.Rules)
		for range c.fits {
			rules.List = append(rules.List, rule(c.text))
		}
		if _, err := rules.Compile(&trace.Dictionary); err != nil {
			t.Errorf("%d times %.40s: %v", c.fits, c.text, err)
		}
		for range 10 {
			rules.List = append(rules.List, rules.List...)[:min(2*len(rules.List), 200)]
		}
		if _, err := rules.Compile(&trace.Dictionary); err == nil {
			t.Errorf("%d times %.40s fit", len(rules.List), c.text)
		}
	}
}

// TestConstants: a name stands for one number.
func TestConstants(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]uint64{
		"O_APPEND": unix.O_APPEND, "O_RDWR": 2, "AT_FDCWD": ^uint64(99), "PROT_EXEC": 4, "EIO": 5, "SIGKILL": 9, "SOCK_STREAM": 1, "AF_UNIX": 1,
		"MAP_ANONYMOUS": unix.MAP_ANONYMOUS, "F_SETFL": unix.F_SETFL,
	} {
		if got, ok := trace.Dictionary.Constant(name); !ok || got != want {
			t.Errorf("%s: %d, %v, want %d", name, got, ok, want)
		}
	}
}

func FuzzParseRule(f *testing.F) {
	for _, s := range []string{
		"chdir:error=EIO:when=1..2+3", `openat:signal=USR1:if=arg3&O_APPEND&&!(path~"/etc/*"||fd==-1)`, "%file:delay_enter=1ms:prob=0.1:seed=2",
		"all:poke_enter=@arg1=41,@arg2=4243:retval=3", `x:if="\x`, `read:error=1:if=comm~"[!a-z]?\\*"`,
	} {
		f.Add(s, false)
		f.Add(s, true)
	}
	f.Fuzz(func(t *testing.T, text string, fault bool) {
		r, err := inject.ParseRule(text, fault, &trace.Dictionary)
		if err != nil {
			return
		}
		rules := &inject.Rules{List: []*inject.Rule{r}}
		if _, err := rules.Compile(&trace.Dictionary); err == nil {
			inject.CheckTable(rules, &trace.Dictionary)
		}
	})
}

func FuzzMatches(f *testing.F) {
	f.Add("*/l?[f-h]", "./log")
	f.Add("a*b*c", "abbbc")
	f.Add("[^a-c]x\\*", "dx*")
	f.Fuzz(func(t *testing.T, pattern, s string) {
		// path.Match stops at slashes, wants UTF-8 and is strict about sets.
		if inject.CheckPattern(pattern) != nil || strings.ContainsAny(pattern, "/![]") || strings.Contains(s, "/") || !ascii(pattern) || !ascii(s) {
			return
		}
		want, err := path.Match(pattern, s)
		if err != nil {
			return
		}
		if got := inject.Matches(pattern, s); got != want {
			t.Errorf("%q matches %q: %v, want %v", pattern, s, got, want)
		}
	})
}

func ascii(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) < 0
}

func TestMatches(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pattern, s string
		want       bool
	}{
		{"", "", true}, {"", "a", false}, {"*", "", true}, {"*", "/a/b", true}, {"/etc/*", "/etc/", true}, {"/etc/*", "/etc", false},
		{"*.so*", "/lib/libc.so.6", true}, {"a?c", "abc", true}, {"a?c", "ac", false}, {"[a-c]", "b", true}, {"[!a-c]", "b", false},
		{"[^a-c]", "d", true}, {"[]]", "]", true}, {"[a-]", "-", true}, {"[!]]", "]", false}, {`\*`, "*", true}, {`\*`, "a", false}, {`a\`, `a\`, true},
		{"*a*b", "xaxxab", true}, {"*aab", "aaaab", true}, {"a**b", "ab", true}, {"a*", "ba", false}, {"[--/]x", ".x", true},
	} {
		if err := inject.CheckPattern(c.pattern); err != nil {
			t.Errorf("%q: %v", c.pattern, err)
		} else if got := inject.Matches(c.pattern, c.s); got != c.want {
			t.Errorf("%q matches %q: %v", c.pattern, c.s, got)
		}
	}
}
