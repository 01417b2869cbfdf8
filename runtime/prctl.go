// Runs in the target, on the tool stack; any signal may arrive.

package runtime

// Options of prctl, include/uapi/linux/prctl.h.
const (
	prSetName       = 15
	prGetName       = 16
	prSetNoNewPrivs = 38
	prGetNoNewPrivs = 39
)

// prctl serves prctl.
func prctl(t *Thread, c *Call) int64 {
	a := &c.args
	switch option := int32(a[0]); {
	case option == prSetDispatch:
		return setDispatch(a[1], a[2], a[3], a[4], t.site)
	case option == prGetSeccomp:
		return t.seccompMode()
	case option == prSetSeccomp && a[1] == seccompStrict:
		return t.enterStrict()
	case option == prSetSeccomp && a[1] == seccompFilter:
		return t.addFilter(c, 0)
	}
	r := int64(doCall(sysPrctl, a[0], a[1], a[2], a[3], a[4], a[5]))
	switch {
	case int32(a[0]) == prSetName && r == 0 && t.block != nil:
		t.block.Comm = t.Name()
	case int32(a[0]) == prSetNoNewPrivs && r == 0:
		t.noNewPrivs = true
	case int32(a[0]) == prGetNoNewPrivs && r == 1 && !t.noNewPrivs:
		r = 0 // the runtime has set it, for its filter
	}
	return r
}

// archPrctl serves arch_prctl. GS is the runtime's; the target's is 0, and may be set to that, as programs do that put
// back what they have read.
func archPrctl(t *Thread, c *Call) int64 {
	a := &c.args
	switch a[0] {
	case archSetGS:
		if a[1] != 0 {
			abort("the program sets the GS base, which the runtime uses", t.site)
		}
		return 0
	case archGetGS:
		var none uint64
		if safeCopy(a[1], addrOf(&none), 8) != 8 {
			return -int64(eFAULT)
		}
		return 0
	}
	return int64(doCall(sysArchPrctl, a[0], a[1], a[2], a[3], a[4], a[5]))
}
