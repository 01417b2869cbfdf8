package patch

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const windowBase = 0x401000

// window is code written in lines of "bytes | label: text". "bytes * n" stands for n times the bytes. The labels
// "function" and "end" are where a function of the unwind table begins and ends, "next" is where one begins that is not
// looked at; patches have taken what "taken" is at.
type window struct {
	model
	labels map[string]int
}

func parse(t testing.TB, source string) *window {
	t.Helper()
	w := &window{model: model{base: windowBase, taken: map[int]bool{}}, labels: map[string]int{}}
	for _, l := range strings.Split(strings.TrimSpace(source), "\n") {
		code, text, _ := strings.Cut(l, "|")
		start := len(w.code)
		w.code = append(w.code, repeat(t, code)...)
		labels := strings.Split(text, ":")
		for _, name := range labels[:len(labels)-1] {
			w.label(strings.TrimSpace(name), start)
		}
	}
	w.label("end", len(w.code))
	return w
}

// repeat returns the bytes of "bytes * n".
func repeat(t testing.TB, s string) []byte {
	code, times, many := strings.Cut(s, "*")
	n := 1
	if _, err := fmt.Sscan(times, &n); many && err != nil {
		t.Fatal(err)
	}
	b := unhex(t, strings.TrimSpace(code))
	return []byte(strings.Repeat(string(b), n))
}

func (w *window) label(name string, at int) {
	addr, last := w.base+uintptr(at), len(w.functions)-1
	switch name {
	case "function":
		if last >= 0 {
			w.functions[last].Next = addr
		}
		w.functions = append(w.functions, Function{Start: addr})
	case "next":
		w.functions[last].Next = addr
	case "end":
		if last >= 0 && w.functions[last].End == 0 {
			w.functions[last].End = addr
		}
	case "taken":
		for b := at; b < len(w.code); b++ {
			w.taken[b] = true
		}
	default:
		w.labels[name] = at
	}
}

// plan plans the site at a label and returns the plan in words: the tactic and the labels of the hops, or the reason.
func (w *window) plan(t *testing.T, site string) (string, Plan) {
	t.Helper()
	at, ok := w.labels[site]
	if !ok {
		t.Fatalf("no label %q", site)
	}
	p := w.text().Plan(w.base + uintptr(at))
	if err := w.check(at, p); err != nil {
		t.Error(err)
	}
	if p.Reason != Patchable {
		return p.Reason.String(), p
	}
	words := []string{p.Tactic.String() + ":"}
	for _, h := range p.Hop[:p.Hops] {
		words = append(words, w.name(at+int(h)))
	}
	return strings.Join(words, " "), p
}

func (w *window) name(at int) string {
	for name, a := range w.labels {
		if a == at {
			return name
		}
	}
	return fmt.Sprintf("byte %d", at)
}

func TestPlan(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, want, source string }{
		// forward
		{"behind the site, nops", "forward: hole", `
			b8 27 00 00 00                    | mov $39,%eax
			0f 05                             | site: syscall
			c3                                | ret
			0f 1f 84 00 00 00 00 00           | hole: nopl 0(%rax,%rax,1)`},
		{"behind the site, int3", "forward: hole", `
			0f 05                             | site: syscall
			89 44 24 08                       | mov %eax,8(%rsp)
			c3                                | ret
			cc * 5                            | hole: int3
			b8 01 00 00 00                    | mov $1,%eax`},
		{"four int3 are too few", "no padding in reach", `
			0f 05                             | site: syscall
			c3                                | ret
			cc * 4                            | int3
			b8 01 00 00 00                    | mov $1,%eax`},
		{"int3 and nops are not one padding", "no padding in reach", `
			0f 05                             | site: syscall
			c3                                | ret
			cc                                | int3
			0f 1f 40 00                       | nopl 0(%rax)
			0f 1f 84 00 00 00 00 00           | nopl 0(%rax,%rax,1)`},
		{"behind a branch", "forward: hole", `
			0f 05                             | site: syscall
			75 05                             | jne error
			31 c0                             | xor %eax,%eax
			e9 f3 0f 00 00                    | jmp far
			48 89 c7                          | error: mov %rax,%rdi
			c3                                | ret
			cc * 5                            | hole: int3`},
		{"as far as a short jump reaches", "forward: hole", `
			0f 05                             | site: syscall
			75 7c                             | jne over
			c3                                | ret
			b0 01 * 61                        | mov $1,%al
			90                                | nop
			c3                                | over: ret
			cc * 5                            | hole: int3`},
		{"a byte further", "no padding in reach", `
			0f 05                             | site: syscall
			75 7d                             | jne over
			c3                                | ret
			b0 01 * 62                        | mov $1,%al
			c3                                | over: ret
			cc * 5                            | hole: int3`},

		// backward
		{"before the site", "backward: hole", `
			74 0e                             | function: je site
			31 c0                             | xor %eax,%eax
			c3                                | ret
			66 66 2e 0f 1f 84 00 00 00 00 00  | hole: data16 cs nopw 0(%rax,%rax,1)
			0f 05                             | site: syscall
			eb ec                             | jmp function`},
		{"before the site in no known function", "no padding in reach", `
			74 0e                             | je site
			31 c0                             | xor %eax,%eax
			c3                                | ret
			66 66 2e 0f 1f 84 00 00 00 00 00  | data16 cs nopw 0(%rax,%rax,1)
			0f 05                             | site: syscall
			eb ec                             | jmp back`},
		{"as far back as a short jump reaches", "backward: hole", `
			74 7f                             | function: je site
			c3                                | ret
			cc * 5                            | hole: int3
			b0 01 * 60                        | mov $1,%al
			90                                | nop
			0f 05                             | site: syscall
			eb fe                             | jmp .`},
		{"a byte further back", "no padding in reach", `
			e9 7f 00 00 00                    | function: jmp site
			cc * 5                            | int3
			b0 01 * 61                        | mov $1,%al
			0f 05                             | site: syscall
			eb fe                             | jmp .`},

		// what a short jump reaches of the padding is its end
		{"the end of padding", "backward: hole", `
			e9 81 00 00 00                    | function: jmp site
			cc * 3                            | int3
			cc * 5                            | hole: int3
			b0 01 * 58                        | mov $1,%al
			90 * 1                            | nop
			b0 01 * 2                         | mov $1,%al
			0f 05                             | site: syscall
			eb fe                             | jmp .`},

		// blocks that begin with nops
		{"nops that a branch behind the site leads to", "no padding in reach", `
			0f 05                             | site: syscall
			74 01                             | je block
			c3                                | ret
			66 66 2e 0f 1f 84 00 00 00 00 00  | block: data16 cs nopw 0(%rax,%rax,1)
			c3                                | ret`},
		{"nops that a branch before the site leads to", "no padding in reach", `
			74 03                             | function: je block
			0f 05                             | site: syscall
			c3                                | ret
			66 66 2e 0f 1f 84 00 00 00 00 00  | block: data16 cs nopw 0(%rax,%rax,1)
			c3                                | ret`},
		{"nops that a branch before the site leads to, no function known", "no padding in reach", `
			74 03                             | je block
			0f 05                             | site: syscall
			c3                                | ret
			66 66 2e 0f 1f 84 00 00 00 00 00  | block: data16 cs nopw 0(%rax,%rax,1)
			c3                                | ret`},
		{"the same without the branch", "forward: hole", `
			b0 03                             | mov $3,%al
			0f 05                             | site: syscall
			c3                                | ret
			66 66 2e 0f 1f 84 00 00 00 00 00  | hole: data16 cs nopw 0(%rax,%rax,1)
			c3                                | ret`},
		{"a long branch before the site, no function known", "no padding in reach", `
			0f 84 03 00 00 00                 | je block
			0f 05                             | site: syscall
			c3                                | ret
			0f 1f 80 00 00 00 00              | block: nopl 0(%rax)`},
		{"padding, and the block that it aligns", "forward: hole", `
			0f 05                             | site: syscall
			74 0c                             | je block
			c3                                | ret
			66 66 2e 0f 1f 84 00 00 00 00 00  | hole: data16 cs nopw 0(%rax,%rax,1)
			0f 1f 84 00 00 00 00 00           | block: nopl 0(%rax,%rax,1)
			c3                                | ret`},
		{"nops of a single byte are empty statements", "no padding in reach", `
			0f 05                             | function: site: syscall
			c3                                | ret
			90 * 13                           | nop
			c3                                | ret`},
		{"nops that align nothing", "no padding in reach", `
			0f 05                             | function: site: syscall
			c3                                | ret
			0f 1f 84 00 00 00 00 00           | nopl 0(%rax,%rax,1)
			c3                                | ret`},
		{"nops in a function with a switch", "no padding in reach", `
			75 02                             | function: jne site
			ff e0                             | jmp *%rax
			0f 05                             | site: syscall
			c3                                | ret
			66 0f 1f 84 00 00 00 00 00        | nopw 0(%rax,%rax,1)`},
		{"nops in a function with a tail call through a pointer", "forward: hole", `
			75 06                             | function: jne site
			ff 25 00 10 00 00                 | jmp *0x1000(%rip)
			0f 05                             | site: syscall
			c3                                | ret
			0f 1f 44 00 00                    | hole: nopl 0(%rax,%rax,1)
			c3                                | ret`},
		{"int3 in a function with a switch", "forward: hole", `
			75 02                             | function: jne site
			ff e0                             | jmp *%rax
			0f 05                             | site: syscall
			c3                                | ret
			cc * 9                            | hole: int3`},
		{"nops, and a part of the function only a table leads to", "no padding in reach", `
			0f 05                             | function: site: syscall
			c3                                | ret
			0f 1f 44 00 00                    | block: nopl 0(%rax,%rax,1)
			eb f9                             | jmp block
			c3                                | ret`},
		{"nops behind the end of a function with a switch", "forward: hole", `
			75 02                             | function: jne site
			ff e0                             | jmp *%rax
			0f 05                             | site: syscall
			c3                                | ret
			66 0f 1f 84 00 00 00 00 00        | end: hole: nopw 0(%rax,%rax,1)`},
		{"xbegin is a branch", "no padding in reach", `
			0f 05                             | function: site: syscall
			c7 f8 01 00 00 00                 | xbegin block
			c3                                | ret
			0f 1f 80 00 00 00 00              | block: nopl 0(%rax)`},

		// data
		{"data behind ret", "no padding in reach", `
			0f 05                             | site: syscall
			c3                                | ret
			01 02 03 c3                       | data
			cc * 8                            | data
			cc * 16                           | data`},
		{"a constant of nops", "no padding in reach", `
			0f 05                             | site: syscall
			8b 15 01 00 00 00                 | mov constant(%rip),%edx
			c3                                | ret
			66 66 66 66 66 66 90              | constant: one long nop`},
		{"a constant of int3", "no padding in reach", `
			0f 05                             | site: syscall
			48 8b 15 01 00 00 00              | mov constant(%rip),%rdx
			c3                                | ret
			cc * 6                            | constant: int3`},
		{"int3 that an address is taken of", "no padding in reach", `
			0f 05                             | function: site: syscall
			48 8d 15 01 00 00 00              | lea block(%rip),%rdx
			c3                                | ret
			cc * 6                            | block: int3`},
		{"int3 that a branch before the site leads to", "no padding in reach", `
			75 03                             | jne block
			0f 05                             | site: syscall
			c3                                | ret
			cc * 6                            | block: int3
			c3                                | ret`},

		// functions that begin with nops
		{"padding before a function that begins with a nop", "no padding in reach", `
			b0 01 * 4                         | function: mov $1,%al
			31 c0                             | xor %eax,%eax
			0f 05                             | site: syscall
			c3                                | ret
			0f 1f 00                          | end: nopl (%rax)
			0f 1f 84 00 00 00 00 00           | function: nopl 0(%rax,%rax,1)
			c3                                | ret`},
		{"the same, that function not known", "no padding in reach", `
			b0 01 * 4                         | function: mov $1,%al
			31 c0                             | xor %eax,%eax
			0f 05                             | site: syscall
			c3                                | ret
			0f 1f 00                          | end: nopl (%rax)
			0f 1f 84 00 00 00 00 00           | next: nopl 0(%rax,%rax,1)
			c3                                | ret`},
		{"neither function known", "no padding in reach", `
			b0 01 * 4                         | mov $1,%al
			31 c0                             | xor %eax,%eax
			0f 05                             | site: syscall
			c3                                | ret
			0f 1f 00                          | nopl (%rax)
			0f 1f 84 00 00 00 00 00           | nopl 0(%rax,%rax,1)
			c3                                | ret`},
		{"nops of one instruction across the start of a function", "no padding in reach", `
			8b 7c 24 08                       | function: mov 8(%rsp),%edi
			90                                | nop
			0f 05                             | site: syscall
			c3                                | ret
			0f 1f 84 00 00                    | end: the first part of a nopl
			00 00 00                          | next: the rest of it
			c3                                | ret`},

		// Go: no unwind table, int3 between functions
		{"padding behind the next function", "forward: hole", `
			b8 27 00 00 00                    | mov $39,%eax
			0f 05                             | site: syscall
			89 44 24 08                       | mov %eax,8(%rsp)
			c3                                | ret
			cc * 4                            | int3
			31 c0                             | xor %eax,%eax
			c3                                | ret
			cc * 13                           | hole: int3`},
		{"the next function begins at once", "forward: hole", `
			b8 27 00 00 00                    | mov $39,%eax
			0f 05                             | site: syscall
			48 89 44 24 08                    | mov %rax,8(%rsp)
			48 89 c3                          | mov %rax,%rbx
			c3                                | ret
			31 c0                             | xor %eax,%eax
			c3                                | ret
			cc * 13                           | hole: int3`},
		{"int3 that do not end where functions begin", "no padding in reach", `
			0f 05                             | site: syscall
			c3                                | ret
			cc * 4                            | int3
			31 c0                             | xor %eax,%eax
			c3                                | ret
			cc * 6                            | int3`},
		{"behind the next function int3 that do not end there either", "no padding in reach", `
			0f 05                             | site: syscall
			48 89 44 24 08                    | mov %rax,8(%rsp)
			48 89 44 24 10                    | mov %rax,16(%rsp)
			c3                                | ret
			cc * 3                            | int3
			31 c0                             | xor %eax,%eax
			c3                                | ret
			cc * 6                            | int3
			b0 01 * 4                         | mov $1,%al
			c3                                | ret`},
		{"a stone behind the next function", "no padding in reach", `
			b8 27 00 00 00                    | mov $39,%eax
			0f 05                             | site: syscall
			89 44 24 08                       | mov %eax,8(%rsp)
			c3                                | ret
			cc * 4                            | int3
			31 c0                             | xor %eax,%eax
			75 7c                             | jne over
			b0 01 * 4                         | mov $1,%al
			c3                                | ret
			cc * 3                            | int3
			b0 01 * 56                        | mov $1,%al
			c3                                | over: ret
			cc * 15                           | int3`},
		{"what nothing leads to in a known function", "no padding in reach", `
			0f 05                             | function: site: syscall
			b0 01 * 4                         | mov $1,%al
			c3                                | ret
			cc * 5                            | taken: int3
			31 c0                             | xor %eax,%eax
			c3                                | ret
			cc * 13                           | int3`},

		// chains
		{"by way of padding that is too short", "chain: stone hole", `
			0f 05                             | function: site: syscall
			75 7e                             | jne over
			c3                                | ret
			cc * 3                            | stone: int3
			b0 01 * 61                        | mov $1,%al
			c3                                | over: ret
			cc * 5                            | hole: int3`},
		{"a stone of one byte", "no padding in reach", `
			0f 05                             | function: site: syscall
			75 7e                             | jne over
			c3                                | ret
			cc                                | int3
			b0 01 * 62                        | mov $1,%al
			c3                                | over: ret
			cc * 5                            | hole: int3`},

		// several patches
		{"what another site has left of a hole", "forward: rest", `
			0f 05                             | site: syscall
			c3                                | ret
			cc * 5                            | taken: int3
			cc * 5                            | rest: int3`},
		{"what another site has left is too short", "no padding in reach", `
			0f 05                             | site: syscall
			c3                                | ret
			cc * 5                            | taken: int3
			cc * 4                            | int3`},
		{"a hop of another site's in the middle", "forward: rest", `
			0f 05                             | site: syscall
			c3                                | ret
			cc * 4                            | int3
			cc * 2                            | taken: int3
			cc * 5                            | rest: int3`},

		// detours
		{"the instruction before the site", "detour: mov", `
			b8 27 00 00 00                    | function: mov: mov $39,%eax
			0f 05                             | site: syscall
			eb f7                             | jmp mov`},
		{"the same, no function known", "no padding in reach", `
			b8 27 00 00 00                    | mov $39,%eax
			0f 05                             | site: syscall
			eb f7                             | jmp back`},
		{"an instruction further back", "detour: mov", `
			b8 27 00 00 00                    | function: mov: mov $39,%eax
			48 89 fe                          | mov %rdi,%rsi
			31 d2                             | xor %edx,%edx
			0f 05                             | site: syscall
			eb f2                             | jmp mov`},
		{"a branch to an instruction that is copied", "detour: mov", `
			b8 27 00 00 00                    | function: mov: mov $39,%eax
			48 89 fe                          | mov %rdi,%rsi
			0f 05                             | site: syscall
			eb f9                             | jmp .-5`},
		{"relative to RIP", "detour: lea", `
			48 8d 3d 00 10 00 00              | function: lea: lea 0x1000(%rip),%rdi
			0f 05                             | site: syscall
			eb fe                             | jmp .`},
		{"the bytes of mov in another instruction", "detour: store", `
			c7 45 b8 27 00 00 00              | function: store: movl $39,-0x48(%rbp)
			0f 05                             | site: syscall
			eb fe                             | jmp .`},
		{"no instruction is long enough", "no padding in reach", `
			8b 7c 24 08                       | function: mov 8(%rsp),%edi
			6a 27                             | push $39
			58                                | pop %rax
			0f 05                             | site: syscall
			eb fe                             | jmp .`},
		{"a branch is between", "no padding in reach", `
			b8 27 00 00 00                    | function: mov $39,%eax
			74 02                             | je .+4
			0f 05                             | site: syscall
			eb fe                             | jmp .`},
		{"a call is between", "no padding in reach", `
			b8 27 00 00 00                    | function: mov $39,%eax
			ff d3                             | call *%rbx
			0f 05                             | site: syscall
			eb fe                             | jmp .`},
		{"a vector instruction is between", "no padding in reach", `
			b8 27 00 00 00                    | function: mov $39,%eax
			c5 f8 77                          | vzeroupper
			0f 05                             | site: syscall
			eb fe                             | jmp .`},
		{"another site is between", "no padding in reach", `
			b8 27 00 00 00                    | function: mov $39,%eax
			0f 05                             | syscall
			0f 05                             | site: syscall
			eb fe                             | jmp .`},
		{"another patch is there", "no padding in reach", `
			b8 27 00 00 00                    | function: mov $39,%eax
			0f 05                             | syscall
			b8 27 00 00 00                    | taken: mov $39,%eax
			0f 05                             | site: syscall
			eb fe                             | jmp .`},

		// what is no site
		{"immediates", "not a syscall instruction", `
			b8 27 0f 05 00                    | site: mov $0x50f27,%eax
			c3                                | ret
			cc * 8                            | int3`},
		{"half of a site", "not a syscall instruction", `
			b8 27 00 00 00                    | mov $39,%eax
			0f                                | site: syscall`},
		{"at the end", "no padding in reach", `
			b8 27 00 00 00                    | mov $39,%eax
			0f 05                             | site: syscall`},
		{"a signal returns", "signal return", `
			48 c7 c0 0f 00 00 00              | function: mov $15,%rax
			0f 05                             | site: syscall
			c3                                | ret
			cc * 8                            | int3`},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			got, _ := parse(t, row.source).plan(t, "site")
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
