"""Backtraces of programs that run under trapline.

    gdb -x tools/gdb/trapline.py -p PID

A thread that blocks in a system call stands in a stub, in code that gdb knows nothing of. This unwinder goes on from there
to the program: behind the system call instruction that the stub stands for, with every register the same
(runtime/stub.go has the layout).
"""

import gdb
from gdb.unwinder import Unwinder

STUB_BASE, STUB_LIMIT = 0x74000000, 0x75000000
STUB_SIZE = 128
NEXT = 48  # in a stub: the address behind the site

KEPT = ("rbp", "rbx", "rsp", "r12", "r13", "r14", "r15")


class FrameId:
    """What gdb tells frames apart by; gdb 14 has a class of its own for it."""

    def __init__(self, sp, pc):
        self.sp, self.pc = sp, pc


class Stub(Unwinder):
    def __call__(self, frame):
        pc = int(frame.read_register("rip"))
        if not STUB_BASE <= pc < STUB_LIMIT:
            return None
        stub = pc - pc % STUB_SIZE
        after = gdb.Value(int.from_bytes(gdb.selected_inferior().read_memory(stub + NEXT, 8), "little"))
        info = frame.create_unwind_info(FrameId(frame.read_register("rsp"), frame.read_register("rip")))
        info.add_saved_register("rip", after)
        for name in KEPT:
            info.add_saved_register(name, frame.read_register(name))
        return info


gdb.unwinder.register_unwinder(None, Stub("trapline"), replace=True)
