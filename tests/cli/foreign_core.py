#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""foreign_core.py KIND FILE [ARGUMENT...]: writes the core of a guest that is not kvmap's, as QEMU's dump-guest-memory does."""

import struct
import sys

PAGE = 4096
P, W, U, A, D, PS, NX = 1, 2, 4, 0x20, 0x40, 0x80, 1 << 63
LONG_MODE = {"cr0": 0x80000011, "cr3": 0x1000, "cr4": 0x20}
PAGING_OFF = {"cr0": 0x60000010, "cr3": 0, "cr4": 0}


class Memory:
    """Guest memory from GPA 0 on."""

    def __init__(self, size):
        self.bytes = bytearray(size)

    def entry(self, table, index, value):
        struct.pack_into("<Q", self.bytes, table + 8 * index, value)

    def page_at_4m(self, root):
        """Tables at 0x2000, 0x3000, 0x4000 below `root`, which map 0x400000 to 0x5000."""
        self.entry(root, 0, 0x2000 | P | W | U)
        self.entry(0x2000, 0, 0x3000 | P | W | U)
        self.entry(0x3000, 2, 0x4000 | P | W | U)
        self.entry(0x4000, 0, 0x5000 | P | W)


def note(name, kind, contents):
    pad = lambda text: text + b"\0" * (-len(text) % 4)
    label = name.encode() + b"\0"
    return struct.pack("<III", len(label), len(contents), kind) + pad(label) + pad(contents)


def cpu_notes(cpus):
    notes = b""
    for number, _ in enumerate(cpus):
        notes += note("CORE", 1, struct.pack("<32xI300x", number + 1))
    for cpu in cpus:
        state = struct.pack("<II", 1, 440) + bytes(18 * 8 + 240)
        notes += note("QEMU", 0, state + struct.pack("<6Q", cpu["cr0"], 0, 0, cpu["cr3"], cpu["cr4"], 0))
    return notes


def write_core(path, segments, cpus=(LONG_MODE,), more_notes=b"", notes=None):
    """segments: (GVA, GPA, bytes, size in memory). notes: instead of those of QEMU."""
    notes = (notes or cpu_notes(cpus)) + more_notes
    headers = len(segments) + 1
    offset = 64 + 56 * headers
    elf = b"\x7fELF\2\1\1" + bytes(9)
    elf += struct.pack("<HHIQQQIHHHHHH", 4, 62, 1, 0, 64, 0, 0, 64, 56, headers, 64, 0, 0)
    elf += struct.pack("<IIQQQQQQ", 4, 0, offset, 0, 0, len(notes), len(notes), 0)
    offset += len(notes)
    for gva, gpa, contents, size in segments:
        elf += struct.pack("<IIQQQQQQ", 1, 7, offset, gva, gpa, len(contents), size, 0)
        offset += len(contents)
    with open(path, "wb") as file:
        file.write(elf + notes)
        for segment in segments:
            file.write(segment[2])


def small(root=0x1000):
    memory = Memory(0x10000)
    memory.page_at_4m(root)
    return memory


def whole(memory):
    return [(0, 0, memory.bytes, len(memory.bytes))]


def first_cpu_off(path):
    write_core(path, whole(small()), cpus=(PAGING_OFF, LONG_MODE))


def all_cpus_off(path):
    write_core(path, whole(small()), cpus=(PAGING_OFF, PAGING_OFF))


def many_cpus(path):
    write_core(path, whole(small()), cpus=(LONG_MODE,) * 300)


def many_pieces(path):
    gpas = range(0x20000, 0x20000 + 3000 * 2 * PAGE, 2 * PAGE)
    write_core(path, whole(small()) + [(gpa, gpa, b"\1" * PAGE, PAGE) for gpa in gpas])


def cut_mapping(path):
    """-p: of a mapping over two blocks of RAM, only the bytes of the first; the top table is in the second."""
    memory = small(root=0x8000)
    write_core(path, [(0xFFFF << 48, 0, memory.bytes[:0x4000], 0x10000)], cpus=({**LONG_MODE, "cr3": 0x8000},))


def no_top_table(path):
    """CR3 points beyond all memory."""
    write_core(path, whole(small()), cpus=({**LONG_MODE, "cr3": 0x8000000},))


def recursive(path):
    memory = small()
    memory.entry(0x1000, 510, 0x1000 | P | W)
    write_core(path, whole(memory))


def recursive_data(path):
    """A recursive map that is not executable, and a page that maps its own page table."""
    memory = small()
    memory.entry(0x1000, 510, 0x1000 | P | W | NX)
    memory.entry(0x4000, 7, 0x4000 | P | W | NX)
    write_core(path, whole(memory))


def shared_tables(path, shadow=0x2000, page=0x5000, more_text=False):
    """
    As Linux with KASAN: 16 TiB of shadow are one page, by one table of each level, the first at `shadow`. Page 7 of each
    2M of it is `page`. Then the kernel's text.
    """
    memory = Memory(256 << 20)
    for i in range(32):
        memory.entry(0x1000, 472 + i, shadow | P | W)
    for i in range(512):
        memory.entry(shadow, i, (shadow + 0x1000) | P | W)
        memory.entry(shadow + 0x1000, i, (shadow + 0x2000) | P | W)
        memory.entry(shadow + 0x2000, i, (page if i == 7 else 0x5000) | P | A | NX)
    memory.entry(0x1000, 511, 0x6000 | P | W)
    memory.entry(0x6000, 510, 0x7000 | P | W)
    memory.entry(0x7000, 8, 0x200000 | P | PS | A | D)
    if more_text:
        memory.entry(0x7000, 9, 0x400000 | P | W | PS | A | D)
    write_core(path, whole(memory))


def moved_shared_tables(path):
    """With the tables of the shadow in other frames, and 2M more of text."""
    shared_tables(path, shadow=0x12000, more_text=True)


def changed_shared_table(path):
    shared_tables(path, page=0x8000, more_text=True)


def of_live_vm(path, lacks="3"):
    """As kvmap writes of another program's VM: RFLAGS (1), segment selectors and bases (2) are not known; SMAP is on."""
    memory = small()
    memory.entry(0x4000, 1, 0x6000 | P | W | U)
    registers = bytearray(336)
    struct.pack_into("<I", registers, 32, 1)
    control = struct.pack("<I4B5Q", 1, 52, 1, int(lacks), 0, 0x80010011, 0, 0x1000, 0x200020, 0xD00)
    write_core(path, whole(memory), notes=note("CORE", 1, registers) + note("KVMAP", 0x3130564B, control))


class Program:
    """Segments and symbols of an ELF file."""

    def __init__(self, path):
        with open(path, "rb") as file:
            self.bytes = file.read()
        start, = struct.unpack_from("<Q", self.bytes, 32)
        count, = struct.unpack_from("<H", self.bytes, 56)
        headers = [struct.unpack_from("<IIQQQQQQ", self.bytes, start + 56 * i) for i in range(count)]
        # GVA, GPA, flags, bytes, size in memory
        self.segments = [(h[3], h[4], h[1], self.bytes[h[2]:h[2] + h[5]], h[6]) for h in headers if h[0] == 1]

    def symbol(self, name):
        sections, = struct.unpack_from("<Q", self.bytes, 40)
        count, = struct.unpack_from("<H", self.bytes, 60)
        headers = [struct.unpack_from("<IIQQQQIIQQ", self.bytes, sections + 64 * i) for i in range(count)]
        table = next(header for header in headers if header[1] == 2)
        names = headers[table[6]][4]
        for at in range(table[4], table[4] + table[5], 24):
            text, _, _, _, value, _ = struct.unpack_from("<IBBHQQ", self.bytes, at)
            if self.bytes[names + text:].startswith(name.encode() + b"\0"):
                return value
        raise KeyError(name)


def moved_image(path, guest, offset, vmcoreinfo=""):
    """
    The image of an ELF file at its GPAs, mapped `offset` above its addresses, and by a direct map. Its CPU is at the
    start of machine_exit(), called by agent_run().
    """
    program, offset = Program(guest), int(offset, 16)
    memory = Memory(0x800000)
    base = (0xFFFFFFFF80000000 + offset - offset % (1 << 30)) % (1 << 64)
    memory.entry(0x1000, base >> 39 & 511, 0x2000 | P | W)
    memory.entry(0x2000, base >> 30 & 511, 0x3000 | P | W)
    memory.entry(0x1000, 273, 0x4000 | P | W)
    memory.entry(0x4000, 0, 0x5000 | P | W)
    for i in range(8):
        memory.entry(0x3000, i, (0x10000 + i * PAGE) | P | W)
    for i in range(4):
        memory.entry(0x5000, i, (i * 0x200000) | P | W | PS | NX)
    for gva, gpa, flags, contents, size in program.segments:
        memory.bytes[gpa:gpa + len(contents)] = contents
        for at in range(0, size, PAGE):
            page = ((gva + offset + at) % (1 << 64) - base) // PAGE
            memory.entry(0x10000, page, (gpa + at) | P | (W if flags & 2 else 0) | (0 if flags & 1 else NX))
    stack = 0xFFFF888000020000
    struct.pack_into("<Q", memory.bytes, 0x20000, (program.symbol("agent_run") + offset + 5) % (1 << 64))
    registers = bytearray(336)
    struct.pack_into("<I", registers, 32, 1)
    struct.pack_into("<Q", registers, 112 + 16 * 8, (program.symbol("machine_exit") + offset) % (1 << 64))
    struct.pack_into("<Q", registers, 112 + 19 * 8, stack)
    state = struct.pack("<II", 1, 440) + bytes(18 * 8 + 240) + struct.pack("<6Q", 0x80010011, 0, 0, 0x1000, 0x20, 0)
    notes = note("CORE", 1, registers) + note("QEMU", 0, state)
    if vmcoreinfo:
        notes += note("VMCOREINFO", 0, ("OSRELEASE=6.1.0\nKERNELOFFSET=%s\n" % vmcoreinfo).encode())
    write_core(path, whole(memory), notes=notes)


def large_alias(path):
    """Half of 4M is mapped at one distance, which may be a direct map."""
    memory = Memory(4 << 20)
    memory.page_at_4m(0x1000)
    memory.entry(0x3000, 3, P | W | PS | NX)
    write_core(path, whole(memory))


def with_pcid(path):
    write_core(path, whole(small()), cpus=({"cr0": 0x80000011, "cr3": 0x1005, "cr4": 0x20020},))


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
