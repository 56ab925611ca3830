#!/bin/sh
# SPDX-License-Identifier: MIT
# Whatever the memory manager refuses is warned of: why, who called, and the area that it is about; and nothing was
# changed.
. "$(dirname "$0")/tap.sh"

# OPERATION | why | function that called | bytes of the area or object that is named, 0: none
cat >table <<'END'
vmalloc 0|size is zero|op_vmalloc|0
vzalloc 0|size is zero|op_vzalloc|0
vmalloc_huge 0|size is zero|op_vmalloc_huge|0
kmalloc 0|size is zero|op_kmalloc|0
kzalloc 0|size is zero|op_kzalloc|0
kvmalloc 0|size is zero|op_kvmalloc|0
vmalloc 1024G|size is too large|op_vmalloc|0
vmalloc_32 1024G|size is too large|op_vmalloc_32|0
vmalloc_huge 1024G|size is too large|op_vmalloc_huge|0
kmalloc 5M|size is too large|op_kmalloc|0
kmalloc_node 5M 0|size is too large|op_kmalloc_node|0
vmalloc_array 0x100000000 0x100000000|size is too large|op_vmalloc_array|0
vcalloc 0x100000000 0x100000000|size is too large|op_vcalloc|0
kvmalloc_array 0x100000000 0x100000000|size is too large|op_kvmalloc_array|0
kvcalloc 0x100000000 0x100000000|size is too large|op_kvcalloc|0
kmalloc_array 0x100000000 0x100000000|size is too large|op_kmalloc_array|0
kcalloc 0x100000000 0x100000000|size is too large|op_kcalloc|0
__vmalloc 4K __GFP_NOFAIL|__GFP_NOFAIL is not supported: any allocation may fail|op_vmalloc_gfp|0
__vmalloc 4K __GFP_DMA\|__GFP_DMA32|invalid GFP flags|op_vmalloc_gfp|0
kmalloc 64 __GFP_NOFAIL|__GFP_NOFAIL is not supported: any allocation may fail|op_kmalloc|0
vfree a+8|address is not page-aligned|op_vfree|65536
vfree a+4K|address is inside an allocation, not at its start|op_vfree|65536
vfree 0xffffc90040000000|nothing is allocated at this address|op_vfree|0
vfree k|nothing is allocated at this address|op_vfree|128
vfree f|double free|op_vfree|4096
vfree m|wrong function for this kind of area|op_vfree|8192
vfree r|wrong function for this kind of area|op_vfree|8192
vfree_atomic f|double free|op_vfree_atomic|4096
vfree_atomic a+4K|address is inside an allocation, not at its start|op_vfree_atomic|65536
vunmap b|wrong function for this kind of area|op_vunmap|8192
vunmap m+4K|address is inside an allocation, not at its start|op_vunmap|8192
vm_unmap_ram r 1|page count differs from the area's|op_vm_unmap_ram|8192
vm_unmap_ram r 0|size is zero|op_vm_unmap_ram|8192
vm_unmap_ram r+8 2|address is not page-aligned|op_vm_unmap_ram|8192
vrealloc a+4K 8K|address is inside an allocation, not at its start|op_vrealloc|65536
vrealloc w 8K|the area is read-only|op_vrealloc|4096
vrealloc m 4K|wrong function for this kind of area|op_vrealloc|8192
vrealloc a 1024G|size is too large|op_vrealloc|65536
kvrealloc a+4K 8K|address is inside an allocation, not at its start|op_kvrealloc|65536
kvrealloc k+8 200|nothing is allocated at this address|op_kvrealloc|128
krealloc k+8 200|nothing is allocated at this address|op_krealloc|128
krealloc k 5M|size is too large|op_krealloc|0
kvfree a+4K|address is inside an allocation, not at its start|op_kvfree|65536
kvfree k+8|address is inside an allocation, not at its start|op_kvfree|128
set_memory_x a 16|would be writable and executable|op_set_memory_x|65536
set_memory_rw x 1|would be writable and executable|op_set_memory_rw|4096
set_memory_ro a 3|page count differs from the area's|op_set_memory_ro|65536
set_memory_nx a+4K 1|address is inside an allocation, not at its start|op_set_memory_nx|65536
kfree k+8|address is inside an allocation, not at its start|op_kfree|128
kfree l+4K|nothing is allocated at this address|op_kfree|65536
kfree l+8|address is inside an allocation, not at its start|op_kfree|65536
kfree a|nothing is allocated at this address|op_kfree|65536
kfree g|double free|op_kfree|64
in interrupt vmalloc 4K|not allowed in an interrupt|op_vmalloc|0
in interrupt vmalloc_huge 4M|not allowed in an interrupt|op_vmalloc_huge|0
in interrupt kmalloc 64|not allowed in an interrupt|op_kmalloc|0
in interrupt kmalloc 64K|not allowed in an interrupt|op_kmalloc|0
in interrupt kvmalloc 64K|not allowed in an interrupt|op_kvmalloc|0
in interrupt vmap b|not allowed in an interrupt|map_[a-z0-9_.]*|0
in interrupt vunmap m|not allowed in an interrupt|op_vunmap|8192
in interrupt vm_unmap_ram r 2|not allowed in an interrupt|op_vm_unmap_ram|8192
in interrupt vm_unmap_aliases|not allowed in an interrupt|op_vm_unmap_aliases|0
in interrupt vrealloc a 8K|not allowed in an interrupt|op_vrealloc|65536
in interrupt set_memory_ro a 16|not allowed in an interrupt|op_set_memory_ro|65536
in interrupt vfree f|double free|op_vfree|4096
END

cat >before.kvs <<'END'
a = vmalloc 64K
b = vmalloc 8K
m = vmap b
r = vm_map_ram b
k = kmalloc 100
l = kmalloc 64K
w = vmalloc 4K
set_memory_ro w 1
x = vmalloc 4K
set_memory_ro x 1
set_memory_x x 1
g = kmalloc 64
kfree g
f = vmalloc 4K
vfree f
fill a seed 1
END

# What may be read in a pattern of grep -E as it stands.
plain() {
	printf %s "$1" | sed 's/[][()|+*.?^$\\]/\\&/g'
}

sed 's/\\|/;/g' table | while IFS='|' read -r operation why caller bytes; do
	operation=$(printf %s "$operation" | tr ';' '|')
	case $operation in
	'in interrupt '*) line="in interrupt expect refused ${operation#in interrupt }" interrupted=true ;;
	*) line="expect refused $operation" interrupted=false ;;
	esac
	printf '%s\nverify\ncheck a\n' "$line" | cat before.kvs - >row.kvs
	try run row.kvs --json
	pattern="\"type\":\"warning\".*\"line\":17,\"why\":\"$(plain "$why")\",\"in_interrupt\":$interrupted,.*\"caller_place\":\"$caller\\+0x[0-9a-f]+ \\([a-z_]+\\.c:[0-9]+\\)\".*\"area_size\":$bytes,"
	area='"area":"0x0"'
	[ "$bytes" = 0 ] || area='"area":"0xffff[0-9a-f]+"'
	owner='.'
	case $bytes in 4096 | 8192 | 65536) grep -q '"type":"warning".*"area":"0xffffc9' out &&
		# A call that clang merged from several lines has none.
		owner='"type":"warning".*"area_caller_place":"[a-z_]+\+0x[0-9a-f]+( \(op_[a-z]+\.c:[0-9]+\))?"' ;;
	esac
	check "$operation: $why" 0 out "$pattern" out "\"type\":\"warning\".*$area" out "$owner" out '"type":"verdict".*"ok":true,"findings":0'
done >rows
cat rows
number=$(grep -c '^ok\|^not ok' rows)

try run "$IMAGES/refused.kvs"
check "the text names them, too" 0 out '^Warnings$' out 'refused.kvs:16: .*: double free, of' out 'called by' out 'op_vfree\+0x[0-9a-f]+ \(op_areas.c:[0-9]+\); in the 8 KiB' out 'allocated by op_vmalloc'
printf 'expect refused __vmalloc 512M GFP_KERNEL|__GFP_NOWARN\nexpect refused kmalloc 5M __GFP_NOWARN\na = kvmalloc 5M\n' >quiet.kvs
try run quiet.kvs --json
if [ "$status" = 0 ] && ! grep -q '"type":"warning"' out; then
	ok "who says __GFP_NOWARN is not warned of, nor is what another way served"
else
	not_ok "who says __GFP_NOWARN is not warned of, nor is what another way served"
fi
printf 'a = vmalloc 40M\nexpect refused vmalloc 30M\nexpect refused vmalloc_huge 30M\nverify\n' >full.kvs
try run full.kvs --memory 64M --json
check "memory that is out" 0 out '"line":2,"why":"not enough free page frames".*"caller_place":"op_vmalloc.0x' out '"line":3,"why":"not enough free page frames".*"caller_place":"op_vmalloc_huge.0x' out '"ok":true,"findings":0'
try run full.kvs --memory 64M
check "and how much of it is free then, in which blocks" 0 out '^ +Free blocks of order 0 to 10 then, as in /proc/buddyinfo:$' out '^      Node 0, zone +DMA +[0-9]+ +[0-9]+ ' out '^      Node 0, zone +DMA32 +[0-9]+ +[0-9]+ '
printf 'fragment 50%% of 80M\na = kmalloc 4M\n' >scattered.kvs
try run scattered.kvs --memory 64M
tr -s ' \n' '  ' <out >refused
check "no block of that order, though frames are free" 2 refused 'no free block of 4 MiB .*[0-9,]+ frames free, .*, the largest block of [0-9]+ KiB .order [0-9]\)'
[ "$(grep -o 'frames free' refused | wc -l)" = 1 ] && ok "the frames are said once" || not_ok "the frames are said once"
try run scattered.kvs --memory 64M --json
frames=$(sed -n 's/.* \([0-9,]*\) frames free,.*/\1/p' refused | tr -d ,)
sum=$(grep '"type":"buddyinfo"' out | sed 's/.*"free":\[\(.*\)\].*/\1/' | awk -F, '{ for (i = 1; i <= NF; i++) frames += $i * 2 ^ (i - 1) } END { print frames }')
[ -n "$frames" ] && [ "$frames" = "$sum" ] && ok "the sum of the blocks is that number" || not_ok "the sum of the blocks is that number ($sum)"
# Each number of a refusal is the host's recount.
printf 'fragment 50%% of 80M\na = kmalloc 1M\n' >scattered.kvs
try run scattered.kvs --memory 64M --json --dump scattered.core
check "no block of that order, though frames are free" 2 out '"why":"not enough free page frames".*"wanted":1048576,"order":8,"zone":"Normal","free":[0-9]+,.*"largest_order":[0-7][^0-9]'
number() {
	sed -n "s/.*\"type\":\"warning\".*\"$1\":\([0-9]*\).*/\1/p" out
}
free=$(number free) largest=$(number largest_order)
try proc scattered.core buddyinfo
blocks=$(awk '{ for (i = 5; i <= NF; i++) { frames += $i * 2 ^ (i - 5); if ($i && i - 5 > most) most = i - 5 } } END { print frames, most }' out)
[ -n "$free" ] && [ "$blocks" = "$free $largest" ] && ok "frames and the largest block are those of buddyinfo" ||
	not_ok "frames and the largest block are those of buddyinfo ($free $largest, $blocks)"
try run scattered.kvs --memory 64M
tr -s ' \n' '  ' <out >flat
check "and the text has them" 2 flat 'no free block of 1 MiB .order 8. in the zones up to Normal: [0-9,]+ frames free, [0-9,]+ of'
printf 'm = vmalloc 8M\nexpect refused vmap m\nexpect refused kmalloc 5M\nexpect refused vmalloc 100G\n' >limits.kvs
try run limits.kvs --json
check "a limit is named" 0 out '"line":2,"why":"size is too large".*op_vmap.*"wanted":8388608,"limit":4194304,"limit_of":"the limit of the operation"' \
	out '"line":3,.*"wanted":5242880,"limit":4194304,"limit_of":"kmalloc.s limit"' out '"line":4,.*"limit_of":"all memory that is managed"'
printf 'on cpu 1 expect refused vmalloc 0\nparallel\n  expect refused vfree 0x1000\n  on cpu 1 expect refused kmalloc 0\n  on cpu 2 a = vmalloc 4K\nend\n' >cpus.kvs
try run cpus.kvs --cpus 3 --json
check "each CPU has its own" 0 out '"type":"warning".*"line":1,"why":"size is zero"' out '"type":"warning".*"line":3,"why":"nothing is allocated at this address"' out '"type":"warning".*"line":4,"why":"size is zero"'
[ "$(grep -c '"type":"warning"' out)" = 3 ] && ok "and no more" || not_ok "and no more"
finish
