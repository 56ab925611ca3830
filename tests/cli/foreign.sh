#!/bin/sh
# SPDX-License-Identifier: MIT
# Cores of guests that are not kvmap's own: what foreign_core.py writes, as QEMU would.
. "$(dirname "$0")/tap.sh"

for kind in first_cpu_off all_cpus_off many_cpus many_pieces cut_mapping no_top_table recursive recursive_data shared_tables \
	moved_shared_tables changed_shared_table large_alias with_pcid of_live_vm; do
	python3 "$(dirname "$0")/foreign_core.py" $kind $kind.core || exit 99
done

# ---- CPUs without paging ----
try map first_cpu_off.core
check "the tables are those of the first CPU with paging, and a line says so" 0 \
	out '^0x0000000000400000 ' err 'CPU 0 is not in long mode.* CPU 1'
try map first_cpu_off.core --json
check "JSON has the CPU's number" 0 out '"type":"map".*"cpu":1'
try walk first_cpu_off.core 0x400000
check "walk likewise" 0 out '^CPU 1: 4-level' out '^GPA +0x5000 ' err 'those of CPU 1'
try map first_cpu_off.core --cpu 1
check "the CPU that is named is the one that counts" 0 out '^0x0000000000400000 '
grep -q 'CPU 0' err && not_ok "without a word of CPU 0" || ok "without a word of CPU 0"
try map first_cpu_off.core --cpu 0
one_line "and is refused if it has no paging" 2 'CPU 0 is not in long mode with paging'
for command in frames map "walk 0x400000"; do
	set -- $command
	try "$1" all_cpus_off.core ${2-}
	one_line "$1 needs a CPU with paging" 2 'CPU 0 is not in long mode with paging'
done
try dump all_cpus_off.core off.core
check "a dump does not: addresses are physical then" 0 out 'off.core'
gdb -nx -batch -ex 'x/gx 0x4000' -c off.core >out 2>err
status=$?
check "where gdb finds them" 0 out '^0x4000:.*0x0000000000005003'

# ---- sizes ----
try map many_cpus.core --cpu 299
check "a core of 300 CPUs" 0 out '^0x0000000000400000 '
try map many_pieces.core
check "a core of 3001 pieces of memory" 0 out '^0x0000000000400000 '
try frames many_pieces.core 0x1780000
check "the last of them are memory" 0 out '0x1780000'
try dump many_pieces.core again.core
check "they can be written again" 0 out 'again.core'

# ---- memory that is not there ----
for command in map "walk 0x400000" frames; do
	set -- $command
	try "$1" cut_mapping.core ${2-}
	one_line "$1 without the top table says what the core has instead" 2 \
		'top table .* 0x8000, is not in this core.*it has 0x4000 of 0x10000 bytes.*without -p'
done
try map no_top_table.core
one_line "a core of one piece" 2 'top table .* 0x8000000, is not in this core, which has 1 piece of memory up to GPA 0x10000$'
try dump no_top_table.core again.core
check "a dump says that its virtual addresses are the physical ones, and why" 0 out 'which are the physical ones' \
	err 'again.core: without the guest.s page tables, each virtual address in the core is the physical one .*top table .* is not in this core'
try dump all_cpus_off.core again.core --json
check "in JSON too" 0 out '"addresses":"physical","no_tables":"[^"]*paging'
try dump all_cpus_off.core again.core --physical
check "--physical: that there were no tables" 0 err 'again.core: without the guest.s page tables \('
# ---- tables that are mapped several times ----
try map recursive.core
check "a recursive map is mapped memory" 0 out '^0xffffff0000002000 +4 KiB +rwx ' out '^5 ranges'
try frames recursive.core 0x4000
check "a table is reached through it" 0 out 'ffffff0000002000'
try map recursive.core --check
check "and --check finds that tables can be written" 1 out 'page table writable at 0xffffff0000002000 [(]rwx[)]: 4 KiB from GPA 0x4000'
try map recursive_data.core --check
check "without right to execute, too, and what one page maps" 1 out 'page table writable at 0xffffff7fbfdfe000 [(]rw-[)]: 4 KiB from GPA 0x1000' \
	out 'page table writable at 0x0000000000407000 [(]rw-[)] and 0xffffff0000002000 [(]rw-[)], 2 mappings: 4 KiB'
try map recursive_data.core --check --range 0x407000-0x408000
check "in a range, too" 1 out 'page table writable at 0x0000000000407000 [(]rw-[)]: 4 KiB from GPA 0x4000'
try map large_alias.core --check
check "a direct map that is known by its shape only is marked as assumed" 1 \
	out '^check: the direct map is assumed: GPA 0 at 0x0000000000600000, ' out '^check: 1 frame mapped beyond the direct map'
try map large_alias.core --json
check "in JSON too" 0 out '"direct_map":"0x600000","direct_map_assumed":true'
try map "$MUTANTS/09-table-as-data.kvs" --check --guest "$MUTANT_GUEST"
check "a page of an area that is the page table" 1 out 'page table writable at 0xffffc90000000000 [(]rw-[)]: 4 KiB'
try map shared_tables.core
check "what is behind 16 TiB of one page is shown" 0 out '^0xffffec0000000000 +16384 GiB +r-- ' \
	out '^0xffffffff81000000 +2 MiB +r-x ' out '^2 ranges, .* 6 tables entered'
try map shared_tables.core --range 0xffffffff00000000-
check "--range enters no other table" 0 out '^1 range, 1 leaf entry, 3 tables entered'
try frames shared_tables.core
check "frames reads every table" 0 out '^  v  mapped more than once +1 ' out '^  m  mapped once +512 ' out 'more of virtual addresses are not counted'
grep -q 'CUT SHORT' out && not_ok "and is not cut short" || ok "and is not cut short"
try frames shared_tables.core 0x5000
check "every address that leads to a frame is counted" 0 out 'reached +at 4,294,967,296 addresses' out '^  and 4,294,967,280 more'
try map shared_tables.core --check
check "--check finds what is beyond a page that is mapped everywhere" 1 out 'mapped 4,294,967,296 times, at 0xffffec0000000000' \
	out '^check: 513 frames mapped beyond the direct map$'
try diff shared_tables.core shared_tables.core
check "diff compares two tables once" 0 out '^The same is mapped'
try diff shared_tables.core moved_shared_tables.core
check "and what lies above tables that moved" 1 out '^  512 pages in 1 range$' out '^  0xffffffff81200000 +2 MiB +mapped +rwx' \
	out '^ +8,388,609  of level 2, PD$'
try diff shared_tables.core changed_shared_table.core --entries
check "and lists one entry of a shared table once" 1 out '^  8,389,120 pages in 8,388,609 ranges$' \
	out '^  0xffffec0000007000 +4 KiB +frames' out '^  0xffffffff81200000 +2 MiB +mapped' \
	out '^  and 8,388,607 more, where a table is mapped again$' out '^  0xffffec0000007000  PT +7 of 0x4000: '
try diff shared_tables.core changed_shared_table.core --json
check "and says so as JSON" 1 out '"ranges":8388609,"pages":8389120,.*"cut_short":false,"ranges_not_listed":8388607,"bytes_not_compared":0'
try dump shared_tables.core sparse.core --json
check "dump leaves out what more segments than a debugger takes would be for, and says so" 0 \
	err 'of virtual addresses from 0xffffec[0-9a-f]+ on are left out' out '"left_out":1759[0-9]+,"cut_short":false'
try diff shared_tables.core sparse.core
check "and is the same guest" 0 out '^The same is mapped'
for command in frames "map --check" diff; do
	try ${command%% *} sparse.core $([ "$command" != diff ] || echo sparse.core) $([ "$command" = "${command#* }" ] || echo ${command#* })
	grep -q 'CUT SHORT\|INCOMPLETE' out && not_ok "$command of a sparse core is not cut short" ||
		ok "$command of a sparse core is not cut short"
done
# ---- what the source does not say, and what it does ----
try walk with_pcid.core 0x400000
check "the PCID, and what is assumed" 0 out 'from CR3 0x1000, PCID 5, MAXPHYADDR 52 \(assumed\)' out 'NXE is +assumed|is$'
try dump with_pcid.core assumed.core
try walk assumed.core 0x400000 --json
check "a dump keeps what is assumed" 0 out '"pcid":5' out '"physical_bits_assumed":true' out '"nxe_assumed":true'

try diff with_pcid.core with_pcid.core
check "diff: an assumed EFER is not compared, and it says so" 0 out 'not compared: efer, pat: not known of both sources \(efer is assumed\)'
try diff with_pcid.core of_live_vm.core
check "diff: what is not known of one source is not compared" 1 out '^  CPU 0  cr4 ' out 'not compared: efer: .* first source' \
	out 'not compared: rflags, cs, ss, ds, es, fs, gs, fs_base, gs_base: .* second source'
try diff of_live_vm.core of_live_vm.core --json
check "diff: as JSON" 0 out '"not_known_before":\["rflags","cs","ss","ds","es","fs","gs","fs_base","gs_base","pat"\]'
try dump of_live_vm.core live.core --json
check "dump says which registers are 0 in the core" 0 err 'live.core: not known of the guest, and 0 in the core: rflags, cs, ' \
	out '"not_known":\["rflags",'
try walk live.core 0x401000
check "and they are not known in that core, either" 0 out 'supervisor +if EFLAGS.AC is set +if EFLAGS.AC is set'
python3 "$(dirname "$0")/foreign_core.py" of_live_vm vtx.core 51 || exit 99
try dump vtx.core vtx-copy.core
check "RIP and RSP that VT-x keeps are not known, either" 0 err '0 in the core: rip, rsp, rflags, cs,'
try backtrace vtx-copy.core
check "and without them there is no backtrace" 2 out 'CPU 0: no backtrace: RIP or RSP is not known'
try diff of_live_vm.core vtx.core
check "nor are they compared" 0 out 'not compared: rip, rsp: not known of the second source'
try diff many_cpus.core with_pcid.core
check "diff: CPUs of one source alone" 1 out 'not compared: CPUs of one source alone: the first has 300, the second 1'

# ---- a kernel that runs at an offset to the addresses of its file ----
vmalloc=$(nm "$GUEST" | sed -n 's/^ffffffff\([0-9a-f]*\) T vmalloc$/\1/p')
for offset in 0 200000 207000 600000; do
	python3 "$(dirname "$0")/foreign_core.py" moved_image moved.core "$GUEST" $offset || exit 99
	runs=ffffffff$(printf '%x' $((0x$vmalloc + 0x$offset)))
	try map moved.core
	check "offset $offset: map knows the image" 0 out ' r-x .*image: text' out ' r-- .*image: rodata' out ' rw- .*image: data' \
		out '^0xffff888000000000 .* direct map$'
	[ $offset = 0 ] || check "offset $offset: and says that it is moved" 0 err "offset of 0x$offset"
	try walk moved.core vmalloc+1
	check "offset $offset: a symbol has the address where it runs" 0 out "^0x${runs%?}[0-9a-f]: text: vmalloc\+0x1 \(vmalloc.c:"
	try print moved.core '&cpus[1]'
	check "offset $offset: and so has a variable" 0 out '= \(struct cpu \*\)0xffffffff80' out '<cpus\+'
	try backtrace moved.core
	check "offset $offset: backtrace" 0 out '#0 .* machine_exit \(machine.c:' out '#1 .* agent_run\+0x5 \(agent.c:'
	try dump moved.core again.core
	[ $offset = 0 ] || check "offset $offset: dump says how gdb takes it" 0 out "gdb -ex 'symbol-file -o 0x$offset .*' -c again.core"
	gdb -nx -batch -ex "symbol-file -o 0x$offset $GUEST" -c again.core -ex 'print &vmalloc' -ex 'info symbol *(long *)$rsp' >out 2>err
	status=$?
	tried="gdb -c again.core"
	check "offset $offset: gdb has names and memory" 0 out "0x$runs <vmalloc>" out '^agent_run \+ 5 in section'
	try walk again.core vmalloc
	check "offset $offset: dump keeps it" 0 out "^0x$runs: text: vmalloc "
done
try verify moved.core
one_line "claims of a moved program are not read" 2 'at an offset of 0x600000 to the addresses of its file: its claims'
try diff again.core moved.core
check "a core and its sparse copy are the same, at an offset too" 0 out '^The same is mapped'
# Below the top 2 GiB, and in the half of programs.
for moved in ffffffffc0000000:-0x40000000 ffffffffc0207000:-0x3fdf9000 80600000:0x80600000 7fff80800000:0x7fff80800000; do
	python3 "$(dirname "$0")/foreign_core.py" moved_image far.core "$GUEST" "${moved%:*}" || exit 99
	try walk far.core vmalloc
	check "offset ${moved#*:}: without VMCOREINFO the program is found" 0 err "offset of ${moved#*:} to the addresses" out ': text: vmalloc '
	try print far.core '&cpus[1]'
	check "offset ${moved#*:}: and variables" 0 out '<cpus'
done
for claimed in 207000 200000 fffffffffff00000 x; do
	python3 "$(dirname "$0")/foreign_core.py" moved_image claims.core "$GUEST" 207000 $claimed || exit 99
	try walk claims.core vmalloc
	check "VMCOREINFO's offset $claimed counts if the build-id is there" 0 err 'offset of 0x207000' out 'text: vmalloc '
done
python3 "$(dirname "$0")/foreign_core.py" moved_image other.core "$MUTANT_GUEST" 200000 || exit 99
try walk other.core 0xffff888000001000
check "another build has no names, and no labels of kvmap's guest" 0 err 'another build|not in the guest' out '^0xffff888000001000: an address of a guest whose layout is unknown'

# ---- the VM of a process that this user may not inspect ----
cat >vm.py <<END
import fcntl
import os
import time

vm = fcntl.ioctl(os.open("/dev/kvm", os.O_RDWR), 0xAE01, 0)
open("made", "w").close()
time.sleep(1000)
END
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	python3 vm.py &
	vm=$!
	wait_for $vm test -e made
	chmod 755 .
	for command in map "walk 0x1000" stage2 frames verify; do
		set -- $command
		setpriv --bounding-set=-sys_ptrace --inh-caps=-all "$KVMAP" "$1" $vm ${2-} >out 2>err
		status=$?
		tried="kvmap $1 without CAP_SYS_PTRACE"
		one_line "$1 without CAP_SYS_PTRACE says what is missing" 2 "process $vm,.* needs CAP_SYS_PTRACE"
	done
	setpriv --reuid=65534 --clear-groups "$KVMAP" map $vm >out 2>err
	status=$?
	tried="kvmap map as another user"
	one_line "so does another user" 2 "process $vm,.* run as root .*Permission denied"
	setpriv --bounding-set=-sys_ptrace --inh-caps=-all "$KVMAP" map --wait $vm >out 2>err
	status=$?
	one_line "--wait does not wait for what it will not see" 2 'needs CAP_SYS_PTRACE'
	kill $vm
else
	skip "a VM that this user may not look at" "needs root, and setpriv of util-linux"
fi

# ---- ADDRESS ----
try walk recursive.core ffffff0000002000
check "an address with a hexadecimal letter needs no 0x" 0 out '^GPA +0x4000 '
try walk recursive.core 0000000000400000
check "nor one of 16 digits" 0 out '^GPA +0x5000 '
for command in walk frames; do
	try $command recursive.core 400000
	one_line "$command: digits alone are refused with both readings" 2 '.400000. is 0x400000 .*, 0x61a80 '
done
try walk recursive.core zz
one_line "what is no address is refused" 2 '.zz. is neither an address'
finish
