#!/bin/sh
# SPDX-License-Identifier: MIT
# --fail-allocation: for every operation that allocates, and every one of its allocations: when that fails, the
# operation is refused or done by another way, nothing is lost, and the script goes on.
. "$(dirname "$0")/tap.sh"

# every NAME LINE...: makes each allocation of the script fail in turn, until it has no more; 500 at most.
# $options: more of kvmap run.
options=
every() {
	name=$1
	shift
	printf '%s\n' "$@" >fail.kvs
	n=0 refused=0 fallback=0 wrong=
	while [ $((n += 1)) -le 500 ]; do
		try run fail.kvs --fail-allocation "$n" --json $options
		if [ "$status" != 0 ] || ! grep -q '"type":"verdict".*"ok":true,"findings":0' out; then
			wrong="allocation $n: exit $status"
			break
		fi
		grep -q '"type":"fail_allocation".*"happened":true' out || break
		if grep -q '"type":"fail_allocation".*"refused":true' out; then
			refused=$((refused + 1))
		else
			fallback=$((fallback + 1))
		fi
	done
	[ -z "$wrong" ] && [ "$refused" -gt 0 ] && [ "$n" -le 500 ] && ok "$name: $refused refused, $fallback done all the same" ||
		not_ok "$name: ${wrong:-$refused refused of $n}"
}

every "vmalloc" 'a = vmalloc 64K' 'fill a seed 1' 'check a' 'vfree a'
every "vmalloc over two page tables" 'a = vmalloc 3M' 'vfree a' 'b = vmalloc 3M' 'fill b seed 2' 'check b'
every "vzalloc" 'a = vzalloc 1M' 'check a' 'vfree a'
every "vmap and vunmap" 'a = vmalloc 40K' 'b = vmap a' 'vunmap b' 'vfree a'
every "vm_map_ram" 'a = vmalloc 40K' 'b = vm_map_ram a' 'vm_unmap_ram b 10' 'vm_unmap_aliases' 'vfree a'
every "kmalloc" 'a = kmalloc 100' 'b = kzalloc 8K' 'c = kmalloc 3M' 'kfree a' 'kfree b' 'kfree c'
every "what waits for a flush is flushed first" 'a = vmalloc 64K' 'vfree a' 'b = vmalloc 64K' 'c = kmalloc 64'
every "the whole family" 'a = vmalloc_user 40K' 'b = vmalloc_32 40K' 'c = vcalloc 10 8K' 'd = vmalloc_array 3 4K' 'e = kvmalloc 16K' 'f = kvzalloc 64K' 'g = kvmalloc_array 10 3000'
every "vmalloc_huge" 'a = vmalloc_huge 3M' 'fill a seed 3' 'vfree a'
every "vrealloc" 'a = vmalloc 8K' 'fill a' 'b = vrealloc a 3M' 'c = vrealloc b 20K' 'd = vmalloc 4K' 'e = vrealloc c 64K' 'check e'
every "kvrealloc" 'a = kvmalloc 100' 'b = kvrealloc a 64K' 'c = kvrealloc b 5M' 'kvfree c'
every "krealloc" 'a = kmalloc 100' 'b = krealloc a 5000' 'c = krealloc b 3M' 'd = krealloc c 64' 'kfree d'
every "arrays and a node" 'a = kmalloc_array 10 30' 'b = kcalloc 100 300' 'check b' 'c = kvcalloc 1000 3000' 'check c' 'd = kvmalloc_node 40K 0'
every "areas" 'areas 5 12K' 'areas 4 8K holes'
every "pairs" 'pair vmalloc 8K 3' 'pair kmalloc 200 3' 'pair alloc_pages 16K 3' 'a = kmalloc 8' 'kfree a'
options="--cpus 3"
every "the same on another CPU" 'on cpu 1 a = vmalloc 64K' 'on cpu 2 vfree a'

printf 'a = vmalloc 4K\n' >one.kvs
try run one.kvs --fail-allocation 1
check "the report names the operation" 0 out 'failure +allocation 1 was made to fail: one.kvs:1: a = vmalloc 4K was refused'
check "its warning says why" 0 out 'a = vmalloc 4K: not enough free page frames; an allocation was made to fail'
try run one.kvs --fail-allocation 1 --json
check "in JSON, too" 0 out '"type":"warning".*"injected":true'
printf 'expect refused kmalloc 4M\n' >short.kvs
try run short.kvs --memory 8M --fail-allocation 1000 --json
check "and not where memory is short" 0 out '"type":"warning".*"injected":false'
try run one.kvs --fail-allocation 1000
check "a script that makes fewer allocations" 0 out 'failure +none: the script makes [0-9]+ allocations, and number 1000 was to fail'
printf 'pair kmalloc 200 5\na = kmalloc 8\nkfree a\n' >stale.kvs
for n in 3 4 5; do
	try run stale.kvs --fail-allocation $n
	check "a refusal stands for no later operation ($n)" 0
done
printf 'expect refused vm_unmap_ram rodata 1\npair kmalloc 5M 1\npair alloc_pages 8M 1\n' >stale.kvs
try run stale.kvs
check "nor does one that the script expects" 2 out 'pair kmalloc 5M 1 +REFUSED: size is too large' out 'pair alloc_pages 8M 1 +REFUSED: size is too large'
for bad in 0 -1 x 4294967296; do
	try run one.kvs --fail-allocation "$bad"
	check "--fail-allocation $bad" 2 err 'not a number from 1 to'
done
finish
