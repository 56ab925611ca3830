#!/bin/sh
# SPDX-License-Identifier: MIT
# Bugs that memory managers of real kernels had: this one must not have them, and the verifier must find what is a script's.
. "$(dirname "$0")/tap.sh"

# ---- zeroing ----
cat >realloc.kvs <<E2
k = kzalloc 128
fill k
k = kvrealloc k 72 __GFP_ZERO
k = kvrealloc k 128 __GFP_ZERO
check k
b = kmalloc 4M
fill b
kfree b
c = kmalloc 2200K
fill c
c = kvrealloc c 3000K GFP_KERNEL|__GFP_ZERO
check c
c = kvrealloc c 8M GFP_KERNEL|__GFP_ZERO
check c
m = kmalloc 100
fill m
m = kvrealloc m 127 __GFP_ZERO
m = kvrealloc m 150 __GFP_ZERO
m = kvrealloc m 9000 __GFP_ZERO
check m
v = vmalloc 100
fill v
v = vrealloc v 3000 __GFP_ZERO
v = vrealloc v 50
v = vrealloc v 20000 __GFP_ZERO
check v
verify
E2
for options in "" --debug-slab; do
	try run realloc.kvs $options
	check "all that a resize gains is zero $options" 0 out '^VERIFIED' out '^ +V12  ok'
done

# ---- kmalloc's debugging ----
printf 'k = kmalloc 64\nkfree k\nwrite k 0x42\nm = kmalloc 64\nn = kmalloc 64\n' >link.kvs
try run link.kvs --debug-slab
check "a write to the first word of a free object is a finding with the object" 1 out 'link.kvs:4' \
	out 'free [0-9]+-byte object at 0x' out 'written after it was freed'
printf 'k = kmalloc 64\nkfree k\nwrite k+56 0\nverify\n' >unseen.kvs
try run unseen.kvs --debug-slab
check "which the host finds without an allocation" 1 out 'V12 at 0x' out 'the free object at 0x.* of kmalloc-128'
printf 'k = kmalloc 60\nwrite k+60 0x1\nkfree k\n' >redzone.kvs
try run redzone.kvs --debug-slab
check "a write after the requested size is a finding when the object is freed" 1 out 'redzone.kvs:3' \
	out 'after the requested size of the' out 'written beyond its size'
printf 'k = kmalloc 60\nwrite k+60 0x1\nverify\n' >redzone.kvs
try run redzone.kvs --debug-slab
check "and at any stop" 1 out 'V12 at 0x' out 'after the 60 bytes that were requested'
check "with the object before it" 1 out 'the object at 0x.* of kmalloc-96'

debugged() # WHAT SCRIPT CHECKS...: with --debug-slab a finding that names an object, and no oops
{
	what=$1
	printf '%b' "$2" >debugged.kvs
	shift 2
	try run debugged.kvs --debug-slab
	if grep -qE 'oops|double free' out; then
		not_ok "$what (an oops, or a double free)"
	else
		check "$what" 1 "$@"
	fi
}
debugged "a write behind the last object of a slab is one beyond its size" 'k = kmalloc 8192\nfill k\nwrite k+8192 0\nverify\n' \
	out 'V12 at 0x' out 'written beyond its size' out 'the object at 0x.* of kmalloc-8k'
debugged "when it is freed, too" 'k = kmalloc 8192\nwrite k+8192 0x2000\nkfree k\n' out 'debugged.kvs:3' out 'written beyond its size'
for size in 8186 8187 8188 8189 8190 8191; do
	debugged "size $size" "k = kmalloc $size\nwrite k+$size 0x42\nverify\nkfree k\n" out 'V12 at 0x' out 'debugged.kvs:4' \
		out 'written beyond its size'
done
debugged "a page" 'a = kmalloc 4096\nb = kmalloc 4096\nwrite b+8192 0\nverify\n' out 'V12 at 0x' out 'the object at 0x.* of kmalloc-8k'
debugged "a free object" 'a = kmalloc 8192\nc = kmalloc 8192\nkfree a\nkfree c\nwrite c+8192 0\nverify\n' out 'V12 at 0x' \
	out 'the object at 0x.* of kmalloc-8k'
debugged "an overwritten record of a requested size" 'k = kmalloc 64\nwrite k+4168 0\nverify\nkfree k\n' out 'V12 at 0x' \
	out 'the record was overwritten' out 'debugged.kvs:4'
debugged "a record that says the object is free" 'k = kmalloc 64\nfill k\nwrite k+4168 0xffffffff00000000\nverify\nkfree k\n' out 'V12 at 0x' \
	out 'claimed  free' out 'debugged.kvs:5'
debugged "the memory behind a slab's objects" 'a = kmalloc 64\nkfree a\nwrite a+4096 0x42\nm = kmalloc 64\nn = kmalloc 64\n' \
	out 'V12 at 0x' out 'the object at 0x.* of kmalloc-128'
debugged "an overwritten link of a free object is not followed" 'a = kmalloc 64\nkfree a\nwrite a+4160 0x42\nm = kmalloc 64\nn = kmalloc 64\n' \
	out 'debugged.kvs:4' out 'in the free 128-byte object' out 'written after it was freed'
debugged "and the host names the object" 'a = kmalloc 64\nkfree a\nwrite a+4160 0x42\nverify\n' out 'V4 at 0x' \
	out 'leaves its slab after the object at 0x'
debugged "a list that ends too early" 'a = kmalloc 64\nkfree a\nwrite a+4160 0\nverify\n' out 'V4 at 0x' \
	out 'is too short after the object at 0x'
debugged "two free objects written at their ends" 'a = kmalloc 8000\nb = kmalloc 8000\nkfree a\nkfree b
write a+8188 0x4141414141414141\nwrite b+8188 0x4141414141414141\nd = kmalloc 8000\ne = kmalloc 8000\n' out 'debugged.kvs:7' \
	out 'debugged.kvs:8' out 'in the free 8192-byte object'
for request in 'kmalloc 4M' 'vmalloc 4600K'; do # too much, so that empty slabs go back
	debugged "a slab is compared when it goes back: $request" \
		"memory 8M\nk = kmalloc 64\nkfree k\nwrite k+8 7\nexpect refused $request\nverify\nm = kmalloc 64\n" \
		out 'debugged.kvs:5' out 'in the free 128-byte object at 0x' out 'found +0x0*7: an object was written after it was freed'
done
for block in '64 GFP_DMA' '64 GFP_DMA32' 20000; do
	debugged "the slack of a block: $block" "k = kmalloc $block\nwrite k+${block%% *} 1\nverify\nkfree k\n" out 'V12 at 0x' \
		out 'written beyond its size' out 'the block at 0x' out 'debugged.kvs:4'
done

# ---- executable memory ----
printf 'a = vmalloc 4K\nb = vmap a\nset_memory_ro a 1\nset_memory_x a 1\nwrite b 0xc3\nexecute a\nverify\n' >alias.kvs
try run alias.kvs
check "a frame that one mapping may write and another execute is a finding" 1 out 'V7 at 0x' out 'executable at 0xffffc90000000000'
cat >executable.kvs <<E2
a = vmalloc 4K
write a 0xc3
b = vmap a
set_memory_ro b 1
set_memory_ro a 1
set_memory_x a 1
set_memory_x b 1
execute a
execute b
vunmap b
vfree a
c = vmalloc 4K
verify
E2
for policy in strict lazy eager; do
	try run executable.kvs --policy $policy --json
	check "executable areas are flushed when they are freed: $policy" 0 out '"ok":true' out '"type":"unmap".*"executable":true'
done
# QEMU's TCG has a TLB of its own, with stale entries.
if command -v qemu-system-x86_64 >/dev/null; then
	printf 'a = vmalloc 4K\nwrite a 0xc3\nset_memory_ro a 1\nset_memory_x a 1\nexecute a\nvfree a\nb = vmalloc 4K\nwrite b 0x0b0f\nexecute a\n' >stale.kvs
	for policy in strict lazy; do
		"$KVMAP" compile stale.kvs --policy $policy --output stale.mod
		timeout 300 qemu-system-x86_64 -accel tcg -machine microvm -m 64 -nodefaults -display none -no-reboot -serial stdio \
			-device isa-debug-exit,iobase=0xf4,iosize=4 -kernel "$GUEST" -initrd stale.mod >out 2>err </dev/null
		status=$?
		if grep -q 'line 9: execute .*freed range .*unexpected page fault' out; then
			ok "what was freed does not run: $policy"
		else
			not_ok "what was freed does not run: $policy"
		fi
	done
fi

# ---- frames that are claimed zero ----
printf 'write 0xffff888005000000 0x41\nverify\n' >stray.kvs
try run stray.kvs
check "a stray write to a frame that was never allocated is a finding" 1 out 'V4 at 0x0*5000000' out 'never allocated'
finish
