#!/bin/sh
# SPDX-License-Identifier: MIT
# kvmap diff: two points of one guest, with and without claims.
. "$(dirname "$0")/tap.sh"

cat >before.kvs <<EOF
fragment 60% seed 7
a = vmalloc 64K
b = vmalloc 4K
c = vmalloc 16K
EOF
cp before.kvs again.kvs
cp before.kvs after.kvs
cat >>after.kvs <<EOF
vfree b
d = vmalloc 32K
set_memory_ro c 4
EOF
for script in before after; do
	try run $script.kvs --dump $script.core
	check "$script is verified" 0
done

try diff before.core before.core
check "a core and itself are the same" 0 out '^The same is mapped'
try diff before.kvs again.kvs
check "two runs of one script are the same" 0 out '^The same is mapped'
b=$(vmalloc_address 16 1) c=$(vmalloc_address 17 2) d=$(vmalloc_address 21 3)
try diff before.core after.core --entries
check "what was freed, allocated and protected: pages, areas, frames, entries" 1 \
	out '^  13 pages in 3 ranges$' \
	out "^  0x$b +4 KiB  unmapped  rw- 4K GPA 0x" \
	out "^  0x$c +16 KiB  rights    rw- 4K GPA (0x[0-9a-f]+) -> r-- 4K GPA " \
	out "^  0x$d +32 KiB  mapped    rw- 4K" \
	out '^ +13  of level 1, PT$' \
	out "^  0x$b  PT +$((16 + guard_pages)) of 0x[0-9a-f]+: 0x8[0-9a-f]{15} -> 0x0000000000000000\$" \
	out "^  0x$b  freed: 4 KiB" out "^  0x$c  flags: 16 KiB" out "^  0x$d  new: 32 KiB" \
	out '^ +1  in 1 run: live area -> freed area$' out '^ +[0-9]+  in [0-9]+ runs?: .* -> live area$'
try diff before.core after.core --json
check "as JSON" 1 out '"type":"diff".*"ranges":3,"pages":13,.*"entries_by_level":\[13,0,0,0,0\],"areas":3,"frames":9,"frames_from":"claims"'
frames=$(sed -n 's/.*"type":"diff_frames".*"frames":\([0-9]*\).*"after":"live area".*/\1/p' out | awk '{ n += $1 } END { print n }')
[ "$frames" = 8 ] && ok "eight frames became an area's" || not_ok "eight frames became an area's ($frames)"
try diff after.core before.core --json
check "the other way round" 1 out '"pages_by_change":\{"mapped":1,"unmapped":8,"frames":0,"rights":4' \
	out '"type":"diff_area".*"changes":\["gone"\]'
try diff before.core after.core --guest /bin/true
check "without claims" 1 out '^  13 pages in 3 ranges$' out '^ +8  in [0-9]+ runs?: .* -> mapped more than once$'

# ---- what areas hold ----
printf 'a = vmalloc 64K\nfill a seed 3\nb = vmalloc 8K\n' >holds.kvs
cp holds.kvs other.kvs
printf 'write a+0x1008 7\nwrite a+0x2010 7\nwrite a+0x5000 7\n' >>other.kvs
for script in holds other; do
	try run $script.kvs --dump $script.core
	check "$script is verified" 0
done
try diff holds.core holds.core --contents
check "the same contents" 0 out '^Areas have the same contents'
try diff holds.core other.core
check "contents are not compared unless asked for" 0
try diff holds.core other.core --contents
check "pages that hold something else" 1 out '^  contents differ in 3 of 18 pages that both sources map' \
	out '^  0xffffc90000001000  2 pages: byte 0x1000 of the 64 KiB area' out '^  0xffffc90000005000  1 page: '
try diff holds.core other.core --contents --json
check "as JSON" 1 out '"type":"diff_contents",.*"address":"0xffffc90000001000","pages":2' out '"contents_pages":3,"contents_compared":18'

# ---- a VM that runs ----
"$KVMAP" run after.kvs --hold --control ./vm.sock $patient >vm.out 2>vm.err </dev/null &
vm=$!
wait_for $vm grep -q 'at its end' vm.err
try diff before.core ./vm.sock -v
check "a core and a VM that runs" 1 out '^  13 pages in 3 ranges$' err "^paused PID $vm "
try diff ./vm.sock after.core --json
check "a VM and its core are the same" 0 out '"seq":0,.*"pid":'"$vm" out '"type":"diff","seq":.*"pages":0,'
kill "$vm"
wait "$vm"

try diff before.core
check "one source is not enough" 2 err 'two SOURCEs'
try diff before.core after.core before.core
check "three are too many" 2 err 'one argument too many'
try diff before.core missing.core
one_line "a source that is missing" 2 'missing.core.*No such file'
finish
