package bench

import (
	"debug/elf"
	"embed"
	"encoding/binary"
	"fmt"
	"io/fs"
	"os"

	"github.com/trapline/trapline/launcher"
)

//go:embed testdata
var testdata embed.FS

// sources are the C programs of testdata, without the suffix.
var sources = []string{"calls", "first", "sleepers"}

// unpack writes the files of testdata into the session's folder.
func (s *session) unpack() error {
	sub, err := fs.Sub(testdata, "testdata")
	if err != nil {
		return err
	}
	return os.CopyFS(s.dir, sub)
}

// build makes a program of testdata, once.
func (s *session) build(name string) error {
	if _, err := os.Stat(s.file(name)); err == nil {
		return nil
	}
	return s.shell(s.dir, `gcc -std=gnu11 -O2 -static -no-pie -o "$1" "$1.c"`, name)
}

// writeFilter writes the filter that trapline would install for cfg, as the kernel's struct sock_filter. Instead of the
// reserved range a section of a program is let through.
func (s *session) writeFilter(name string, cfg *launcher.Config, program, section string) error {
	lo, hi, err := bounds(s.file(program), section)
	if err != nil {
		return err
	}
	p, err := launcher.Filter(cfg)
	if err != nil {
		return err
	}
	for _, i := range p.RangeLo {
		p.Insns[i].K = lo
	}
	for _, i := range p.RangeHi {
		p.Insns[i].K = hi
	}
	var raw []byte
	for _, in := range p.Insns {
		raw = binary.LittleEndian.AppendUint16(raw, in.Op)
		raw = append(raw, in.Jt, in.Jf)
		raw = binary.LittleEndian.AppendUint32(raw, in.K)
	}
	return os.WriteFile(s.file(name), raw, 0o600)
}

// bounds are the addresses of a section.
func bounds(file, section string) (lo, hi uint32, err error) {
	f, err := elf.Open(file)
	if err != nil {
		return 0, 0, err
	}
	defer f.Close()
	x := f.Section(section)
	if x == nil {
		return 0, 0, fmt.Errorf("%s: no section %s", file, section)
	}
	return uint32(x.Addr), uint32(x.Addr + x.Size), nil
}
