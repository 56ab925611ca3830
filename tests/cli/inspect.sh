#!/bin/sh
# SPDX-License-Identifier: MIT
# kvmap walk and map: what they show of a guest, and what they refuse.
. "$(dirname "$0")/tap.sh"

cat >core.kvs <<EOF
a = vmalloc 64K
b = vzalloc 8K
fill a seed 3
EOF
"$KVMAP" run core.kvs --dump a.core --cpus 2 >/dev/null 2>err

# ---- walk ----
try walk a.core 0xffffc90000000123
check "a walk shows bits, memory type, slot, HVA and who may do what" 0 out 'P W A D G NX -> page 0x' \
	out 'rights rw-, WB memory \(PAT entry 0\)$' out '^slot +byte 0x[0-9a-f]+ of the 256 MiB' out '^HVA +0x' \
	out '^HPA +not seen: ' out 'supervisor +yes +yes +no: NX$' out 'user +no: supervisor page'
try walk a.core vmalloc
check "text may be executed and not written" 0 out 'supervisor +yes +no: read-only +yes$'
try walk a.core 0xffffc90000000000 --json
check "the same as JSON" 0 out '"type":"level",.*"name":"PT",.*"decoded":"P W A D G NX ->' \
	out '"memory_type":"WB","pat_known":true' out '"supervisor_may":\{"read":"yes","write":"yes","execute":"no: NX"\}'
try walk a.core 0x800000000000
check "an address that is not canonical" 1 out '^stops: address not canonical$'
try walk a.core 0x0 --cpu 1
check "a walk with the registers of another CPU" 1 out '^CPU 1: 4-level tables'
try walk a.core 0x0 --cpu 2
one_line "a CPU that is not there" 2 'no CPU 2: the guest has 2'
try walk a.core 0x0 --cpu 4096
check "a number that no CPU has" 2 err '--cpu .4096. is not the number of a CPU, 0 to 4095'
try walk a.core 0x0 --pkru 0x100000000
check "a PKRU of more than 32 bits" 2 err '--pkru .0x100000000. is not a number of 32 bits'
# ---- variables of the script, as the guest's boot record names them ----
try walk a.core a+64K
check "a variable is an ADDRESS, and names its area" 1 out "^0xffffc90000010000: guard page of the 64 KiB area 'a'"
try walk a.core b-0x1000
check "with a number subtracted" 1 out "^0x$(vmalloc_address 16 1 | sed 's/1000$/0000/'): "
try walk core.kvs b
check "of a script" 0 out "^0x$(vmalloc_address 16 1): byte 0x0 of the 8 KiB area 'b'"
try walk a.core a+here
one_line "what follows it must be a number" 2 'what follows .a\+. is not a number'
echo 'k = kmalloc 64
l = kmalloc 100
b = kmalloc 64K
f = kmalloc 64
kfree f' >kmalloc.kvs
try run kmalloc.kvs --dump kmalloc.core
try walk kmalloc.core k+8
check "what kmalloc gave a variable is named" 0 out "^0x[0-9a-f]*: direct map of GPA 0x[0-9a-f]*: byte 0x8 of the 64 bytes 'k'$"
try walk kmalloc.core b+0xffff --json
check "a block, too" 0 out "\"is\":\"direct map of GPA 0x[0-9a-f]*: byte 0xffff of the 64 KiB 'b'\""
try walk kmalloc.core k+64
check "not beyond its end, and not what is freed" 0 out '^0x[0-9a-f]*: direct map of GPA 0x[0-9a-f]*$'
try frames kmalloc.core k
check "in frames" 0 out "claimed by +object cache: kmalloc-64: 64 bytes 'k' at byte 0x0$"
try frames kmalloc.core b+8K --json
check "a block in frames, as JSON" 0 out "\"owner\":\"allocated block\",\"details\":\"frame 2 of 16 from 0x[0-9a-f]*: 64 KiB 'b' from GPA 0x"
try map a.core
check "a label of the map" 0 out "area op_vmalloc \(op_areas.c:[0-9]+\) 'a'$" out " 'b'$"
try map a.core --json
check "in JSON" 0 out '"caller":"op_vmalloc[^"]*","variable":"a",'
try frames a.core a+4K
check "as FRAME it is the frame that is mapped there" 0 out "claimed by    live area: page 1 of the 64 KiB area 'a' at" \
	out "byte 0x1000 of the"
try frames a.core a+64K
one_line "unless none is" 2 '.a\+64K. is 0xffffc90000010000, which is not mapped'
try walk a.core a+18446744073709551615
one_line "an address is no more than 64 bits" 2 '.a. is 0xffffc90000000000: \+ 0xffffffffffffffff is more than the 64 bits'
try walk a.core a-0xffffc90000000001
one_line "and not less than 0" 2 '.a. is 0xffffc90000000000: - 0xffffc90000000001 is below 0'
try walk a.core vmalloc+0xffffffffffffffff
one_line "with a symbol too" 2 '.vmalloc. is 0xffffffff8[0-9a-f]*: \+ 0xf* is more than the 64 bits'
try walk a.core a+99999999999999999999
one_line "and so is what is added" 2 'what follows .a\+. is more than 64 bits'
# ---- numbers: the same rule where an address is wanted ----
for command in "walk a.core" "frames a.core" "map a.core --range"; do
	while read -r text message; do
		case $command in
		map*) set -- $command "$text-" ;;
		*) set -- $command "$text" ;;
		esac
		try "$@"
		# An error of an option has a second line, which names --help.
		[ "$(head -n 1 err | grep -cE -- "$message")" = 1 ] && [ "$status" = 2 ] && ok "$*" || not_ok "$*"
	done <<-EOF
		0 .0.: an address is written with 0x: 0x0
		5 .5.: an address is written with 0x: 0x5
		12 .12. is 0x12 read as hexadecimal, 0xc read as decimal
		18446744073709551615 .18446744073709551615. is more than 64 bits read as hexadecimal, 0xffffffffffffffff read as decimal
		18446744073709551616 .18446744073709551616. is more than the 64 bits of an address
		0x10000000000000000 .0x10000000000000000. is more than the 64 bits of an address
		fffffffffffffffff .fffffffffffffffff. is more than the 64 bits of an address
	EOF
done
for frame in pfn:18446744073709551616 pfn:0xffffffffffffffff 0xffffffffffffffff; do
	try frames a.core $frame
	one_line "frame $frame" 2 "$frame is beyond the 52 bits"
done
echo 'expect refused c = vmalloc 0' >unset.kvs
try walk unset.kvs c
one_line "a variable that was never set" 2 'the script has not set .c.'
# ---- map ----
try map a.core
check "a map says rights, page size, A and D, runs, and what it is" 0 \
	out '^0xffff888000400000 +[0-9]+ MiB +rw- +2M 100 .* 1 +0x400000  direct map$' \
	out '^0xffffc90000000000 +64 KiB +rw- +4K 100 100 .*  area op_vmalloc' \
	out "^0xffffc90000010000 +$guard_kib KiB +--- +guard\$" out '^0xffffffff80200000 .* r-x .* image: text$'
try map a.core --check
check "a sound guest has nothing writable and executable, and no frame mapped twice" 0 \
	out 'none is writable and executable, none mapped'
try map a.core --check --range 0xffff888000000000-
check "in a range without the image, too" 0 out 'no page table can be written'
# A compiler may unroll the loop: then one of the hundred has a caller of its own.
printf 'areas 100 4K\na = vmalloc 16K\nb = vmap a\n' >many.kvs
try map many.kvs --check
last_page=$(vmalloc_address 99 100)
check "areas that repeat are folded, and vmap is no violation" 0 \
	out "^ +\.\.\. these (100|99) times, one every $((4 + guard_kib)) KiB, up to 0x${last_page%000}fff\$" out 'none mapped'
try map many.kvs --all
[ "$(grep -c ' area op_areas' out)" = 100 ] && check "--all folds nothing" 0 out "$(vmalloc_address 99 99)" || not_ok "--all folds nothing"
try map many.kvs --json
[ "$(grep -c '"type":"guard"' out)" = 102 ] && check "JSON folds nothing" 0 out '"kind":"area","caller":"op_areas' || not_ok "JSON folds nothing"
printf 'a = vmalloc 16K\nr = vm_map_ram a\nq = vm_map_ram a\nvm_unmap_ram q 4\n' >ram.kvs
try map ram.kvs
check "and those of vm_map_ram" 0 out '^0xffffc90000200000 +16 KiB rw-.* area, mapped again: map_again' \
	out "^0xffffc90000204000 +$guard_kib KiB --- +guard\$"
[ "$(grep -c 'IN NO AREA' out)" = 0 ] && ok "none is in no area" || not_ok "none is in no area"
try map a.core --executable
check "--executable shows text alone" 0 out '^1 of [0-9]+ ranges' out 'image: text'
try map a.core --writable --owner data
check "--owner of a kind" 0 out '^1 of [0-9]+ ranges' out 'image: data'
try map a.core --owner op_vzalloc
check "--owner of a function: its areas and their guards" 0 out '^1 of [0-9]+ ranges' out "^0x$(vmalloc_address 18 1) .* guard\$"
try map a.core --owner no_such_kind
kinds=$(sed -n 's/.*kind of range (\(.*\))$/\1/p' err)
"$KVMAP" map --help | tr -s '\n ' ' ' >out
case ${kinds:+$(cat out)} in
*"one kind ($kinds), or the areas"*) ok "help names the kinds that --owner takes" ;;
*) not_ok "help names the kinds that --owner takes: $kinds" ;;
esac
tr -s '\n\t ' ' ' <"$IMAGES/../docs/man/kvmap-map.1.scd" >out
case ${kinds:+$(cat out)} in
*"Only one kind ($kinds), or"*) ok "so does the manual page" ;;
*) not_ok "so does the manual page: $kinds" ;;
esac
try map a.core --user
check "--user: a guest without user pages" 0 out '^0 of [0-9]+ ranges'
try map a.core --range 0xffffffff80000000-
check "--range without an end" 0 out '^3 ranges' out 'image: rodata'
try map a.core --range 0xffffc90000000000-0xffffc90000010000
check "--range ends before its end" 0 out '^1 range, 16 leaf entries, 4 tables entered'
try map a.core --range ffffc90000000000-ffffc90000010000
check "--range takes addresses with a hexadecimal letter as hexadecimal" 0 out '^1 range, 16 leaf entries, 4 tables entered'
for range in 400000-0x500000 0x400000-500000; do
	try map a.core "--range=$range"
	check "--range $range is refused with both readings" 2 err '00000. is 0x[45]00000 read as hexadecimal, 0x(61a80|7a120) read as decimal'
done
# Variables of the script, one of which could be a hexadecimal number, and symbols; a dash may also subtract.
for range in a-b a-a+64K a-b-4K a+0-0xffffc90000010000 ffffc90000000000-a+0x10000; do
	try map a.core "--range=$range"
	check "--range $range" 0 out '^0xffffc90000000000 +64 KiB .* .a.$' out '^1 range, 16 leaf entries'
	grep -q " 'b'\$" out && not_ok "and no more" || ok "and no more"
done
try map a.core --range a+4K-b+4K
check "--range with sums" 0 out '^0xffffc90000001000 +60 KiB ' out " 'b'\$"
try map a.core --range vmalloc-vmalloc+1
check "--range of a symbol" 0 out '^1 range, .*' out 'image: text'
try map a.core --range a+x-b
one_line "--range: a sum of what is no number" 2 'range .a.x-b. is not START-END.*: what follows .a.. is not a number'
try map unset.kvs --range c-
one_line "--range: a variable that was never set" 2 'range .c-. .*the script has not set .c.'
for range in 5 5-4 0x5-0x4 0x5-0x5 -5 x-y 0x1-0x2-0x3 b-a; do
	try map a.core "--range=$range"
	check "--range $range is refused" 2 err "range .$range. is not START-END"
done
try map a.core --cpu 2
one_line "the map of a CPU that is not there" 2 'no CPU 2: the guest has 2'
# ---- widths ----
for width in 60 80 120; do
	for command in map "map --check" areas frames "frames a" "walk a" verify; do
		set -- $command
		TERM=dumb script -qec "stty cols $width; '$KVMAP' $1 a.core ${2-}" /dev/null >out 2>err </dev/null
		tr -d '\r' <out | awk -v most=$width 'length > most { exit 1 }' && ok "$command in $width columns" || not_ok "$command in $width columns"
	done
done
finish
