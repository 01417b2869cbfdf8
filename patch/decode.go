// Runs in the target, on any stack: it only reads what it is given.

package patch

// Inst is what has to be known of an instruction.
type Inst struct {
	Len     int  // bytes
	Flow    Flow // where the processor goes on
	Rel     int  // of Branch, Jump and Call: from the end of the instruction to where it leads, in bytes
	Disp    int  // where in the instruction a RIP-relative displacement of 4 bytes is, 0: none
	Pad     Pad  // whether it does nothing
	Movable bool // does the same elsewhere, once the displacement is corrected
}

// Flow says where the processor goes on after an instruction.
type Flow uint8

const (
	Next     Flow = iota // with the one behind it
	Branch               // there, or where Rel leads
	Call                 // where Rel leads, and most often comes back
	Jump                 // where Rel leads, never with the one behind it
	Leave                // never with the one behind it: ret, jmp through a pointer that is no table's
	Computed             // where a register or a table says, never with the one behind it
	Stop                 // it faults; a signal handler may well go on behind it
)

// Pad tells the kinds of padding.
type Pad uint8

const (
	NoPad Pad = iota
	NopPad
	TrapPad // int3
)

// Bytes of an instruction that are no opcode.
const (
	maxLen = 15

	prefixLock  = 0xf0
	prefixRepne = 0xf2
	prefixRep   = 0xf3
	prefixData  = 0x66
	prefixAddr  = 0x67
)

// What follows an opcode.
const (
	opNone   = '.' // nothing
	opModRM  = 'm'
	opImm8   = 'b'
	opImmZ   = 'z' // 4 bytes, 2 with a data prefix
	opMImm8  = 'B' // ModRM and 1 byte
	opMImmZ  = 'Z' // ModRM and 4 or 2 bytes
	opImm16  = 'w'
	opRel8   = 'j'
	opRel32  = 'J'
	opImmV   = 'v' // 4 bytes, 2 with a data prefix, 8 with REX.W
	opOffset = 'o' // an address of 8 bytes, 4 with an address prefix
	opEnter  = 'e' // 2 bytes and 1 byte
	opGroup3 = 'g' // ModRM, and an immediate for /0 and /1
	opPrefix = 'p'
	opREX    = 'r'
	opEscape = 's' // to another map
	opBad    = 'x' // undefined, or of no use in a program
)

// oneByte is the opcode map of one byte in 64-bit mode, 16 to a row (Intel SDM, volume 2, table A-2).
const oneByte = "" +
	"mmmmbzxxmmmmbzxs" + // 00
	"mmmmbzxxmmmmbzxx" +
	"mmmmbzpxmmmmbzpx" + // 20
	"mmmmbzpxmmmmbzpx" +
	"rrrrrrrrrrrrrrrr" + // 40
	"................" +
	"xxsmppppzZbB...." + // 60
	"jjjjjjjjjjjjjjjj" +
	"BZxBmmmmmmmmmmmm" + // 80
	"..........x....." +
	"oooo....bz......" + // a0
	"bbbbbbbbvvvvvvvv" +
	"BBw.ssBZe.w..bx." + // c0
	"mmmmxxx.mmmmmmmm" +
	"jjjjbbbbJJxj...." + // e0
	"p.pp..gg......mm"

// twoByte is the opcode map behind 0f (table A-3).
const twoByte = "" +
	"mmmmx.....x.xmxx" + // 00
	"mmmmmmmmmmmmmmmm" +
	"xxxxxxxxmmmmmmmm" + // 20
	"......x.sxsxxxxx" +
	"mmmmmmmmmmmmmmmm" + // 40
	"mmmmmmmmmmmmmmmm" +
	"mmmmmmmmmmmmmmmm" + // 60
	"BBBBmmm.xxxxmmmm" +
	"JJJJJJJJJJJJJJJJ" + // 80
	"mmmmmmmmmmmmmmmm" +
	"...mBmxx...mBmmm" + // a0
	"mmmmmmmmmmBmmmmm" +
	"mmBmBBBm........" + // c0
	"mmmmmmmmmmmmmmmm" +
	"mmmmmmmmmmmmmmmm" + // e0
	"mmmmmmmmmmmmmmmm"

// decoder is an instruction being taken apart.
type decoder struct {
	code   []byte
	at     int // of the next byte
	data   bool
	addr   bool
	repeat bool // rep or repne
	rex    byte
	inst   Inst
}

// Decode takes the first instruction of code apart. It reports false for bytes that are none, or not a whole one, or
// one that no compiler would write.
func Decode(code []byte) (Inst, bool) {
	d := decoder{code: code}
	if len(code) > maxLen {
		d.code = code[:maxLen]
	}
	if !d.decode() || d.at > len(d.code) {
		return Inst{}, false
	}
	d.inst.Len = d.at
	return d.inst, true
}

// next takes a byte; behind the end there are zeroes, and Decode notices.
func (d *decoder) next() byte {
	d.at++
	if d.at > len(d.code) {
		return 0
	}
	return d.code[d.at-1]
}

func (d *decoder) decode() bool {
	op, ok := d.prefixes()
	if !ok {
		return false
	}
	switch op {
	case 0x0f:
		return d.escape()
	case 0xc4, 0xc5, 0x62:
		return d.vector(op)
	}
	start := d.at
	if !d.operands(oneByte[op], op) {
		return false
	}
	return d.classify(op, start)
}

// prefixes takes what stands before the opcode, and the opcode.
func (d *decoder) prefixes() (byte, bool) {
	for {
		b := d.next()
		switch b {
		case prefixData:
			d.data = true
		case prefixAddr:
			d.addr = true
		case prefixRep, prefixRepne:
			d.repeat = true
		case prefixLock, 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65: // segments
		default:
			if oneByte[b] == opREX {
				d.rex = b
				b = d.next() // a prefix there would take REX back: nobody writes that, and operands refuses it
			}
			return b, d.at <= len(d.code)
		}
	}
}

func (d *decoder) wide() bool { return d.rex&8 != 0 }

// operands takes what follows an opcode.
func (d *decoder) operands(kind, op byte) bool {
	switch kind {
	case opNone:
	case opModRM:
		d.modRM(0)
	case opImm8:
		d.at++
	case opImmZ:
		d.at += d.immZ()
	case opMImm8:
		d.modRM(1)
	case opMImmZ:
		d.modRM(d.immZ())
	case opImm16:
		d.at += 2
	case opEnter:
		d.at += 3
	case opImmV:
		if d.wide() {
			d.at += 8
		} else {
			d.at += d.immZ()
		}
	case opOffset:
		d.at += 8
		if d.addr {
			d.at -= 4
		}
	case opGroup3:
		d.group3(op)
	case opRel8:
		d.inst.Rel = int(int8(d.next()))
		return d.near()
	case opRel32:
		d.at += 4
		d.inst.Rel = d.last32()
		return d.near()
	default:
		return false
	}
	return true
}

func (d *decoder) immZ() int {
	if d.data && !d.wide() {
		return 2
	}
	return 4
}

// near reports whether a branch is one of 64 bits. With a data prefix processors disagree about what it is.
func (d *decoder) near() bool { return !d.data || d.wide() }

// last32 is the number in the last 4 bytes.
func (d *decoder) last32() int {
	if d.at > len(d.code) {
		return 0
	}
	c := d.code[d.at-4 : d.at]
	return int(int32(uint32(c[0]) | uint32(c[1])<<8 | uint32(c[2])<<16 | uint32(c[3])<<24))
}

// group3 takes the operands of f6 and f7: test, which has an immediate, and others.
func (d *decoder) group3(op byte) {
	imm := 0
	if d.at < len(d.code) && d.code[d.at]>>3&7 < 2 {
		imm = 1
		if op == 0xf7 {
			imm = d.immZ()
		}
	}
	d.modRM(imm)
}

// modRM takes a ModRM byte, what it calls for, and an immediate of a size in bytes.
func (d *decoder) modRM(imm int) {
	m := d.next()
	mod, rm := m>>6, m&7
	if mod != 3 && rm == 4 {
		base := d.next() & 7
		if mod == 0 && base == 5 {
			d.at += 4
		}
	}
	switch {
	case mod == 0 && rm == 5:
		d.inst.Disp = d.at
		d.at += 4
	case mod == 1:
		d.at++
	case mod == 2:
		d.at += 4
	}
	d.at += imm
}

// reg is the middle field of the ModRM byte at an offset.
func (d *decoder) reg(at int) byte {
	if at >= len(d.code) {
		return 0
	}
	return d.code[at] >> 3 & 7
}

// escape takes an instruction behind 0f.
func (d *decoder) escape() bool {
	op := d.next()
	switch op {
	case 0x38:
		d.next()
		d.modRM(0)
		return true
	case 0x3a:
		d.next()
		d.modRM(1)
		return true
	}
	start := d.at
	if !d.operands(twoByte[op], op) {
		return false
	}
	d.classifyEscaped(op, d.reg(start))
	return true
}

// vector takes a VEX or EVEX instruction. None is ever moved.
func (d *decoder) vector(lead byte) bool {
	if d.data || d.repeat || d.rex != 0 {
		return false
	}
	opMap := byte(1)
	switch lead {
	case 0xc5:
		d.next()
	case 0xc4:
		opMap = d.next() & 0x1f
		d.next()
	case 0x62:
		p0 := d.next()
		p1 := d.next()
		d.next()
		opMap = p0 & 7
		if p0&8 != 0 || p1&4 == 0 {
			return false
		}
	}
	op := d.next()
	imm := 0
	switch opMap {
	case 1:
		if lead != 0x62 && op == 0x77 { // vzeroupper, vzeroall
			return true
		}
		if twoByte[op] == opMImm8 {
			imm = 1
		}
	case 2, 5, 6:
	case 3:
		imm = 1
	default:
		return false
	}
	if opMap > 3 && lead != 0x62 {
		return false
	}
	d.modRM(imm)
	return true
}

// classify says what an instruction of the one-byte map does, which may have more of its opcode in ModRM, at start.
func (d *decoder) classify(op byte, start int) bool {
	i, reg := &d.inst, d.reg(start)
	switch {
	case op>>4 == 7, op >= 0xe0 && op <= 0xe3:
		i.Flow = Branch
	case op == 0xe8:
		i.Flow = Call
	case op == 0xe9, op == 0xeb:
		i.Flow = Jump
	case op == 0xff && reg == 4 && i.Disp == 0:
		i.Flow = Computed
	case op == 0xc2, op == 0xc3, op == 0xca, op == 0xcb, op == 0xff && (reg == 4 || reg == 5):
		i.Flow = Leave
	case op == 0xcf, op == 0xf4: // iret, hlt
		i.Flow = Stop
	case op == 0xff && reg == 7, op == 0xfe && reg > 1, op == 0x8f && reg != 0:
		return false
	case op == 0xc7 && reg == 7: // xbegin
		i.Flow = Branch
		i.Rel = d.last32()
		return d.code[start] == 0xf8 && !d.data
	case op == 0xc6 && reg == 7: // xabort
		return d.code[start] == 0xf8
	case (op == 0xc6 || op == 0xc7) && reg != 0:
		return false
	case op == 0xcc:
		i.Pad = TrapPad
	case op == 0x90 && !d.repeat && d.rex&1 == 0:
		i.Pad = NopPad
		i.Movable = true
	default:
		i.Movable = movable(op, reg) && !(d.addr && i.Disp != 0)
	}
	return true
}

// movable reports whether an instruction of the one-byte map may be copied elsewhere: moves, arithmetic, push and pop.
func movable(op, reg byte) bool {
	switch {
	case op < 0x40:
		return true
	case op >= 0x50 && op < 0x60, op == 0x63, op >= 0x68 && op <= 0x6b:
		return true
	case op >= 0x80 && op < 0x8e && op != 0x8c:
		return true
	case op >= 0x90 && op < 0x9a, op == 0xa8, op == 0xa9, op >= 0xb0 && op <= 0xc1:
		return true
	case op == 0xc6, op == 0xc7, op >= 0xd0 && op < 0xd4, op == 0xf6, op == 0xf7:
		return true
	case op == 0xfe, op == 0xff:
		return reg < 2 || reg == 6
	}
	return false
}

// classifyEscaped says what an instruction behind 0f does.
func (d *decoder) classifyEscaped(op, reg byte) {
	i := &d.inst
	switch {
	case op>>4 == 8:
		i.Flow = Branch
	case op == 0x0b, op == 0xb9, op == 0xff, op == 0x07, op == 0x35: // ud2, ud1, ud0, sysret, sysexit
		i.Flow = Stop
	case op == 0x1f && reg == 0 && !d.repeat:
		i.Pad = NopPad
	case op>>4 == 4, op>>4 == 9, op == 0xaf, op == 0xb6, op == 0xb7, op == 0xbe, op == 0xbf,
		op == 0x10, op == 0x11, op == 0x28, op == 0x29, op == 0x6f, op == 0x7f, op == 0x57, op == 0xef:
		i.Movable = !(d.addr && i.Disp != 0)
	}
}
