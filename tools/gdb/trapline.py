"""Backtraces of programs that run under trapline.

    gdb -x tools/gdb/trapline.py -p PID

A thread that blocks in a system call stands in a stub, or in the runtime with a hook behind it: in code that gdb knows nothing
of. This unwinder goes on from there to the program, behind its system call instruction. In a stub every register is
still the program's (runtime/stub.go has the layout); the runtime keeps them in the Thread that GS points to
(runtime/thread.go).
"""

import gdb
from gdb.unwinder import Unwinder

IMAGE_BASE, STUB_BASE, STUB_LIMIT = 0x70000000, 0x74000000, 0x75000000
STUB_SIZE = 128
NEXT = 48  # in a stub: the address behind the site
STUB = 80  # in a Thread: the stub that the thread came through
SAVED = {"rbx": 0x78, "rbp": 0xA0, "rsp": 0xA8, "r12": 0xD0, "r13": 0xD8, "r14": 0xE0, "r15": 0xE8}


def word(address):
    return gdb.Value(int.from_bytes(gdb.selected_inferior().read_memory(address, 8), "little"))


class FrameId:
    """What gdb tells frames apart by; gdb 14 has a class of its own for it."""

    def __init__(self, sp, pc):
        self.sp, self.pc = sp, pc


class Runtime(Unwinder):
    def __call__(self, frame):
        pc = int(frame.read_register("rip"))
        if IMAGE_BASE <= pc < STUB_BASE:
            thread = int(frame.read_register("gs_base"))
            if thread == 0:  # a program that has just begun
                return None
            stub = int(word(thread + STUB))
            registers = {name: word(thread + offset) for name, offset in SAVED.items()}
        elif STUB_BASE <= pc < STUB_LIMIT:
            stub = pc - pc % STUB_SIZE
            registers = {name: frame.read_register(name) for name in SAVED}
        else:
            return None
        info = frame.create_unwind_info(FrameId(frame.read_register("rsp"), frame.read_register("rip")))
        info.add_saved_register("rip", word(stub + NEXT))
        for name, value in registers.items():
            info.add_saved_register(name, value)
        return info


gdb.unwinder.register_unwinder(None, Runtime("trapline"), replace=True)
