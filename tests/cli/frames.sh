#!/bin/sh
# SPDX-License-Identifier: MIT
# kvmap frames: of cores and scripts, with and without claims.
. "$(dirname "$0")/tap.sh"

cat >frames.kvs <<EOF
fragment 60% seed 7
a = vmalloc 64K
b = vmalloc 4K
c = vmap a
vfree b
EOF
try run frames.kvs --dump a.core
check "the guest whose frames are inspected is verified" 0

# sum TYPE MEMBER: over all JSON lines of that type in out
sum() {
	sed -n "s/^.*\"type\":\"$1\".*\"$2\":\([0-9]*\).*/\1/p" out | awk '{ n += $1 } END { printf "%d", n }'
}

try frames a.core
check "owners, map and histograms of a core" 0 out '^65,536 page frames by owner, as the guest claims' \
	out '^  a  live area +16 +64 KiB' out '^  f  freed area +1 +4 KiB' out '^  0001000000 \|R+.H' \
	out 'frames apart' out 'pages in a run'
try frames a.core --json
check "frames as JSON" 0 out '"type":"frame_owner","seq":[0-9]+,"owner":"live area","frames":16,"wrong":false' out '"type":"scatter"'
[ "$(sum frame_run frames)" = 65536 ] && [ "$(sum frame_owner frames)" = 65536 ] &&
	ok "runs and owners add up to memory" || not_ok "runs and owners add up to memory"
try frames a.core --guest /bin/true
check "without claims, owners come from the tables" 0 out 'as the page tables show' out '^  v  mapped more than once' out '^  \.  untouched'
try frames frames.kvs --memory 64M
check "frames of a script that is run first" 0 out '^16,384 page frames'

# ---- one frame ----
try walk a.core 0xffffc90000000000 --json
gpa=$(sed -n 's/.*"type":"walk".*"gpa":"\(0x[0-9a-f]*\)".*/\1/p' out)
try frames a.core "$gpa"
check "a frame of an area that is mapped twice: its area, its struct page, three addresses" 0 \
	out 'live area: page 0 of the 64 KiB area .a. at 0xffffc90000000000' out 'struct page +owner vmalloc' \
	out 'reached +at 3 addresses, never' out '^  0xffff8880.*direct map' out '^  0xffffc90000000000  rw-  4K, by entry 0 of table'
try frames a.core "pfn:$(printf '0x%x' $((gpa >> 12)))" --json
check "the same by its number, as JSON" 0 out '"type":"frame_reach".*"address":"0xffffc90000000000"' out "\"type\":\"frame\".*\"gpa\":\"$gpa\".*\"pages\":3"
table=$(sed -n 's/.*"address":"0xffffc90000000000".*"table":"\(0x[0-9a-f]*\)".*/\1/p' out)
try frames a.core "$table"
check "a page table" 0 out 'page table' out '1 time as a page table' out 'table of level 1, by entry 0 of table'
try frames a.core 0xfee00000
one_line "a frame where no memory is, and to which nothing points" 2 'frame 0xfee00, GPA 0xfee00000: no memory is there, .*up to GPA 0x10000000'
try frames a.core banana
one_line "a frame that is no number" 2 'banana.*pfn:NUMBER'
try frames a.core 0x10000000000000
one_line "a frame beyond all physical addresses" 2 '52 bits'
try frames a.core 0x0 0x0
check "an argument too many" 2 err 'one argument too many'
try frames
check "a missing source" 2 err 'SOURCE is missing'
finish
