package bpf

import (
	"errors"
	"testing"

	"golang.org/x/sys/unix"
)

func guard(t testing.TB, r Layout) Program {
	t.Helper()
	p, err := Guard(r)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestGuardVerdicts(t *testing.T) {
	t.Parallel()
	found := Layout{Lo: 0x60003000, Hi: 0x61abcdef}
	filled := guard(t, testRange)
	fill(t, filled, testRange, found)
	for r, p := range map[Layout]Program{testRange: guard(t, testRange), found: filled} {
		run := machine(t, p)
		for _, nr := range numbers() {
			for _, ip := range pointers(r) {
				want := uint32(unix.SECCOMP_RET_TRACE)
				if uint64(r.Lo) <= ip && ip <= uint64(r.Hi) {
					want = unix.SECCOMP_RET_ALLOW
				}
				for _, arch := range architectures {
					if got := run(call{nr: nr, arch: arch, ip: ip}); got != want {
						t.Fatalf("range %#x, nr %#x, ip %#x, arch %#x: %s, want %s", r, nr, ip, arch, action(got), action(want))
					}
				}
			}
		}
	}
}

func TestGuardRefusesEmptyRange(t *testing.T) {
	t.Parallel()
	if _, err := Guard(Layout{Lo: 1}); !errors.Is(err, errEmptyRange) {
		t.Errorf("%v, want %v", err, errEmptyRange)
	}
}
