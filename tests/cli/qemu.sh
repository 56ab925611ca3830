#!/bin/sh
# SPDX-License-Identifier: MIT
# The second witness: the same guest and script under QEMU's TCG give the same report on the serial port.
. "$(dirname "$0")/tap.sh"

under_qemu() { # MACHINE MODULE
	qemu-system-x86_64 -accel tcg -machine "$1" -m 256M -nodefaults -display none -no-reboot \
		-serial stdio -monitor none -device isa-debug-exit,iobase=0xf4,iosize=4 \
		-kernel "$GUEST" -initrd "$2" >out 2>err </dev/null
	status=$?
	tried="qemu-system-x86_64 -machine $1"
}

# same_pages <SERIAL >TEXT: of an address in the direct map only the offset in its page. Which frames are free depends on the
# RAM that the firmware of the machine reports: a few frames less in QEMU 10 than with kvmap.
same_pages() {
	tr -d '\r' | sed 's/0xffff8880[0-9a-f]\{5\}\([0-9a-f]\{3\}\)/0xffff8880.....\1/g'
}

for script in "$IMAGES"/*.kvs; do
	name=$(basename "$script")
	[ "$name" = parallel.kvs ] && continue # what its CPUs report comes in any order
	try run "$script" --serial
	same_pages <out >kvm.txt
	try compile "$script" --output module
	check "$name compiles to a module" 0
	under_qemu microvm module
	same_pages <out >qemu.txt
	if [ -s kvm.txt ] && cmp -s kvm.txt qemu.txt; then
		check "$name: KVM and QEMU report the same" 33
	else
		diff kvm.txt qemu.txt >out
		not_ok "$name: KVM and QEMU report the same"
	fi
done
try compile "$IMAGES/demo.kvs" --output module
for machine in q35 pc; do
	under_qemu "$machine" module
	check "the guest runs on QEMU's $machine" 33 out 'vmalloc'
done
for policy in lazy eager; do
	try run "$IMAGES/demo.kvs" --serial "--policy=$policy"
	same_pages <out >kvm.txt
	try compile "$IMAGES/demo.kvs" --output module "--policy=$policy"
	under_qemu microvm module
	same_pages <out >qemu.txt
	cmp -s kvm.txt qemu.txt && ok "the same report under $policy" || not_ok "the same report under $policy"
done
finish
