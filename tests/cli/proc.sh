#!/bin/sh
# SPDX-License-Identifier: MIT
# kvmap proc: the guest's counters of a real run, read as scripts read Linux's files.
. "$(dirname "$0")/tap.sh"

cat >areas.kvs <<EOF
fragment 60% seed 7
a = vmalloc 64K
b = vzalloc 8K
c = vmalloc 1M
vfree b
EOF
try run areas.kvs --dump a.core
check "the guest whose accounts are read is verified" 0

# value FILE LABEL: of meminfo, in KiB
value() {
	awk -v label="$2:" '$1 == label && $3 == "kB" { print $2 }' "$1"
}

try proc a.core meminfo
check "meminfo" 0 out '^MemTotal: +[0-9]+ kB$' out '^VmallocTotal: +34359738368 kB$'
mv out meminfo
[ "$(value meminfo VmallocUsed)" = 1088 ] && ok "VmallocUsed counts live areas" || not_ok "VmallocUsed counts live areas"
[ "$(value meminfo KvmapLazyFreed)" = 8 ] && ok "lazily freed frames are counted as such" || not_ok "lazily freed frames are counted as such"
[ $(($(value meminfo DirectMap4k) + $(value meminfo DirectMap2M) + $(value meminfo DirectMap1G))) = 262144 ] &&
	ok "the direct map has all of RAM" || not_ok "the direct map has all of RAM"
[ "$(value meminfo MemFree)" -lt "$(value meminfo MemTotal)" ] && [ "$(value meminfo VmallocChunk)" -gt 34359000000 ] &&
	ok "free is less than all; the largest free range is nearly all" || not_ok "free is less than all"

try proc a.core buddyinfo
check "buddyinfo" 0 out '^Node 0, zone +DMA32 ( *[0-9]+){11} *$'
free=$(awk '{ for (i = 5; i <= NF; i++) pages += $i * 2 ^ (i - 5) } END { print pages * 4 }' out)
[ "$free" = "$(value meminfo MemFree)" ] && ok "the blocks of buddyinfo add up to MemFree" ||
	not_ok "the blocks of buddyinfo add up to MemFree ($free)"

try proc a.core vmallocinfo
check "vmallocinfo: size, caller, pages, flag; the freed one at the end" 0 \
	out "^0xffffc90000000000-0x$(vmalloc_address 16 1)   $(area_bytes 16) op_vmalloc\+0x[0-9a-f]+/0x[0-9a-f]+ pages=16 vmalloc N0=16\$" \
	out "^0x[0-9a-f]{16}-0x[0-9a-f]{16}   $(area_bytes 2) unpurged vm_area\$"
kib=$(sed -n 's/.* pages=\([0-9]*\) .*/\1/p' out | awk '{ pages += $1 } END { print pages * 4 }')
[ "$kib" = "$(value meminfo VmallocUsed)" ] && ok "the pages of vmallocinfo add up to VmallocUsed" ||
	not_ok "the pages of vmallocinfo add up to VmallocUsed ($kib)"

try proc a.core slabinfo
check "slabinfo" 0 out '^slabinfo - version: 2.1$' out '^vm_struct +[0-9]+ ' out '^vmap_area +[0-9]+ '
kib=$(awk 'NR > 2 { pages += $15 * $6 } END { print pages * 4 }' out)
[ "$kib" = "$(value meminfo Slab)" ] && ok "the slabs of slabinfo add up to Slab" || not_ok "the slabs of slabinfo add up to Slab ($kib)"

for file in meminfo vmallocinfo buddyinfo slabinfo; do
	try proc areas.kvs "$file" --json
	check "$file of a script that is run first, as JSON" 0 out "^\{\"schema\":\"kvmap/1\",\"type\":\"$file\",\"seq\":0,"
done
try proc a.core cpuinfo
one_line "a file that the guest does not have" 2 'cpuinfo.*meminfo, vmallocinfo'
try proc a.core
check "a missing file" 2 err 'the name of the file .meminfo, vmallocinfo, buddyinfo or slabinfo. is missing'
finish
