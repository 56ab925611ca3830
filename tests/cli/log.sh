#!/bin/sh
# SPDX-License-Identifier: MIT
# kvmap run --log, --record-events; kvmap replay of what was recorded.
. "$(dirname "$0")/tap.sh"

# ---- a clean guest ----
for policy in strict lazy eager; do
	try run "$IMAGES/parallel.kvs" --log --policy $policy --json
	check "several CPUs, policy $policy" 0 out '"type":"event_log"' out '"left_out":0' out '"ok":true'
done
try run "$IMAGES/huge.kvs" --log
check "the report has the event log's figures" 0 out 'event log   [0-9,]* records: [0-9,]* stores to page tables' \
	out 'entries compared with the page tables'
try run "$IMAGES/huge.kvs"
grep -q "event log" out && not_ok "without --log it has none" || ok "without --log it has none"

# A log that is full is read while the guest runs: more stores than a log has room for.
try run -e 'a = vmalloc 16M; vfree a; purge; b = vmalloc 16M; vfree b' --log --json
check "a full log is read" 0 out '"times_full":[1-9]' out '"stores":163[89][0-9]' out '"ok":true'
try run -e 'parallel; on cpu 0 stress 60 1; on cpu 1 stress 60 2; on cpu 63 stress 60 3; end; verify' --log --cpus 64 --json
check "64 CPUs have small logs" 0 out '"ok":true'

try run -e 'a = vmalloc 16K; on cpu 1 vfree a; vm_unmap_aliases; verify; on cpu 1 a = vmalloc 16K; on cpu 1 vfree_atomic a; vm_unmap_aliases; verify; purge; verify' --log --cpus 2
check "vm_unmap_aliases may leave flushed areas, and such that are still mapped, to their CPU" 0 out '^VERIFIED'

try run -e 'a = vmalloc 16K; b = vm_map_ram a; c = vm_map_ram a; vm_unmap_ram b 4; purge; verify; vm_unmap_ram c 4; on cpu 1 purge; verify' --log --cpus 2
check "mappings of a block that were flushed wait for no purge" 0 out '^VERIFIED'
for crash in mmio emulation oops triple-fault; do
	try run -e "crash $crash" --log
	check "crash $crash is the only finding" 1 out '^NOT VERIFIED: 1 finding;'
done

# ---- recording ----
try run "$IMAGES/reuse.kvs" --record-events events
check "--record-events implies --log" 0 out 'event log'
try replay events
check "a replay of it is verified" 0 out '^VERIFIED'
try replay events --disbelieve 1
check "flushes that are ignored are missing" 1 out 'frame-reuse' out '^NOT VERIFIED'
try run "$IMAGES/reuse.kvs" --record-events folder/events
check "a file that cannot be written" 2 err 'cannot write folder/events'

# ---- what only the log shows ----
try run -e 'a = vmalloc 16K; bug lying-log; verify' --guest "$MUTANT_GUEST" --log
check "claimed and found are shown" 1 out 'claimed  entry 0x0000000000000000, by the event log' out 'found    0x[0-9a-f]* in the page table'
try run -e 'a = vmalloc 8K; set_memory_ro a 2; verify' --log --json
if grep -q '"invlpg_compared":true' out; then
	check "KVM has counted as many INVLPG as the log" 0 out '"invlpg":2,"invlpg_compared":true'
	try run -e 'a = vmalloc 8K; set_memory_ro a 2; bug unexecuted-flush; verify' --guest "$MUTANT_GUEST" --log
	check "a flush that was logged and not executed" 1 out 'claimed  3 INVLPG instructions, by the event log' out 'found    KVM has emulated 2'
else
	ok "# SKIP KVM does not count INVLPG here"
fi
finish
