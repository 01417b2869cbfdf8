package sites

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
)

// Where a small program has its parts, in the file and in memory.
const (
	smallBase     = 0x400000
	smallCode     = 0x100
	smallTable    = 0x180 // .eh_frame_hdr and what it leads to
	smallSymbols  = 0x1c0
	smallStrings  = 0x1f0
	smallSections = 0x200
	smallEnd      = smallSections + 5*64
)

// smallELF is a program with a function of the unwind table, which has two sites and a constant with the same bytes,
// and a function nothing but its symbol tells of, with a third site.
func smallELF() []byte {
	b := make([]byte, smallEnd)
	put := func(at int, parts ...any) {
		var w bytes.Buffer
		for _, p := range parts {
			if err := binary.Write(&w, binary.LittleEndian, p); err != nil {
				panic(err)
			}
		}
		copy(b[at:], w.Bytes())
	}
	put(0, elf.Header64{
		Ident: [16]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), 1},
		Type:  uint16(elf.ET_EXEC), Machine: uint16(elf.EM_X86_64), Version: 1, Entry: smallBase + smallCode,
		Phoff: 64, Ehsize: 64, Phentsize: 56, Phnum: 2, Shoff: smallSections, Shentsize: 64, Shnum: 5, Shstrndx: 2,
	}, elf.Prog64{
		Type: uint32(elf.PT_LOAD), Flags: uint32(elf.PF_R | elf.PF_X), Vaddr: smallBase, Filesz: smallEnd, Memsz: smallEnd,
		Align: pageSize,
	}, elf.Prog64{
		Type: uint32(elf.PT_GNU_EH_FRAME), Off: smallTable, Vaddr: smallBase + smallTable, Filesz: 0x28, Memsz: 0x28,
	})
	put(smallCode, []byte(""+
		"\xb8\x27\x00\x00\x00"+ // 00  mov $39,%eax
		"\x0f\x05"+ //            05  syscall
		"\xb8\x00\x0f\x05\x00"+ // 07  mov $0x50f00,%eax
		"\xb8\x3c\x00\x00\x00"+ // 0c  mov $60,%eax
		"\x0f\x05"+ //            11  syscall
		"\xc3"+ //                13  ret
		"\xcc\xcc\xcc\xcc\xcc\xcc\xcc\xcc\xcc\xcc\xcc\xcc"+
		"\xb8\x01\x00\x00\x00"+ // 20  mov $1,%eax
		"\x0f\x05"+ //            25  syscall
		"\xeb\xf7")) //           27  jmp 20
	const fde = smallTable + 0x14
	rel := func(to, from int) uint32 { return uint32(int32(to - from)) }
	put(smallTable, []uint32{0x3b031b01, 0, 1, rel(smallCode, smallTable), rel(fde, smallTable)},
		[]uint32{12, 0, rel(smallCode, fde+8), 0x14})
	put(smallSymbols, elf.Sym64{}, elf.Sym64{
		Name: 1, Info: byte(elf.STT_FUNC), Shndx: 1, Value: smallBase + smallCode + 0x20, Size: 9,
	})
	put(smallStrings, []byte("\x00tail\x00"))
	put(smallSections, elf.Section64{}, elf.Section64{
		Type: uint32(elf.SHT_PROGBITS), Flags: uint64(elf.SHF_ALLOC | elf.SHF_EXECINSTR), Addr: smallBase + smallCode,
		Off: smallCode, Size: 0x29,
	}, elf.Section64{Type: uint32(elf.SHT_STRTAB), Off: smallStrings, Size: 16}, elf.Section64{
		Type: uint32(elf.SHT_SYMTAB), Off: smallSymbols, Size: 48, Link: 2, Entsize: 24,
	}, elf.Section64{})
	return b
}
