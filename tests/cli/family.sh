#!/bin/sh
# SPDX-License-Identifier: MIT
# The vmalloc family on real KVM: what the host sees of it.
. "$(dirname "$0")/tap.sh"

# gpa_of CORE ADDRESS: of the page, by the host's walk.
gpa_of() {
	"$KVMAP" walk "$1" "$2" --json 2>err | sed -n 's/.*"type":"walk".*"gpa":"\(0x[0-9a-f]*\)".*/\1/p'
}

for policy in strict lazy eager; do
	try run "$IMAGES/family.kvs" --policy "$policy" --json
	tail -n 1 out >last
	check "the family is clean under $policy" 0 last '"ok":true'
done

printf 'a = vmalloc 4K\nb = vmalloc_32 4K\nc = __vmalloc 4K GFP_KERNEL|__GFP_DMA\nd = __vmalloc 4K GFP_DMA32\n' >limits.kvs
try run limits.kvs --memory 5G --dump core --json
check "with 5 GiB there are frames above each limit" 0
a=0x$(vmalloc_address 0 0) b=0x$(vmalloc_address 1 1) c=0x$(vmalloc_address 2 2) d=0x$(vmalloc_address 3 3)
[ $(($(gpa_of core "$a"))) -ge $((1 << 32)) ] &&
	[ $(($(gpa_of core "$b"))) -lt $((1 << 32)) ] &&
	[ $(($(gpa_of core "$c"))) -lt $((1 << 24)) ] &&
	[ $(($(gpa_of core "$d"))) -lt $((1 << 32)) ] &&
	[ $(($(gpa_of core "$b"))) -gt 0 ] && [ $(($(gpa_of core "$c"))) -gt 0 ] && [ $(($(gpa_of core "$d"))) -gt 0 ] && ok "each frame lies below the limit that was asked for" ||
	not_ok "each frame lies below the limit that was asked for"

printf 'a = __vmalloc 4K GFP_KERNEL|__GFP_COLD\n' >flag.kvs
try run flag.kvs
check "a flag that does not exist is an error with the place" 2 err 'flag.kvs:1:29: .*__GFP_COLD'

# Ordinary areas leave ZONE_DMA alone, whose frames were used, while others were never used; mem_map does not lie there.
cat >low.kvs <<'END'
d = kmalloc 4M GFP_DMA
e = kmalloc 2M GFP_DMA
f = kmalloc 2M GFP_DMA
kfree d
kfree e
kfree f
a = vmalloc 10800K
e = kmalloc 64K GFP_DMA
f = kmalloc 64K GFP_DMA
g = kmalloc 1M GFP_DMA
h = kmalloc 2M GFP_DMA
verify
END
for memory in 256M 2G; do
	try run low.kvs --memory $memory --json
	check "low frames are left to those that need them, $memory" 0 out '"type":"verdict".*"ok":true'
done
echo 'e = kmalloc 2M GFP_DMA' >boot.kvs
for memory in 10M 18M 64M 1300M 5G; do
	try run boot.kvs --memory $memory
	check "2 MiB of ZONE_DMA at boot, $memory" 0 out 'VERIFIED'
done

# Bytes that a script writes beyond the requested size may be cleared or not copied.
cat >slack.kvs <<'END'
a = vmalloc 100
fill a seed 1
m = vmap a
write a+200 5
a = vrealloc a 300 __GFP_ZERO
k = kmalloc 100
l = kmalloc 100
fill l seed 1
write k+124 5
o = vmalloc 100
write o+48 7
write o+4088 5
o = vrealloc o 5000
verify
END
try run slack.kvs --json
check "writes beyond the requested size are no finding" 0 out '"type":"verdict".*"ok":true'

# An area that was resized in place still has its other mappings.
cat >shared.kvs <<'END'
v = vmalloc 8K
fill v
m = vmap v
w = vm_map_ram v
v = vrealloc v 5000
write m+48 7
verify
check v
v = vrealloc v 8K __GFP_ZERO
verify
fill v seed 3
check m
check w
fill w seed 4
check v
verify
END
try run shared.kvs --json
check "a resize in place changes what other mappings hold" 0 out '"type":"verdict".*"ok":true'
finish
