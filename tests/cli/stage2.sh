#!/bin/sh
# SPDX-License-Identifier: MIT
# kvmap stage2: the second stage of VMs of this program and of another.
. "$(dirname "$0")/tap.sh"

try stage2 "$IMAGES/demo.kvs"
if [ "$status" = 2 ] && grep -qE 'may not load|built without' err; then
	one_line "where the second stage cannot be read, one line says why" 2 'run as root|libbpf'
	finish
	exit
fi
check "a script is run, and its second stage is right" 0 \
	out '^Second stage of process [0-9]+: (EPT|NPT|shadow paging), ' out '^ +0  0x0000000000000000 +256 MiB  0x' \
	out '^V10: ' out '^  2M +'
try stage2 "$IMAGES/demo.kvs" --json
check "the same as JSON" 0 out '"type":"slot","seq":0,"number":0,"gpa":"0x0","size":268435456,' \
	out '"type":"effective".*"guest_page_size":2097152' \
	out '"type":"stage2".*("seen":true,.*"leaves":[1-9].*"ok":true|"seen":false,.*"leaves":0,.*"ok":false,"why":"not compared: [^"]*"),"findings":0'
try stage2 "$IMAGES/demo.kvs" --memory 4G
check "memory on both sides of the hole is two slots" 0 out '^ +1  0x0000000100000000 +1 GiB'

try run "$IMAGES/demo.kvs" --stage2 --json
check "V10 counts slots and leaves of the second stage" 0 out '"second_stage":\{"slots":[1-9][0-9]*,"leaves":[0-9]+\}'
if grep -q '"leaves":0}' out; then
	check "V10 is not seen where there is no leaf" 0 out '"not_seen":\["V10"\]'
	try run "$IMAGES/demo.kvs" --stage2
	check "and says why" 0 out '^  V10  not seen ' out 'the second stage has no leaf'
	try stage2 "$IMAGES/demo.kvs"
	check "stage2 says so, too" 0 out '^V10: not seen: no page could be compared\.'
else
	check "V10 is seen where leaves were compared" 0 out '"checked":\{.*"V10":[1-9]' out '"not_seen":\[\]'
fi
try run -e 'a = vmalloc 4K; verify; verify; vfree a; verify' --stage2 --json
check "the slot of several verifications is one slot" 0 out '"second_stage":\{"slots":1,'
try run "$IMAGES/demo.kvs" --json
check "it is not seen where nobody asks" 0 out '"not_seen":\["V10"\]'
try walk "$IMAGES/demo.kvs" 0xffffc90000000000 --stage2
check "walk goes on through the second stage" 0 out '^HPA +(0x[0-9a-f]+ in a (4K|2M|1G) page|none yet)'

try stage2 $$
one_line "a process that has no VM" 2 'has no virtual machine'
try stage2 2147483647
one_line "a process that does not exist" 2 'there is no process 2147483647'
try stage2 $$ --vm 0
one_line "a descriptor that is no VM" 2 'descriptor 0 of process [0-9]+ is no virtual machine'
try run "$IMAGES/empty.kvs" --dump a.core
try stage2 a.core
one_line "a core" 2 'a core has no second stage: SOURCE is a process id, a control socket, or a script to run first, by its file, - for'
try stage2
check "no source" 2 err 'SOURCE is missing'

# Another program's VM, of which nothing is known but its process. -S: its slots stay as they are, since its firmware, which
# would move them again and again, does not run.
qemu-system-x86_64 -accel kvm -machine q35 -smp 2 -m 128 -nodefaults -display none -serial none -monitor none -S \
	>qemu.out 2>&1 &
qemu=$!
# It makes vCPUs and slots one by one.
is_made() {
	try stage2 "$qemu"
	[ "$status" = 0 ] && grep -q ' 2 vCPUs$' out && grep -q '0x0000000000100000 .* 127 MiB' out
}
wait_for $qemu is_made
check "the VM of a QEMU" 0 out "^Second stage of process $qemu: .*, 2 vCPUs$" out '^ +[0-9]+  0x0000000000000000 +768 KiB' \
	out '^ +[0-9]+  0x00000000000c0000 .* read-only$' out '^ +[0-9]+  0x0000000000100000 +127 MiB'
kill "$qemu"
wait "$qemu" 2>/dev/null

# Another program's VM with a guest whose pages are known: all that is asked of a VM of kvmap can be asked of it.
try compile "$IMAGES/demo.kvs" --output demo.module
qemu-system-x86_64 -accel kvm -machine microvm -m 256 -nodefaults -display none -monitor none -serial file:serial \
	-kernel "$GUEST" -initrd demo.module >qemu.out 2>&1 &
qemu=$!
wait_for $qemu grep -qs '^refused or failed' serial
try stage2 "$qemu" --stop
# Nearly all of RAM: what the firmware leaves of the first 2 MiB depends on QEMU's version.
check "the effective TLB page size of a guest of QEMU" 0 out '^  4K .* KiB' out '^  2M .* (25[4-6] MiB|26[0-2][0-9]{3} KiB)' \
	err "stopped PID $qemu for [0-9.]+ (us|ms)"
try stage2 "$qemu" --json
check "the VM runs on without --stop" 0 out '"type":"pause","seq":0,"pid":[0-9]+,"stopped":false,' \
	out '"type":"effective".*"guest_page_size":2097152'
try walk "$qemu" 0xffffc90000000000 --stop --stage2
check "a walk through its tables, to its process's memory" 0 out '^  1 PT ' out '^HVA     0x00007|^HVA     0x7' out '^HPA '
try map "$qemu" --stop
check "the map of it" 0 out ' area op_vmalloc ' out 'image: text$'
try verify "$qemu" --stop --stage2
check "it is verified" 0 out '^VERIFIED: '
printf 'areas\nwalk 0xffffc90000000000\nverify\n' | "$KVMAP" shell "$qemu" --guest "$GUEST" --stop --stage2 >out 2>err
status=$?
tried="kvmap shell $qemu --stop --stage2"
check "options of a shell are those of its commands" 0 out '^0xffffc90000000000-' out '^HPA ' out '^VERIFIED: ' err '^stopped PID'
grep -q 'was not stopped' err && not_ok "--stop" || ok "--stop"
grep -q 'without --stage2' out && not_ok "and --stage2" || ok "and --stage2"
printf 'map --stop\nwalk 0xffffc90000000000 --stop\nverify --stop\nbacktrace --stop\nprint zones[1].free_pages --stop\n' |
	"$KVMAP" shell "$qemu" >out 2>err
status=$?
tried="kvmap shell $qemu"
check "the shell looks at it, too" 0 out ' area op_vmalloc ' out '^  1 PT ' out '^VERIFIED: ' out '^CPU 0: ' out '^zones.1..free_pages at'
try dump "$qemu" qemu.core --stop
check "a dump says which registers KVM does not show" 0 err '0 in the core: (rip, )?(rsp, )?rflags, cs, ss, ds, es, fs, gs, fs_base, gs_base$'
try diff "$qemu" qemu.core
check "and they are not compared" 0 out 'not compared: .*rflags, cs, .*gs_base: not known of both sources'
qemu-system-x86_64 -accel kvm -machine microvm -m 256 -nodefaults -display none -monitor none -serial file:serial2 \
	-kernel "$GUEST" -initrd demo.module >qemu.out 2>&1 &
second=$!
wait_for $second grep -qs '^refused or failed' serial2
try diff "$qemu" "$second" --stop
check "diff stops both, and lets both go" 0 out '^The same is mapped' err "stopped PID $qemu for [0-9.]+ (us|ms)" \
	err "stopped PID $second for [0-9.]+ (us|ms)"
kill "$second"
wait "$second" 2>/dev/null
try diff "$qemu" "$qemu" --stop
check "diff of one process with itself stops it once" 0 out '^The same is mapped' err "stopped PID $qemu for"
free=$("$KVMAP" print qemu.core 'zones[1].free_pages' | sed 's/.*)//')
gdb -nx -batch -ex 'print zones[1].free_pages' "$GUEST" qemu.core >out 2>err
status=$?
tried="gdb qemu.core"
check "gdb reads what print reads" 0 out "^\\\$1 = ${free:-none}$"
try verify qemu.core
check "and so is a core of it" 0 out '^VERIFIED: '
if command -v strace >/dev/null; then
	# The child that stops the process ends while the core is written, as it does by itself at its limit.
	cp qemu.core old.core
	ASAN_OPTIONS="$ASAN_OPTIONS:detect_leaks=0" strace -q -o trace -e inject=pwrite64:delay_enter=2000000:when=2 \
		"$KVMAP" dump "$qemu" old.core --stop >out 2>err </dev/null &
	tracer=$!
	wait_for $tracer grep -qs 'pwrite64(' trace
	kill -9 "$(pgrep -P "$(pgrep -P $tracer)")"
	wait $tracer
	status=$?
	tried="kvmap dump --stop, whose stop ends early"
	check "a core of a VM that went on meanwhile is not written" 2 err 'continued by itself after a stop'
	cmp -s qemu.core old.core && [ ! -e old.core.* ] && ok "the old file stays" || not_ok "the old file stays"
fi
[ "$(awk '/^State/ { print $2 }' "/proc/$qemu/status")" != T ] && ok "it goes on" || not_ok "it goes on"
kill "$qemu"
wait "$qemu" 2>/dev/null

# QEMU's default machine has VGA below 1 MiB, where the guest's direct map has a page of 2M.
rm -f serial
qemu-system-x86_64 -accel kvm -m 256 -display none -monitor none -serial file:serial -kernel "$GUEST" -initrd demo.module \
	>qemu.out 2>&1 &
qemu=$!
wait_for $qemu grep -qs '^refused or failed' serial
try verify "$qemu" --stop
check "the guest is verified on QEMU's default machine" 0 out '^VERIFIED: ' out 'V11  not seen .*no KVM to ask'
kill "$qemu"
wait "$qemu" 2>/dev/null

# A VM of another kvmap is paused for it, and its guest is read, too.
"$KVMAP" run "$IMAGES/demo.kvs" --hold $patient >held.out 2>&1 </dev/null &
held=$!
wait_for $held grep -q 'at its end' held.out
try stage2 "$held" -v
check "the VM of another kvmap, with its guest's pages" 0 out "^Second stage of process $held: " out '^  2M +' \
	err 'paused PID'
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	setpriv --bounding-set=-bpf,-perfmon,-sys_admin "$KVMAP" stage2 "$held" -v >out 2>err </dev/null
	status=$?
	check "what KVM tells anyone of it, where no more is allowed" 2 out 'not seen' out 'slot at GPA 0x0, 256 MiB$' \
		out 'KVM_TRANSLATE agrees with the guest.s tables at [1-9][0-9]* addresses$' err 'paused PID' err 'run as root'
fi
try resume "$held"
wait "$held" 2>/dev/null

if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	setpriv --bounding-set=-bpf,-perfmon,-sys_admin "$KVMAP" stage2 "$IMAGES/demo.kvs" >out 2>err </dev/null
	status=$?
	check "what KVM shows without permission is reported" 2 out 'not seen' out 'slot at GPA 0x0, 256 MiB' \
		out '^  4K pages as counted by KVM: [0-9]' err 'run as root' \
		out '^  KVM_TRANSLATE agrees with the guest.s tables at [1-9][0-9]* addresses$'
	setpriv --bounding-set=-bpf,-perfmon,-sys_admin "$KVMAP" stage2 "$IMAGES/demo.kvs" --json >out 2>err </dev/null
	status=$?
	check "as JSON too" 2 out '"type":"stage2".*"seen":false.*"translated":[1-9][0-9]*,"translated_differing":0'
	setpriv --bounding-set=-bpf,-perfmon,-sys_admin "$KVMAP" run "$IMAGES/demo.kvs" --stage2 >out 2>err </dev/null
	status=$?
	check "a run is verified, and V10 is not seen" 0 out '^  V10  not seen' out '^  V11  ok' out 'may not load'
fi
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	cp "$KVMAP" kvmap
	chmod 755 . kvmap
	setpriv --reuid=65534 --clear-groups ./kvmap stage2 $$ >out 2>err </dev/null
	status=$?
	one_line "without permission one line says what is missing" 2 'run as root, or give kvmap CAP_BPF, CAP_PERFMON'
fi
finish
