#!/bin/sh
# SPDX-License-Identifier: MIT
# A guest whose flush generation begins near the end of 32 bits, of 63, and near its own.
. "$(dirname "$0")/tap.sh"

cat >pairs.kvs <<E2
repeat 3000
  a = vmalloc 8K
  vfree a
end
E2
# The log is full before the first look: no entry of it is missing.
cat >mixed.kvs <<E2
repeat 2100
  a = vmalloc 4K
  vfree a
end
repeat 20
  a = vmalloc 64K
  fill a
  b = vmap a
  set_memory_ro b 16
  check b
  vunmap b
  on cpu 1 c = vm_map_ram a
  vm_unmap_ram c 16
  on cpu 1 vfree a
end
verify
stress 7 50
on cpu 1 stress 8 50
verify
E2
late() { # START
	python3 "$(dirname "$0")/late_clock.py" "$GUEST" "$1" late.elf
}
for start in 0xfffffe00 0x7ffffffffffffc00 0xffffffffffff0000; do
	late $start
	try run pairs.kvs --guest late.elf
	check "from $start: 3,000 frees and no more flushes than ever" 0 out '46 for 3,000 frees' out '^VERIFIED'
done
late 0xfffff700
for policy in strict lazy eager; do
	try run mixed.kvs --guest late.elf --policy $policy --cpus 2
	check "$policy, two CPUs, over the end of 32 bits" 0 out '^VERIFIED'
done
finish
