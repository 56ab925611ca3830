#!/bin/sh
# SPDX-License-Identifier: MIT
# kvmap dump: cores that gdb opens, that are sources again, and that cost no more than what was touched.
. "$(dirname "$0")/tap.sh"

cat >script.kvs <<END
fragment 60% of 1M seed 7
a = vmalloc 64K
write a+0x3008 0x1122334455667788
b = vmalloc 12K
END
"$KVMAP" run script.kvs --cpus 2 --dump first >out 2>err

try dump first virtual
check "a core by virtual address is written" 0 out '^virtual: 2 CPUs, 256 MiB of memory' out 'gdb .*kvmap-guest.elf virtual'
try dump first physical --physical --json
check "and one by physical address" 0 out '"type":"dump".*"addresses":"physical".*"cpus":2,"memory":268435456'
cmp -s first physical && ok "which is what run --dump wrote" || not_ok "which is what run --dump wrote"

for core in virtual physical; do
	blocks=$(du -k "$core" | cut -f 1)
	[ "$blocks" -lt 1024 ] && ok "$core: frames that were never touched cost nothing" ||
		not_ok "$core: frames that were never touched cost nothing ($blocks KiB)"
	try verify "$core"
	check "$core: it is verified as the first one was" 0 out '^VERIFIED'
	try diff first "$core"
	check "$core: it is the same guest" 0
done

# What the host knows, gdb must find (outl() is inlined; not every compiler says so): area addresses from the guest's own report.
address=$("$KVMAP" areas virtual | sed -n 's/^\(0xffffc9[0-9a-f]*\)-.*/\1/p' | head -n 1)
gdb -nx -batch -ex 'info threads' -ex bt -ex "x/gx $address+0x3008" -ex "x/gx $address+0x10000" \
	-ex 'print vmap_area_root' -ex 'print $rip' "$GUEST" virtual >out 2>err
status=$?
tried="gdb virtual"
check "gdb: a thread for each CPU" 0 out '^\* 1 +LWP 1 ' out '^  2 +LWP 2 '
check "gdb: a backtrace to where the guest began" 0 out '#0 .*(outl|machine_exit)' out '#[0-9]+ .*machine_exit' out '#[0-9]+ .*pvh_start'
check "gdb: what lies in vmalloc's memory" 0 out '^0xffffc9000000[0-9a-f]+:.*0x1122334455667788'
check "gdb: a guard page is not there" 0 err "Cannot access memory at address 0xffffc900000"
check "gdb: variables, as they were" 0 out 'rb_node = 0xffff888'
check "gdb: registers" 0 out '^\$2 = .*<machine_exit\+'

try dump script.kvs of-script --json
check "a script is run and dumped" 0 out '"addresses":"virtual".*"mappings":[1-9]'
echo precious >file
for how in "dump first file" "run script.kvs --dump file"; do
	# shellcheck disable=SC2086
	try $how
	check "$how: a file that is no core is not replaced" 2 err 'file: exists and is not an ELF core'
done
[ "$(cat file)" = precious ] && ok "and stays as it was" || not_ok "and stays as it was"
try dump virtual virtual
check "a core may be written over itself" 0
try verify virtual
check "and is still whole" 0 out '^VERIFIED'
try dump first
check "without a file nothing is done" 2 err 'FILE is missing'
try dump first /nowhere/at/all
one_line "a folder that is not there is named" 2 '/nowhere/at/all: .*No such file'
finish
