# SPDX-License-Identifier: MIT
"""late_clock.py GUEST VALUE OUT: a copy of the guest whose flush generation, tlb_gen, begins at VALUE."""
import struct
import sys


def sections(elf):
    offset, = struct.unpack_from("<Q", elf, 40)
    size, count = struct.unpack_from("<HH", elf, 58)
    return [struct.unpack_from("<IIQQQQIIQQ", elf, offset + i * size) for i in range(count)]


def symbol(elf, headers, name):
    for header in headers:
        if header[1] != 2:  # SHT_SYMTAB
            continue
        strings = headers[header[6]][4]
        for at in range(header[4], header[4] + header[5], 24):
            place, _, _, _, value, size = struct.unpack_from("<IBBHQQ", elf, at)
            start = strings + place
            if elf[start:elf.index(0, start)] == name:
                return value, size
    sys.exit("no such symbol")


def main():
    elf = bytearray(open(sys.argv[1], "rb").read())
    headers = sections(elf)
    address, size = symbol(elf, headers, b"tlb_gen")
    assert size == 8
    for header in headers:
        _, kind, _, start, offset, length = header[:6]
        if kind == 1 and start <= address < start + length:  # SHT_PROGBITS
            struct.pack_into("<Q", elf, offset + address - start, int(sys.argv[2], 0))
            open(sys.argv[3], "wb").write(elf)
            return
    sys.exit("tlb_gen is not in the file")


main()
