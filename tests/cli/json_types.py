#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""json_types.py KVMAP MUTANT_GUEST MUTANTS DOCUMENT SOURCES: every type of JSON line that kvmap prints, and every member of it, is in
docs/json.md, and so is every type that the sources name, none of them twice. Prints TAP; with --list the types and their members.
"""
import json
import os
import re
import subprocess
import sys
import tempfile

KVMAP, MUTANT_GUEST, MUTANTS, DOCUMENT, SOURCES = [os.path.abspath(path) for path in sys.argv[1:6]]

SCRIPTS = {
    "all.kvs": "a = vmalloc 64K\nb = vmalloc 8K\nk = kmalloc 100\nl = kmalloc 64K\nm = vmap b\nfill a\nvfree_atomic b\n"
               "expect fault guard a+64K\nexpect refused vfree a+8\npurge\nc = vmalloc 8K\nvfree c\nset_memory_ro a 16\n"
               "on cpu 1 purge\nparallel\n on cpu 1 purge\nend\nverify\n",
    "later.kvs": "a = vmalloc 64K\nd = vmalloc 16K\nfill a\nset_memory_ro d 4\nvfree d\ne = vmalloc 4K\n",
    "oops.kvs": "a = vmalloc 64K\ncrash oops\n",
    "full.kvs": "memory 64M\na = vmalloc 100M\n",
    "huge.kvs": "h = vmalloc_huge 4M\nvfree h\nv = vmalloc_huge 4M\n",
}
# Each with --json. {M}: options of the guest with deliberate bugs.
COMMANDS = [
    "run all.kvs --cpus 2 --nodes 2 --dump all.core", "run later.kvs --dump later.core", "run oops.kvs --dump oops.core",
    "run full.kvs", "run huge.kvs",
    "run huge.kvs --log --record-events events", "replay events --list", "run all.kvs --cpus 2 --fail-allocation 3", "run hang.kvs --timeout 1",
    "run %s/06-frame-order.kvs {M}" % MUTANTS, "run %s/20-missing-flush-long-ago.kvs {M}" % MUTANTS,
    "map all.core --check", "map %s/05-writable-text.kvs --check {M}" % MUTANTS, "walk all.core a", "walk all.core 0x123000", "areas all.core",
    "areas %s/01-guard-mapped.kvs {M}" % MUTANTS, "frames all.core", "frames all.core a", "frames all.core l",
    "backtrace oops.core", "diff all.core later.core --entries --contents --all",
    "print all.core zones[0]", "dump all.core other.core", "verify all.core", "bench verify 100", "ps",
    "shell lines", "proc all.core meminfo", "proc all.core vmallocinfo", "proc all.core buddyinfo", "proc all.core slabinfo",
    "lab", "lab contiguity", "lab contiguity --exercise",
]


def seen(folder):
    """{type: {member: the command that printed it}}"""
    types = {}
    for name, text in SCRIPTS.items():
        with open(os.path.join(folder, name), "w") as file:
            file.write(text)
    with open(os.path.join(folder, "hang.kvs"), "w") as file:
        file.write("crash hang\n")
    for command in COMMANDS:
        words = command.replace("{M}", "--guest " + MUTANT_GUEST).split()
        typed = b"a = vmalloc 4K\ncrash oops\n" if words == ["shell", "lines"] else b""
        words = words[:1] if typed else words
        result = subprocess.run([KVMAP] + words + ["--json"], cwd=folder, input=typed,
                                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=600, check=False)
        for line in result.stdout.decode().splitlines():
            item = json.loads(line)
            for member in item:
                types.setdefault(item["type"], {}).setdefault(member, command)
    return types


def documented(text):
    """{type: members} of the rows "| `type` | ... | `member`, ... |", and the types with several rows."""
    types, repeated = {}, set()
    for row in re.findall(r"(?m)^\| (`[a-z_0-9]+`(?:, `[a-z_0-9]+`)*) \|[^|]*\| (.*) \|$", text):
        for name in re.findall(r"`([a-z_0-9]+)`", row[0]):
            repeated |= {name} & set(types)
            types[name] = set(re.findall(r"`([A-Za-z_0-9]+)`", row[1]))
    return types, repeated


def main():
    with tempfile.TemporaryDirectory() as folder:
        types = seen(folder)
    if "--list" in sys.argv:
        for name in sorted(types):
            print(name, ", ".join(member for member in types[name] if member not in ("schema", "type", "seq")))
        return
    with open(DOCUMENT) as file:
        rows, repeated = documented(file.read())
    number = 0
    for name in sorted(types):
        number += 1
        missing = set(types[name]) - rows.get(name, set()) - {"schema", "type", "seq"}
        print("%s %d - %s" % ("not ok" if missing or name not in rows else "ok", number, name))
        for member in sorted(missing):
            print("# %s is not in docs/json.md: kvmap %s --json" % (member, types[name][member]))
    named = set()
    for path, _, names in os.walk(SOURCES):
        for name in names:
            with open(os.path.join(path, name)) as file:
                for call in re.findall(r"json_start\(report, ([^;]*);", file.read()):
                    named |= set(re.findall(r'"([a-z_0-9]+)"', call))
    number += 1
    print("%s %d - the types that the sources name" % ("not ok" if named - set(rows) else "ok", number))
    for name in sorted(named - set(rows)):
        print("# %s is not in docs/json.md" % name)
    number += 1
    print("%s %d - one row for each type" % ("not ok" if repeated else "ok", number))
    for name in sorted(repeated):
        print("# %s has several rows in docs/json.md" % name)
    print("1..%d" % number)


main()
