#!/bin/sh
# SPDX-License-Identifier: MIT
# Cores that QEMU's dump-guest-memory wrote, of kvmap's guest and, where tests/nested left one, of a Linux kernel.
# Physical and of mapped memory (-p), two CPUs, memory above 4 GiB.
. "$(dirname "$0")/tap.sh"

# under_qemu END-OF-BOOT MONITOR-COMMANDS QEMU-ARGUMENT...: the commands are given once the serial port has shown the
# extended regular expression.
under_qemu() {
	end=$1
	commands=$2
	shift 2
	: >serial
	rm -f monitor
	mkfifo monitor
	qemu-system-x86_64 -accel tcg -cpu max -nodefaults -display none -no-reboot -serial file:serial -monitor stdio \
		"$@" <monitor >out 2>err &
	qemu=$!
	exec 3>monitor
	wait_for $qemu grep -aqE "$end" serial
	printf '%s\nquit\n' "$commands" >&3
	exec 3>&-
	wait $qemu
	status=$?
	tried="qemu-system-x86_64 $*"
}

# Both cores show the same of the guest, up to the GPAs that only one of them holds.
same_map() { # NAME CORE CORE
	"$KVMAP" map "$2" >first 2>err
	"$KVMAP" map "$3" >out 2>>err
	status=$?
	tried="kvmap map $2; kvmap map $3"
	if [ "$(wc -l <first)" -gt 8 ] && cmp -s first out; then ok "$1"; else not_ok "$1"; fi
}

"$KVMAP" compile "$IMAGES/demo.kvs" --output module
under_qemu 'refused or failed' 'dump-guest-memory plain
dump-guest-memory -p paging
dump-guest-memory -z compressed' \
	-machine q35,max-ram-below-4g=64M -m 96M -smp 2 -kernel "$GUEST" -initrd module
chmod u+w plain paging compressed
for core in plain paging; do
	try verify "$core"
	check "$core: the guest under QEMU is verified, but for what needs KVM" 0 \
		out 'V1   ok +80 ' out 'V4   ok' out 'V11  not seen' out '^VERIFIED'
	try areas "$core"
	check "$core: its areas" 0 out 'op_vmalloc' out '0 of them wrong'
	try walk "$core" vmap_area_root
	check "$core: a symbol is found in it" 0 out 'vmap_area_root' out 'GPA'
	try backtrace "$core" --json
	check "$core: has both CPUs" 0 out '"cpu":0' out '"cpu":1'
done
same_map "with and without -p the same is mapped" plain paging
try verify compressed
one_line "a compressed dump is refused, and says how to make another" 2 'flattened.*without -z'
head -c 40000000 plain >short
try map short
one_line "a truncated dump is refused with the place" 2 'beyond the end of the file: truncated'

kernel=$(dirname "$KVMAP")/../nested/kernel/vmlinuz
if [ -f "$kernel" ]; then
	# Without a root file system it panics, having set up all of its memory.
	under_qemu 'end Kernel panic' 'dump-guest-memory linux
dump-guest-memory -p linux-paging' \
		-machine q35,max-ram-below-4g=160M -m 256M -smp 2 -kernel "$kernel" -append 'console=ttyS0 nokaslr panic=0'
	chmod u+w linux linux-paging
	try map linux
	check "a Linux kernel's tables are walked" 0 out '^0xffffffff8[0-9a-f]+ .* r-?x' out 'no PTEs that point outside memory'
	lines=$(wc -l <out)
	[ "$lines" -le 50 ] && check "its map fits a screen, the direct map known by its shape" 0 out '  direct map' \
		out 'folded \(--all\)' || not_ok "its map fits a screen ($lines lines)"
	try map linux --all
	[ "$(wc -l <out)" -gt "$lines" ] && ok "and with --all it is longer" || not_ok "and with --all it is longer"
	try map linux --check
	check "its text is still writable, so early" 1 out '^  writable and executable: 0xffffffff81000000, '
	try walk linux 0xffffffff81000000
	check "an address of its text" 0 out '5 PML5' out 'page 0x1000000' err 'build-id'
	try verify linux
	one_line "it makes no claims that could be verified" 2 'another build'
	same_map "with and without -p the same is mapped, above 4 GiB too" linux linux-paging
else
	ok "a Linux kernel's core # SKIP no kernel: ./dev test --nested fetches one"
fi
finish
