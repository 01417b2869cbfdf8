// Runs in the target, on the tool stack; any signal may arrive.

package runtime

// Where the children of a thread are born in another PID namespace than its own, an exec helper would be that one's first
// process, and could not see the thread: newPIDs.

const cloneNewPID = 0x20000000 // CLONE_NEWPID

// unshare serves unshare, which may also split the table of descriptors.
func unshare(t *Thread, c *Call) int64 {
	flags := c.args[0]
	r := int64(doCall(sysUnshare, flags, 0, 0, 0, 0, 0))
	if r == 0 && flags&cloneFiles != 0 {
		t.files.own()
	}
	if r == 0 && flags&cloneNewPID != 0 {
		t.newPIDs = true
	}
	return r
}

// setns serves setns. A descriptor without a kind may be of any.
func setns(t *Thread, c *Call) int64 {
	kind := uint32(c.args[1])
	r := int64(doCall(sysSetns, c.args[0], c.args[1], 0, 0, 0, 0))
	if r == 0 && (kind == 0 || kind&cloneNewPID != 0) {
		t.newPIDs = true
	}
	return r
}
