package trace

import (
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

// Calls that few programs make.

// sizedPrinters print the structure whose size is an argument. They get what was copied of it, and report whether that was
// enough.
var sizedPrinters = map[int]func(c *call, b []byte) bool{
	unix.SYS_BPF:                     (*call).bpfAttr,
	unix.SYS_MOUNT_SETATTR:           (*call).mountAttr,
	unix.SYS_OPEN_TREE_ATTR:          (*call).mountAttr,
	unix.SYS_LANDLOCK_CREATE_RULESET: (*call).landlockRuleset,
	unix.SYS_MODIFY_LDT:              (*call).userDesc,
}

func (c *call) sized(addr, size uint64) {
	b, ok := c.in.bytes(addr, min(size, sizedMax))
	if addr == 0 || !ok || !sizedPrinters[c.nr](c, b) {
		c.addr(addr)
	}
}

// quotaCommand prints the command of quotactl (include/uapi/linux/quota.h).
func (c *call) quotaCommand(v uint32) {
	const shift, mask = 8, 0xff // SUBCMDSHIFT, SUBCMDMASK
	c.add("QCMD(")
	c.enum(xQuotaCommand, uint64(v>>shift))
	c.add(", ")
	c.enum(xQuotaType, uint64(v&mask))
	c.add(")")
}

// quotaShows reports whether a command of quotactl takes argument i.
func (c *call) quotaShows(i int) bool {
	const sync = 0x800001 // Q_SYNC
	if c.nr == unix.SYS_QUOTACTL {
		return i < 2 || uint32(c.args[0])>>8 != sync
	}
	return uint32(c.args[1])>>8 != sync
}

func (c *call) swapFlags(v uint64) {
	const priority = 0x7fff // SWAP_FLAG_PRIO_MASK, include/linux/swap.h
	if names, rest := flagNames(xSwap, v&^priority); names != "" || rest != 0 {
		c.flags(xSwap, v&^priority)
		c.add("|")
	}
	c.unsigned(v & priority)
}

// key prints the serial number of a key.
func (c *call) key(v uint32) {
	if n, ok := nameOf(xKeySpec, uint64(v)); ok {
		c.add(n)
		return
	}
	c.signed(int64(int32(v)))
}

// keyPermissions prints six rights of four parties, a byte each (include/linux/key.h).
func (c *call) keyPermissions(v uint32) {
	var list []string
	rights := []string{"VIEW", "READ", "WRITE", "SEARCH", "LINK", "SETATTR"}
	for i, who := range []string{"POS", "USR", "GRP", "OTH"} {
		for j, right := range rights {
			bit := uint32(1) << (24 - 8*i + j)
			if v&bit != 0 {
				list = append(list, "KEY_"+who+"_"+right)
				v &^= bit
			}
		}
	}
	if v != 0 || len(list) == 0 {
		list = append(list, fmt.Sprintf("%#x", v))
	}
	c.add(strings.Join(list, "|"))
}

func (c *call) fanotifyInit(v uint64) {
	const class = 0xc // FAN_ALL_CLASS_BITS, include/uapi/linux/fanotify.h
	c.enumAndFlags(xFanotifyClass, class, xFanotifyInit, v)
}

func (c *call) kexecFlags(v uint64) {
	const arch = 0xffff0000 // KEXEC_ARCH_MASK, include/uapi/linux/kexec.h
	c.enumAndFlags(xKexecArch, arch, xKexec, v)
}

// enumAndFlags prints the value in the bits of mask, and what else is set.
func (c *call) enumAndFlags(values arg, mask uint64, names arg, v uint64) {
	c.enum(values, v&mask)
	if v&^mask != 0 {
		c.add("|")
		c.flags(names, v&^mask)
	}
}

// ioEvents prints n times struct io_event (include/uapi/linux/aio_abi.h).
func (c *call) ioEvents(addr, n uint64) {
	if c.failed() {
		c.addr(addr)
		return
	}
	c.list(addr, n, ioEventSize, func(b []byte) {
		c.add("{data=")
		c.hex(le.Uint64(b))
		c.addf(", obj=%s, res=%d, res2=%d}", address(le.Uint64(b[8:])), int64(le.Uint64(b[16:])), int64(le.Uint64(b[24:])))
	})
}

// iocb prints struct iocb.
func (c *call) iocb(b []byte) {
	c.add("{aio_data=")
	c.hex(le.Uint64(b))
	if key := le.Uint32(b[8:]); key != 0 {
		c.addf(", aio_key=%d", key)
	}
	op := le.Uint16(b[16:])
	c.add(", aio_lio_opcode=")
	c.enum(xIocb, uint64(op))
	if priority := int16(le.Uint16(b[18:])); priority != 0 {
		c.addf(", aio_reqprio=%d", priority)
	}
	c.addf(", aio_fildes=%d", int32(le.Uint32(b[20:])))
	if c.nr == unix.SYS_IO_SUBMIT && op <= 1 {
		c.addf(", aio_buf=%s, aio_nbytes=%d, aio_offset=%d",
			address(le.Uint64(b[24:])), le.Uint64(b[32:]), int64(le.Uint64(b[40:])))
	}
	c.add("}")
}

// nodemask prints a bitmap of memory nodes, word by word.
func (c *call) nodemask(addr, width uint64) {
	n := (width + 63) / 64
	if _, ok := c.out.bytes(addr, min(n, maxElements)*8); !ok || c.failed() {
		c.addr(addr)
		return
	}
	c.list(addr, n, 8, func(b []byte) {
		if v := le.Uint64(b); v != 0 {
			c.addf("0x%014x", v)
		} else {
			c.addf("%016d", 0)
		}
	})
}

// timex prints struct __kernel_timex (include/uapi/linux/timex.h).
func (c *call) timex(b []byte) {
	word := func(i int) int64 { return int64(le.Uint64(b[8*i:])) }
	c.add("{modes=")
	c.flags(xAdjtimex, uint64(le.Uint32(b)))
	c.addf(", offset=%d, freq=%d, maxerror=%d, esterror=%d, status=", word(1), word(2), word(3), word(4))
	c.flags(xAdjStatus, uint64(le.Uint32(b[40:])))
	c.addf(", constant=%d, precision=%d, tolerance=%d, time=", word(6), word(7), word(8))
	c.timeval(b[72:])
	c.addf(", tick=%d, ppsfreq=%d, jitter=%d, shift=%d, stabil=%d, jitcnt=%d, calcnt=%d, errcnt=%d, stbcnt=%d, tai=%d}",
		word(11), word(12), word(13), int32(le.Uint32(b[112:])), word(15), word(16), word(17), word(18), word(19),
		int32(le.Uint32(b[160:])))
}

// uringParams prints struct io_uring_params (include/uapi/linux/io_uring.h).
func (c *call) uringParams(b []byte) {
	word := func(i int) uint32 { return le.Uint32(b[4*i:]) }
	const attach = 0x20 // IORING_SETUP_ATTACH_WQ
	c.add("{flags=")
	c.flags(xUringSetup, uint64(word(2)))
	c.addf(", sq_thread_cpu=%d, sq_thread_idle=%d", word(3), word(4))
	if word(2)&attach != 0 {
		c.addf(", wq_fd=%d", int32(word(6)))
	}
	c.addf(", sq_entries=%d, cq_entries=%d, features=", word(0), word(1))
	c.flags(xUringFeature, uint64(word(5)))
	c.addf(", sq_off={head=%d, tail=%d, ring_mask=%d, ring_entries=%d, flags=%d, dropped=%d, array=%d",
		word(10), word(11), word(12), word(13), word(14), word(15), word(16))
	c.addf("}, cq_off={head=%d, tail=%d, ring_mask=%d, ring_entries=%d, overflow=%d, cqes=%d, flags=%d}}",
		word(20), word(21), word(22), word(23), word(24), word(25), word(26))
}

// xfeatures prints a mask of processor state components (arch/x86/include/asm/fpu/types.h).
func (c *call) xfeatures(b []byte) {
	v := le.Uint64(b)
	c.add("[")
	c.hex(v)
	var list []string
	for _, f := range []struct {
		mask uint64
		name string
	}{
		{0x3, "FPSSE"}, {0x4, "YMM"}, {0x18, "BNDREGS|XFEATURE_MASK_BNDCSR"}, {0xe0, "AVX512"}, {0x100, "PT"}, {0x200, "PKRU"},
		{0x400, "PASID"}, {0x8000, "LBR"}, {0x60000, "XTILE"},
	} {
		if v&f.mask == f.mask {
			list = append(list, "XFEATURE_MASK_"+f.name)
		}
	}
	if len(list) > 0 {
		c.add(" /* " + strings.Join(list, "|") + " */")
	}
	c.add("]")
}

func (c *call) cachestat(b []byte) {
	word := func(i int) uint64 { return le.Uint64(b[8*i:]) }
	c.addf("{nr_cache=%d, nr_dirty=%d, nr_writeback=%d, nr_evicted=%d, nr_recently_evicted=%d}",
		word(0), word(1), word(2), word(3), word(4))
}

// shmInfo prints struct shm_info (include/uapi/linux/shm.h).
func (c *call) shmInfo(b []byte) {
	word := func(i int) uint64 { return le.Uint64(b[8*i:]) }
	c.addf("{used_ids=%d, shm_tot=%d, shm_rss=%d, shm_swp=%d, swap_attempts=%d, swap_successes=%d}",
		int32(le.Uint32(b)), word(1), word(2), word(3), word(4), word(5))
}

// mountAttr prints struct mount_attr (include/uapi/linux/mount.h).
func (c *call) mountAttr(b []byte) bool {
	if len(b) < 32 {
		return false
	}
	c.add("{attr_set=")
	c.flags(xMountAttr, le.Uint64(b))
	c.add(", attr_clr=")
	c.flags(xMountAttr, le.Uint64(b[8:]))
	c.add(", propagation=")
	c.enum(xMount, le.Uint64(b[16:]))
	c.addf(", userns_fd=%d}", int32(le.Uint64(b[24:])))
	return true
}

// landlockRuleset prints struct landlock_ruleset_attr (include/uapi/linux/landlock.h), as many members as it has.
func (c *call) landlockRuleset(b []byte) bool {
	if len(b) < 8 {
		return false
	}
	c.add("{handled_access_fs=")
	c.flags(xLandlockFS, le.Uint64(b))
	if len(b) >= 16 {
		c.add(", handled_access_net=")
		c.flags(xLandlockNet, le.Uint64(b[8:]))
	}
	if len(b) >= 24 {
		c.add(", scoped=")
		c.flags(xLandlockScope, le.Uint64(b[16:]))
	}
	c.add("}")
	return true
}

func (c *call) landlockRule(addr uint64) {
	const pathBeneath, netPort = 1, 2 // enum landlock_rule_type
	b, ok := c.in.bytes(addr, 12)
	wide, full := c.in.bytes(addr, ruleSize)
	switch kind := uint32(c.args[1]); {
	case ok && kind == pathBeneath:
		c.add("{allowed_access=")
		c.flags(xLandlockFS, le.Uint64(b))
		c.addf(", parent_fd=%d}", int32(le.Uint32(b[8:])))
	case full && kind == netPort:
		c.add("{allowed_access=")
		c.flags(xLandlockNet, le.Uint64(wide))
		c.addf(", port=%d}", le.Uint64(wide[8:]))
	default:
		c.addr(addr)
	}
}

// userDesc prints struct user_desc (arch/x86/include/uapi/asm/ldt.h).
func (c *call) userDesc(b []byte) bool {
	if len(b) != 16 {
		return false
	}
	c.addf("{entry_number=%d, base_addr=%s, limit=%s", int32(le.Uint32(b)), hex8(le.Uint32(b[4:])), hex8(le.Uint32(b[8:])))
	flags := le.Uint32(b[12:])
	for _, f := range []struct {
		name        string
		shift, size uint32
	}{
		{"seg_32bit", 0, 1}, {"contents", 1, 2}, {"read_exec_only", 3, 1}, {"limit_in_pages", 4, 1},
		{"seg_not_present", 5, 1}, {"useable", 6, 1}, {"lm", 7, 1},
	} {
		c.addf(", %s=%d", f.name, flags>>f.shift&(1<<f.size-1))
	}
	c.add("}")
	return true
}

// perfAttr prints the head of struct perf_event_attr (include/uapi/linux/perf_event.h).
func (c *call) perfAttr(b []byte) {
	const frequency = 1 << 10
	kind, flags := le.Uint32(b), le.Uint64(b[40:])
	c.add("{type=")
	c.enum(xPerfType, uint64(kind))
	c.add(", size=")
	if n, ok := nameOf(xPerfSize, uint64(le.Uint32(b[4:]))); ok {
		c.add(n)
	} else {
		c.unsigned(uint64(le.Uint32(b[4:])))
	}
	c.add(", config=")
	switch kind {
	case unix.PERF_TYPE_HARDWARE:
		c.enum(xPerfHardware, le.Uint64(b[8:]))
	case unix.PERF_TYPE_SOFTWARE:
		c.enum(xPerfSoftware, le.Uint64(b[8:]))
	default:
		c.hex(le.Uint64(b[8:]))
	}
	if flags&frequency != 0 {
		c.addf(", sample_freq=%d", le.Uint64(b[16:]))
	} else {
		c.addf(", sample_period=%d", le.Uint64(b[16:]))
	}
	c.add(", sample_type=")
	c.flags(xPerfSample, le.Uint64(b[24:]))
	c.add(", read_format=")
	c.flags(xPerfRead, le.Uint64(b[32:]))
	for i, n := range perfBits {
		if flags>>i&1 != 0 && n != "" {
			c.addf(", %s=1", n)
		}
	}
	precise := flags >> 15 & 3
	c.addf(", precise_ip=%d /* %s */", precise, [...]string{
		"arbitrary skid", "constant skid", "requested to have 0 skid", "must have 0 skid",
	}[precise])
	c.add(", ...}")
}

// perfBits are the bits behind read_format that strace shows of an abbreviated structure.
var perfBits = [...]string{
	"disabled", "inherit", "pinned", "exclusive", "exclude_user", "exclude_kernel", "exclude_hv", "exclude_idle",
	"mmap", "comm", "freq", "inherit_stat", "enable_on_exec", "task", "watermark",
}

// bpfAttr prints the members of union bpf_attr that the command takes (include/uapi/linux/bpf.h).
func (c *call) bpfAttr(b []byte) bool {
	word := func(at int) uint32 { return le.Uint32(b[at:]) }
	long := func(at int) uint64 { return le.Uint64(b[at:]) }
	switch command := c.args[0]; {
	case command == unix.BPF_MAP_CREATE && len(b) >= 16:
		c.add("{map_type=")
		c.enum(xBpfMap, uint64(word(0)))
		c.addf(", key_size=%d, value_size=%d, max_entries=%d", word(4), word(8), word(12))
		c.bpfMapCreate(b)
	case command >= unix.BPF_MAP_LOOKUP_ELEM && command <= unix.BPF_MAP_GET_NEXT_KEY && len(b) >= 24:
		c.addf("{map_fd=%d, key=%s", int32(word(0)), address(long(8)))
		switch command {
		case unix.BPF_MAP_GET_NEXT_KEY:
			c.addf(", next_key=%s", address(long(16)))
		case unix.BPF_MAP_LOOKUP_ELEM, unix.BPF_MAP_UPDATE_ELEM:
			c.addf(", value=%s", address(long(16)))
			if len(b) >= 32 {
				c.add(", flags=")
				c.enum(xBpfElement, long(24))
			}
		}
	case command == unix.BPF_PROG_LOAD && len(b) >= 48:
		c.add("{prog_type=")
		c.enum(xBpfProgram, uint64(word(0)))
		c.addf(", insn_cnt=%d, insns=%s, license=%s, log_level=%d, log_size=%d, log_buf=%s",
			word(4), address(long(8)), address(long(16)), word(24), word(28), address(long(32)))
		version := word(40)
		c.addf(", kern_version=KERNEL_VERSION(%d, %d, %d), prog_flags=", version>>16, version>>8&0xff, version&0xff)
		c.hex(uint64(word(44)))
		if len(b) > 48 {
			c.add(", ...")
		}
	default:
		return false
	}
	c.add("}")
	return true
}

// bpfMapCreate prints what later kernels have added, as far as the caller passed it.
func (c *call) bpfMapCreate(b []byte) {
	if len(b) < 72 {
		return
	}
	word := func(at int) uint32 { return le.Uint32(b[at:]) }
	c.add(", map_flags=")
	c.hex(uint64(word(16)))
	c.addf(", inner_map_fd=%d, map_name=", int32(word(20)))
	c.quote(untilNUL(b[28:44]))
	c.addf(", map_ifindex=%d, btf_fd=%d, btf_key_type_id=%d, btf_value_type_id=%d, btf_vmlinux_value_type_id=%d, map_extra=",
		word(44), int32(word(48)), word(52), word(56), word(60))
	c.hex(le.Uint64(b[64:]))
}
