#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""inlines.py DESCRIBE-ALL PROGRAM: each address has the inlined functions and the lines that addr2line -ife names.

Of a program that clang made llvm-addr2line is the witness: that of binutils 2.40 does not read clang's lists of ranges."""

import re
import subprocess
import sys

describe_all, program = sys.argv[1:]


def simple(frame):
    """A frame without what only one side has: the symbol's offset, that it is after the end, and which of two labels it is."""
    frame = re.sub(r"\+0x[0-9a-f]+(, after its end)?", "", frame)
    return re.sub(r".* (\(.*\.S:[0-9]+\))", r"\1", frame)


def same(our_frames, their_frames):
    """llvm-addr2line names no function that DWARF does not describe; the symbol table, which we read then, has the name."""
    if their_frames[0].startswith("??") and len(our_frames) == len(their_frames) == 1:
        return our_frames[0].partition(" ")[2] == their_frames[0].partition(" ")[2]
    return our_frames == their_frames


ours = {}
for line in subprocess.run([describe_all, program], capture_output=True, text=True, check=True).stdout.splitlines():
    address, _, text = line.partition(" ")
    ours[address] = [simple(frame) for frame in text.split(" in ")]

by_clang = b"clang version" in open(program, "rb").read()
addr2line = "llvm-addr2line" if by_clang else "addr2line"
listing = subprocess.run([addr2line, "-aife", program], input="\n".join(ours), capture_output=True, text=True, check=True)
theirs, frames = {}, None
lines = iter(listing.stdout.splitlines())
for line in lines:
    if line.startswith("0x"):
        frames = theirs[line[2:].lstrip("0")] = []
        continue
    place = re.sub(r" \(discriminator \d+\)$", "", next(lines)).rpartition("/")[2]
    frames.append(line if re.search(r":[0?]$|\?", place) else simple(f"{line} ({place})"))

described = [address for address in ours if ours[address] != [""]]  # the others lie between two functions
different = [address for address in described if not same(ours[address], theirs[address])]
nested = sum(len(frames) > 2 for frames in theirs.values())
for address in different[:20]:
    print(f"# {address}: {' in '.join(ours[address])}\n#   addr2line: {' in '.join(theirs[address])}")
print("1..2")
print(f"{'not ' if different else ''}ok 1 - {len(described)} addresses, {len(different)} of them different")
print(f"{'' if nested else 'not '}ok 2 - {nested} with several inlined functions")
