#!/bin/sh
# SPDX-License-Identifier: MIT
# A guest that dies in the middle of an operation is verified as it lies: beside the death it has no finding, at whatever
# instruction it died, and what was damaged before is found. `bug die-soon` steps through the following operations, as many
# instructions as the first variable has bytes. Usage: deaths.sh KVMAP GUEST. Prints TAP.
KVMAP=$(realpath "$1")
guest=$(realpath "$2")
. "$(dirname "$0")/findings.sh"

# die N SETUP OPERATION [OPTION...]: leaves the invariants with findings, sorted, in $found, and in $ended whether the
# operation has fewer instructions.
die() {
	{
		echo "zz = kmalloc $1"
		printf "$2"
		printf 'bug die-soon\n%s\nverify\n' "$3"
	} >t.kvs
	shift 3
	try run t.kvs "$@" --timeout 100 --guest "$guest" --json
	tried="$tried, of
$(cat t.kvs)"
	found=$(findings -u)
	ended=no
	grep -q '"type":"death"' out || ended=yes
}

# each SETUP OPERATION [OPTION...]: dies at instructions of the operation that are ever farther apart, up to its end.
each() {
	setup=$1
	operation=$2
	shift 2
	at=1
	deaths=0
	while die "$at" "$setup" "$operation" "$@" && [ $ended = no ] && [ "$found" = script ]; do
		deaths=$((deaths + 1))
		at=$((at + at / 4 + 17))
	done
	if [ $ended = yes ] && [ -z "$found" ] && [ $deaths -gt 3 ]; then
		ok "a guest that dies in: $operation"
	else
		not_ok "a guest that dies in: $operation (instruction $at, findings: ${found:-none})"
	fi
}

each 'a = vmalloc 4K\n' 'b = vmalloc 16K'
each 'a = vmalloc 4K\nb = vmalloc 4K\nvfree b\n' 'c = vmalloc 4K' --policy eager
each 'a = vmalloc 400K\nvfree_atomic a\n' 'b = vmalloc 16K'
each 'a = vmalloc 4K\n' 'b = vmalloc_huge 2M'
each 'a = vmalloc 16K\nb = vmalloc 16K\n' 'vfree b'
each 'a = vmalloc 16K\nb = vmalloc 160K\n' 'vfree b' --policy eager
each 'a = vmalloc 16K\nb = vmalloc 400K\nvfree_atomic b\n' 'vfree a' --policy lazy
each 'a = vmalloc 16K\nb = vmalloc 16K\nvfree b\n' purge
each 'a = vmalloc 4K\n' 'k = kmalloc 64'
each 'a = vmalloc 4K\nk = kmalloc 64\nl = kmalloc 100K\n' 'kfree l'
each 'a = vmalloc 16K\n' 'm = vmap a'
each 'a = vmalloc 16K\nm = vmap a\n' 'vunmap m'
each 'a = vmalloc 16K\n' 'm = vm_map_ram a'
each 'a = vmalloc 16K\nm = vm_map_ram a\n' 'vm_unmap_ram m 4'
each 'a = vmalloc 64K\nfill a\n' 'a = vrealloc a 16K'
each 'a = vmalloc 16K\nfill a\n' 'a = vrealloc a 64K __GFP_ZERO'
each 'a = vmalloc 8K\nb = vmalloc 4K\nfill a\n' 'a = vrealloc a 16K __GFP_ZERO'
each 'b = vmalloc 4K\na = kvmalloc 64\nfill a\n' 'a = kvrealloc a 8K'
each 'a = vmalloc 16K\n' 'set_memory_ro a 4'
each 'a = vmalloc 8K\n' 'fill a'
each 'a = vmalloc 8K\n' 'stress 1 20'

# Damage is found: by a rule that holds at every instruction, and by one that the operation does not touch.
die 300 'a = vmalloc 4K\nbug writable-text\n' 'b = vmalloc 16K'
[ "$found" = 'V7 script' ] && ok "damage that the operation cannot explain is found" || not_ok "damage that the operation cannot explain is found"
die 100 'a = vmalloc 4K\nbug guard-mapped\n' 'fill a'
[ "$found" = 'V3 script' ] && ok "a mapped guard is found after a death in fill" || not_ok "a mapped guard is found after a death in fill"
die 300 'a = vmalloc 4K\n' 'b = vmalloc 16K'
if grep -q '"not_seen":.*"V8"' out && "$KVMAP" run t.kvs --guest "$guest" | tr -s '\n ' ' ' |
	grep -q 'V8 not seen .* (CPU 0 was in .vmalloc. (line 4), in which it need not hold)'; then
	ok "the verdict names the operation"
else
	not_ok "the verdict names the operation"
fi
finish
