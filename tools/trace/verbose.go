package trace

import "golang.org/x/sys/unix"

// What -v shows of structures that are abbreviated otherwise.

func (c *call) verbose() bool {
	switch o := c.opts; {
	case o == nil:
		return false
	case o.Abbreviated != nil:
		return !o.Abbreviated.Has(c.nr)
	default:
		return o.Verbose
	}
}

// wholeStat prints struct stat (arch/x86/include/uapi/asm/stat.h).
func (c *call) wholeStat(b []byte) {
	word := func(at int) uint64 { return le.Uint64(b[at:]) }
	mode := le.Uint32(b[stMode:])
	c.add("{st_dev=")
	c.device(word(0))
	c.addf(", st_ino=%d, st_mode=", word(8))
	c.fileMode(mode)
	c.addf(", st_nlink=%d, st_uid=%d, st_gid=%d, st_blksize=%d, st_blocks=%d",
		word(16), idValue(le.Uint32(b[28:])), idValue(le.Uint32(b[32:])), word(56), word(64))
	switch mode & unix.S_IFMT {
	case unix.S_IFCHR, unix.S_IFBLK:
		c.add(", st_rdev=")
		c.device(word(stRdev))
	default:
		c.addf(", st_size=%d", word(stSize))
	}
	for i, n := range []string{"st_atime", "st_mtime", "st_ctime"} {
		sec, nsec := int64(word(72+16*i)), word(80+16*i)
		c.addf(", %s=%d%s, %s_nsec=%d", n, sec, dated(sec, int(nsec)), n, nsec)
	}
	c.add("}")
}

// wholeStatx prints struct statx (include/uapi/linux/stat.h).
func (c *call) wholeStatx(b []byte) {
	half := func(at int) uint32 { return le.Uint32(b[at:]) }
	c.add("{stx_mask=")
	c.flags(xStatxMask, uint64(half(stxMask)))
	c.addf(", stx_blksize=%d, stx_attributes=", half(4))
	c.flags(xStatxAttr, le.Uint64(b[stxAttributes:]))
	c.addf(", stx_nlink=%d, stx_uid=%d, stx_gid=%d, stx_mode=", half(16), idValue(half(20)), idValue(half(24)))
	c.fileMode(uint32(le.Uint16(b[stxMode:])))
	c.addf(", stx_ino=%d, stx_size=%d, stx_blocks=%d, stx_attributes_mask=",
		le.Uint64(b[32:]), le.Uint64(b[stxSize:]), le.Uint64(b[48:]))
	c.flags(xStatxAttr, le.Uint64(b[56:]))
	for i, n := range []string{"stx_atime", "stx_btime", "stx_ctime", "stx_mtime"} {
		t := b[64+16*i:]
		sec, nsec := int64(le.Uint64(t)), le.Uint32(t[8:])
		c.addf(", %s={tv_sec=%d, tv_nsec=%d}%s", n, sec, nsec, dated(sec, int(nsec)))
	}
	c.addf(", stx_rdev_major=%d, stx_rdev_minor=%d, stx_dev_major=%d, stx_dev_minor=%d, stx_mnt_id=",
		half(128), half(132), half(136), half(140))
	c.hex(le.Uint64(b[144:]))
	c.add("}")
}

func (c *call) wholeUtsname(b []byte) {
	for i, n := range []string{"{sysname=", ", nodename=", ", release=", ", version=", ", machine=", ", domainname="} {
		c.add(n)
		c.quote(untilNUL(b[utsField*i : utsField*(i+1)]))
	}
	c.add("}")
}

// wholeRusage prints struct rusage behind its times (include/uapi/linux/resource.h).
func (c *call) wholeRusage(b []byte) {
	for i, n := range []string{
		"maxrss", "ixrss", "idrss", "isrss", "minflt", "majflt", "nswap", "inblock", "oublock", "msgsnd", "msgrcv", "nsignals",
		"nvcsw", "nivcsw",
	} {
		c.addf(", ru_%s=%d", n, le.Uint64(b[32+8*i:]))
	}
}

// controlCharacters are the indexes of c_cc (include/uapi/asm-generic/termbits.h).
var controlCharacters = [19]string{
	"VINTR", "VQUIT", "VERASE", "VKILL", "VEOF", "VTIME", "VMIN", "VSWTC", "VSTART", "VSTOP", "VSUSP", "VEOL", "VREPRINT",
	"VDISCARD", "VWERASE", "VLNEXT", "VEOL2", "17", "18",
}

// wholeTermios prints struct termios behind its flags.
func (c *call) wholeTermios(b []byte) {
	c.add(", c_line=")
	c.enum(xLineDiscipline, uint64(b[16]))
	c.add(", c_cc=[")
	for i, n := range controlCharacters {
		if i > 0 {
			c.add(", ")
		}
		c.add("[" + n + "]=")
		c.hex(uint64(b[17+i]))
	}
	c.add("]")
}

// entries prints directory entries of 64 bits (include/linux/dirent.h), as far as they were copied.
func (c *call) entries(addr, n uint64) {
	c.add("[")
	for at := uint64(0); at < n; {
		head, ok := c.out.bytes(addr+at, 20)
		if at > 0 {
			c.add(", ")
		}
		size := uint64(0)
		if ok {
			size = uint64(le.Uint16(head[16:]))
		}
		b, ok := c.out.bytes(addr+at, size)
		if !ok || size < 20 {
			c.add("...")
			break
		}
		c.addf("{d_ino=%d, d_off=%d, d_reclen=%d, d_type=", le.Uint64(b), int64(le.Uint64(b[8:])), size)
		c.enum(xDirentType, uint64(b[18]))
		c.add(", d_name=")
		c.quote(untilNUL(b[19:]))
		c.add("}")
		at += size
	}
	c.add("]")
}
