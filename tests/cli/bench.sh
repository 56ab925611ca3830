#!/bin/sh
# SPDX-License-Identifier: MIT
# kvmap bench guest: a few of its figures, counted twice. kvmap bench verify.
. "$(dirname "$0")/tap.sh"

try bench guest vmalloc:4K vzalloc:64K vmalloc_busy15k:64K flushes
check "figures beside Linux's, under each policy" 0 out '^Policy strict$' out '^Policy lazy$' out '^Policy eager$' \
	out '^  vmalloc +4K +[0-9,]+ +3,142 ' out '^  vzalloc +64K +[0-9,]+ +72,274 ' out '^  vmalloc_busy15k +64K ' \
	out '^  Of 3 rows, [0-3] cost' out '^Flushes of 1,000 frees of 4K$' out '^  eager +0 of everything, 1000 page by page with 1000 pages; 1000 entries flushed, 0 IPIs$'
mv out first
try bench guest vmalloc:4K vzalloc:64K vmalloc_busy15k:64K flushes
cmp -s first out && ok "two runs print the same" || not_ok "two runs print the same"

try bench guest cpus --policy strict
check "four CPUs in parallel" 0 out '^4 CPUs in parallel' out '^  strict  vmalloc +4K +[0-9,]+ +[0-9.]+ +[0-9.]+ '
mv out first
try bench guest cpus --policy strict
cmp -s first out && ok "and twice the same" || not_ok "and twice the same"
try bench guest cpus --policy strict --json
check "as JSON" 0 out '"type":"bench".*"operation":"vmalloc","size":"4K","policy":"strict","cpus":4,"instructions":[0-9]+,"pairs":4096,"locks":[0-9]+'
pair=$(sed -n 's/.*"operation":"vmalloc","size":"4K".*"instructions":\([0-9]*\),.*/\1/p' out)
locks=$(sed -n 's/.*"operation":"vmalloc","size":"4K".*"locks":\([0-9]*\),.*/\1/p' out)
ipis=$(sed -n 's/.*"operation":"vmalloc","size":"4K".*"interrupts":\([0-9]*\),.*/\1/p' out)
# Each vfree() takes the CPU's own lock; the caches serve all but a few.
[ "$pair" -gt 100 ] && [ "$locks" -ge 4096 ] && [ "$locks" -lt 8192 ] && [ "$ipis" -gt 0 ] && [ "$ipis" -lt 400 ] &&
	ok "most pairs take one lock, and one round of flushes serves many" ||
	not_ok "most pairs take one lock, and one round of flushes serves many"

rounds=$(sed -n 's/.*"operation":"vmalloc","size":"1M".*"rounds":\([0-9]*\),.*/\1/p' out)
frees=$(sed -n 's/.*"operation":"vmalloc","size":"1M".*"pairs":\([0-9]*\),.*/\1/p' out)
[ "$frees" -gt 0 ] && [ $((rounds * 10)) -lt "$frees" ] && ok "a full flush serves the frees of all CPUs" ||
	not_ok "a full flush serves the frees of all CPUs"

try bench guest cpus --policy strict --cpus 2 --json
check "as many CPUs as are asked for" 0 out '"operation":"kmalloc","size":"64","policy":"strict","cpus":2,.*"pairs":2048,'
for bad in 0 65 x; do
	try bench guest cpus --cpus "$bad"
	check "--cpus $bad" 2 err "--cpus .$bad. is not a number from 1 to 64"
done

try bench guest vmalloc:4K vmalloc:16M vzalloc_used:4K --policy strict --json
check "one object a row" 0 \
	out '^\{"schema":"kvmap/1","type":"bench","seq":0,"operation":"vmalloc","size":"4K","policy":"strict","cpus":1,"instructions":[0-9]+,"linux":3142,'
[ "$(wc -l <out)" = 3 ] && ok "no row that was not asked for" || not_ok "no row that was not asked for"
instructions() {
	sed -n "s/.*\"operation\":\"$1\",\"size\":\"$2\".*\"instructions\":\([0-9]*\),.*/\1/p" out
}
# A pair maps and unmaps every page, and clears used ones: what costs less was not done, or not counted.
[ "$(instructions vmalloc 4K)" -gt 100 ] && [ "$(instructions vmalloc 16M)" -gt $((4096 * 10)) ] &&
	[ "$(instructions vzalloc_used 4K)" -gt $(($(instructions vmalloc 4K) + 400)) ] &&
	ok "the figures are possible ones" || not_ok "the figures are possible ones"

try bench guest vmap:4K vm_map_ram:64K kvmalloc:4K kvmalloc:16M vmalloc_huge:2M --policy strict --json
check "mappings of frames that there are, kvmalloc and 2M leaves" 0 out '"operation":"vmap","size":"4K"' \
	out '"operation":"vm_map_ram","size":"64K"' out '"operation":"kvmalloc","size":"16M"'
[ "$(instructions vmalloc_huge 2M)" -gt 500 ] && [ "$(instructions vmalloc_huge 2M)" -le 3000 ] &&
	[ "$(instructions vm_map_ram 64K)" -gt 160 ] && [ "$(instructions kvmalloc 4K)" -lt 300 ] &&
	ok "they cost what they may" || not_ok "they cost what they may"

# What one operation does for others is bounded, whatever its size, under each policy.
try bench guest kmalloc:64 kmalloc:4M kvmalloc:16M vmalloc vzalloc vzalloc_used:4K vzalloc_used:1M vmalloc_huge vmap vm_map_ram alloc_pages_o9 vmalloc_frag10 vmalloc_frag50 vmalloc_frag90 vmalloc_frag99 vmalloc_holes10k vfree_atomic vfree_irq_frag10 vfree_irq_frag50 vfree_irq_frag90 vfree_irq_frag99 vm_unmap_aliases --json
most=$(sed -n 's/.*"beyond":\([0-9]*\).*/\1/p' out | sort -n | tail -n 1)
[ "$status" = 0 ] && [ "$(grep -c '"beyond":[0-9]' out)" -gt 90 ] && [ "$most" -gt 100 ] && [ "$most" -le 20000 ] &&
	ok "no single operation costs more than 20,000 instructions beyond its own pages" ||
	not_ok "no single operation costs more than 20,000 instructions beyond its own pages ($most)"

# As many areas as ever wait on a CPU's list, between areas that stay; the CPU keeps as many ranges of that size as it may.
printf 'areas 4090 4K holes\nvm_unmap_aliases\nrepeat 63\n a = vmalloc 4K\n vfree a\nend\nvm_unmap_aliases\n' >aliases.kvs
try compile aliases.kvs --ticks --output module
qemu-system-x86_64 -accel tcg,thread=single -icount shift=0,sleep=off -machine pc -m 256M -nodefaults \
	-display none -no-reboot -serial stdio -monitor none -device isa-debug-exit,iobase=0xf4,iosize=4 \
	-kernel "$GUEST" -initrd module >out 2>err </dev/null
cost=$(sed -n 's/.*vm_unmap_aliases; ticks \([0-9]*\).*/\1/p' out | sort -n | tail -n 1)
[ "${cost:-0}" -gt 1000 ] && [ "$cost" -le 20000 ] && ok "nor does one that flushes all that waits" ||
	not_ok "nor does one that flushes all that waits ($cost)"

try bench guest vmalloc:64K --policy strict --log --json
check "the event log is counted" 0 out '"logged":[0-9]+'
awk -F'[:,]' '{ for (i = 1; i < NF; i++) { if ($i == "\"instructions\"") off = $(i + 1); if ($i == "\"logged\"") on = $(i + 1) } }
	END { exit !(on > off && on - off <= 32 * 15) }' out && ok "it costs at most 15 instructions for each entry" ||
	not_ok "it costs at most 15 instructions for each entry"
try bench guest vmalloc:64K --policy strict --log
check "in a table of its own" 0 out '^ *operation +size +log off +log on +more for each entry written$' out '^ *vmalloc +64K +[0-9,]+ +[0-9,]+ +[0-9.]+$'
PATH=/nowhere "$KVMAP" bench guest >out 2>err
status=$?
tried="kvmap bench guest, without QEMU"
one_line "without QEMU: what to install" 2 'qemu-system-x86_64.*PATH.*install'
try bench guest live --memory 64M
one_line "too little memory is the guest's to say" 2 'the guest says: line [0-9]+: areas .*refused'
try bench guest flushes --guest /bin/true
one_line "a guest that QEMU refuses" 2 'qemu-system-x86_64 ended with status 1: .+'
try bench guest live --policy strict --timeout 0.001
one_line "a run that takes too long" 2 'stopped after.*--timeout'
try bench guest vmalloc:5K
one_line "a size that Linux has no figure for" 2 'vmalloc:5K'
try bench host
check "nothing but the guest" 2 err 'kvmap bench guest'

# A verification, which needs KVM and no QEMU. The only comparison of times is one that holds under any load: it takes longer than reading.
try bench verify 1000 10000
check "what a verification costs" 0 out '^ *pages +areas +verification +reading +bytes read +ratio +page faults$' \
	out '^ *1,000 +40 ' out '^ *10,000 +400 '
try bench verify 1010 20000 --json
check "as JSON, of whole areas" 0 out '"type":"bench","seq":0,"operation":"verify","pages":1000,"areas":40,"full_ns":[1-9][0-9]*,"read_ns":[1-9][0-9]*,"read_bytes":[1-9][0-9]*,"page_faults":'
awk -F'[:,]' '{ for (i = 1; i < NF; i++) value[$i] = $(i + 1); if (value["\"full_ns\""] <= value["\"read_ns\""]) bad = 1
		read[NR] = value["\"read_bytes\""]; pages[NR] = value["\"pages\""] }
	# A page of an area has a page-table entry, a struct page of 32 bytes or more, and its number in the area.
	END { exit bad || NR != 2 || read[2] - read[1] < (pages[2] - pages[1]) * 44 }' out &&
	ok "it reads the tables, the struct pages and the areas" || not_ok "it reads the tables, the struct pages and the areas"
try bench verify 20000 --memory 64M
one_line "too little memory" 2 'could not allocate 20000 pages with 64 MiB: leave --memory away'
finish
