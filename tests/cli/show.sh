#!/bin/sh
# SPDX-License-Identifier: MIT
# The operation `show`: parts of the report at their place.
. "$(dirname "$0")/tap.sh"

cat >show.kvs <<'END'
a = vmalloc 64K
show meminfo
show areas
show frames a
show frames a + 64K
show frames 0
vfree a
show vmallocinfo
show buddyinfo
show slabinfo
END
try run show.kvs
check "each is in the report" 0 out '^VmallocUsed: +64 kB$' out "^  a, tables: 16 pages rw-.*: ok$" \
	out '^Frame 0x.*: live area$' out '^  0xffffc90000010000 is not mapped' out '^  0x0 is not mapped' \
	out '^0xffffc90000000000-.* unpurged vm_area' out '^Node 0, zone +DMA32 ' out '^slabinfo - version'
sed -n '/^  *[0-9]*  show areas/,/^  *[0-9]*  show frames a /p' out | grep -q '^1 area, 0 of them wrong$' &&
	ok "at its place" || not_ok "at its place"

try run show.kvs --json
check "and in JSON" 0 out '"type":"meminfo".*"VmallocUsed","kib":64' out '"type":"areas".*"areas":1' \
	out '"type":"frame".*"mapped":false' out '"type":"slabinfo"' out '"type":"buddyinfo"'
numbered "whose lines are numbered"

printf 'a = vmalloc 4K\nrepeat 3\nshow meminfo\nend\n' >repeat.kvs
try run repeat.kvs
check "of several, the last one is shown" 0 out '3 times; last: shown'
[ "$(grep -c ^MemTotal out)" = 1 ] && ok "once" || not_ok "once"

try run -e 'a = vmalloc 64K; b = vmalloc 8K; show areas b; show areas a + 64K; show areas 0; show areas text'
check "of an address its area" 0 out "^  b, tables: 2 pages rw-.*: ok$" out "^  a, tables: 16 pages rw-" \
	out '^  0x0 lies in no area$' out '^  0xffffffff80200000 lies in no area$'
[ "$(grep -c '^  b, tables' out)" = 1 ] && ok "alone" || not_ok "alone"
try run -e 'a = vmalloc 64K; show areas a; show areas 0' --json
check "in JSON, too" 0 out '"type":"area",.*"variable":"a"' out '"type":"area",.*"address":"0x0","found":false'
try run -e 'expect refused a = vmalloc 1T; expect refused show areas a'
check "unless it is of a variable that is not set" 0 out 'refused as expected'
try run -e 'show areas rodata'
check "or of rodata" 2 err 'only the guest knows where rodata is'

try run -e 'expect refused a = vmalloc 1T; expect refused show frames a'
check "a variable that is not set is refused" 0 out 'refused as expected'
try run -e 'parallel; on cpu 0 show areas; end'
check "not in a parallel" 2 err 'show needs all CPUs to be idle'
try run -e 'show memory'
check "what there is not" 2 err "expected what to show, got 'memory': meminfo, vmallocinfo"
try run -e 'show frames'
check "frames take an address" 2 err 'missing'
try run -e 'show frames rodata'
check "but rodata" 2 err 'only the guest knows where rodata is'
finish
