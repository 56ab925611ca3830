#!/bin/sh
# SPDX-License-Identifier: MIT
# kvmap areas: claims, tables and verdict of each area.
. "$(dirname "$0")/tap.sh"

cat >areas.kvs <<EOF
fragment 60% seed 7
a = vmalloc 64K
b = vzalloc 8K
c = vmap a
d = vmalloc 4K
vfree b
EOF
try run areas.kvs --dump a.core
check "the guest whose areas are inspected is verified" 0
try areas a.core
check "live areas, a mapping of frames of others, and a freed area, each with tables and verdict" 0 \
	out "^0xffffc90000000000-0x$(vmalloc_address 16 1)   $(area_bytes 16) op_vmalloc\+0x[0-9a-f]+/0x[0-9a-f]+ pages=16 vmalloc N0=16\$" \
	out '^  a, tables: 16 pages rw- in [0-9]+ runs from GPA 0x[0-9a-f]+, guard 0xffffc90000010000 not mapped: ok$' \
	out ' pages=16 vmap N0=16$' out ' pages=1 phys=0x[0-9a-f]+ vmalloc N0=1$' out ' lazily freed .*pages=2' \
	out '^  b, tables: nothing mapped, .*: ok$' out '^4 areas, 0 of them wrong$'
printf 'a = vmalloc_huge 4M\n' >huge.kvs
try areas huge.kvs
check "each flag of an area has a word" 0 out ' pages=1024 phys=0x[0-9a-f]+ vmalloc huge N0=1024'
try proc a.core vmallocinfo
cut -d ' ' -f 1 out >wanted
try areas a.core
grep -o '^0x[0-9a-f]*-0x[0-9a-f]*' out >found
cmp -s wanted found && ok "they are those of vmallocinfo" || not_ok "they are those of vmallocinfo"
try areas areas.kvs --json
check "areas of a script that is run first, as JSON" 0 \
	out '"type":"area","seq":0,"address":"0xffffc90000000000","variable":"a",.*"flag_words":\["vmalloc"\].*"tables":\{"pages":16,.*"rights":"rw-","guard_mapped":false.*"findings":\[\],"ok":true' \
	out '"type":"areas".*"areas":4,"wrong":0,"other_findings":0'
try areas a.core --guest /bin/true
check "a guest that makes no claims" 2 err 'kvmap: '

# ---- one area ----
try areas a.core a
check "the area of a variable alone" 0 out '^  a, tables: 16 pages' out '^1 area of 4, 0 of them wrong$'
[ "$(grep -c '^0x' out)" = 1 ] && ok "no other" || not_ok "no other"
try areas a.core a+4096 --json
check "of an address in it, as JSON" 0 out '"type":"area".*"variable":"a"' out '"type":"areas".*"areas":1,"wrong":0'
try areas a.core 0xffffc90000000000
check "of a number" 0 out '^  a, tables'
try areas -e 'a = vmalloc 4K; b = vmalloc 8K' b
check "of operations" 0 out '^  b, tables: 2 pages' out '^1 area of 2, '
try areas a.core 0xffffe00000000000
one_line "an address in no area" 2 '0xffffe00000000000.* lies in no area'
try areas a.core nope
one_line "what is no address" 2 '.nope. is neither an address'
try areas a.core a b
one_line "one area at a time" 2 '.b. is one argument too many'

# ---- a guest that is wrong ----
try areas "$MUTANTS/01-guard-mapped.kvs" --guest "$MUTANT_GUEST"
check "an area whose guard is mapped is named, the other one is ok" 1 \
	out 'guard 0xffffc90000010000 MAPPED: V3$' out '^    V3 at 0xffffc90000010000: claimed guard page, not mapped; found GPA' \
	out 'not mapped: ok$' out '^2 areas, 1 of them wrong$'
try areas "$MUTANTS/01-guard-mapped.kvs" 0xffffc90000000000 --guest "$MUTANT_GUEST"
check "the findings of the area alone count" 1 out 'MAPPED: V3$' out '^1 area of 2, 1 of them wrong$'
try areas "$MUTANTS/01-guard-mapped.kvs" --guest "$MUTANT_GUEST"
try areas "$MUTANTS/01-guard-mapped.kvs" "$(grep '^0x' out | tail -n 1 | cut -d - -f 1)" --guest "$MUTANT_GUEST"
check "the other one is right" 0 out 'not mapped: ok$' out '^1 area of 2, 0 of them wrong; and 1 finding not about it'
try areas "$MUTANTS/03-lost-frame.kvs" --guest "$MUTANT_GUEST"
check "a finding about no area is not hidden" 1 out 'not mapped: ok$' out '0 of them wrong; and 1 finding about no area'
finish
