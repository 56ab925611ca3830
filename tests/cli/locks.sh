#!/bin/sh
# SPDX-License-Identifier: MIT
# --debug-locks: the guest that checks its locks, as it is and with deliberate bugs.
. "$(dirname "$0")/tap.sh"

for script in demo parallel interrupt kmalloc; do
	try run "$IMAGES/$script.kvs" --debug-locks
	check "$script.kvs uses its locks as it must" 0
done
for policy in strict lazy eager; do
	try run -e 'fragment 50% of 4M' -e 'parallel' -e 'on cpu 0 stress 1 400' -e 'on cpu 1 stress 2 400' -e 'on cpu 2 stress 3 400' -e 'end' \
		-e 'stress_free' --cpus 3 --policy "$policy" --debug-locks
	check "random operations on 3 CPUs, $policy" 0
done

# The memory manager drains all CPUs while the agent maps frames once more.
cat >drain.kvs <<'END'
cpus 2
memory 8M
a = vmalloc 64K
repeat 120
x = kmalloc 32K
end
repeat 600
x = kmalloc 4K
end
repeat 300
v = vmap a
end
parallel
on cpu 0 v = vmap a
on cpu 1 v = vm_map_ram a
end
END
try run drain.kvs --debug-locks
tr -s ' \n' ' ' <out >line
grep -q FAILED line && not_ok "vmap where memory is short holds no lock that it must not" || ok "vmap where memory is short holds no lock that it must not"

# exits OPTION...: how often a guest of two operations exits to the host.
exits() {
	try run -e 'a = vmalloc 4K' -e 'vfree a' --json "$@"
	sed -n 's/.*"exits":\([0-9]*\).*/\1/p' out
}
plain=$(exits)
[ -n "$plain" ] && [ "$(exits --debug-locks)" = "$plain" ] && ok "it keeps no event log, for which it would exit to the host" ||
	not_ok "it keeps no event log, for which it would exit to the host"

# bug NAME OPERATIONS...: with the bug and the checks a failure; without the checks none.
bug() {
	which=$1
	pattern=$2
	shift 2
	try run -e 'a = vmalloc 4K' "$@" --cpus 2 --guest "$LOCKS_MUTANT_GUEST" --debug-locks
	tr -s ' \n' ' ' <out >line
	check "$which is found, and where" 1 line "$pattern"
	try run -e 'a = vmalloc 4K' "$@" --cpus 2 --guest "$LOCKS_MUTANT_GUEST"
	check "$which is not found by a guest that does not check" 0
}
bug lock-order 'a lock is taken against the order of locks: vmap_area_lock.*, at lock_order.*bugs[_a-z]*.c:[0-9]*\), while free_vmap_area_lock.*, taken at lock_order' \
	-e 'bug lock-order'
bug lock-left-out 'a lock is not held, as what it protects is used: vmap_area_lock.*, at ' -e 'bug lock-left-out'
bug lock-in-interrupt 'a lock is taken in an interrupt, and elsewhere with interrupts on: vmap_area_lock.*, at .*shootdown_handle.*its other use is at ' \
	-e 'bug lock-in-interrupt' -e 'parallel' -e 'on cpu 0 stress 1 200' -e 'on cpu 1 stress 2 200' -e 'end'

try run -e 'a = vmalloc 4K' -e 'bug lock-order' --guest "$LOCKS_MUTANT_GUEST" --debug-locks --json
check "JSON has the locks and places" 1 out '"type":"lock".*"lock":"vmap_area_lock".*"place":"lock_order.*"held":"free_vmap_area_lock"'
try run -e 'a = vmalloc 4K' --guest "$GUEST" --debug-locks
one_line "a guest without the checks is refused" 2 'compiled without checks of locks: leave --guest away, or --debug-locks'
finish
