#!/bin/sh
# SPDX-License-Identifier: MIT
# Names, types and claims come from the guest's program: the right one, or none.
. "$(dirname "$0")/tap.sh"

cat >areas.kvs <<EOF
a = vmalloc 64K
b = vmalloc 8K
vfree b
EOF
try run areas.kvs --dump a.core
check "the guest that is inspected is verified" 0

# ---- another build ----
cp "$GUEST" other.elf
# The first byte of the build-id, which follows the note's header and "GNU\0".
offset=$(grep -obUaP '\x14\x00\x00\x00\x03\x00\x00\x00GNU\x00' other.elf | head -n 1 | cut -d : -f 1)
byte=$(od -An -tu1 -j $((offset + 12)) -N 1 other.elf)
printf "\\$(printf %o $((byte ^ 255)))" | dd of=other.elf bs=1 seek=$((offset + 12)) conv=notrunc 2>/dev/null
for command in verify areas "proc meminfo"; do
	# shellcheck disable=SC2086
	set -- $command
	try "$1" a.core ${2:+"$2"} --guest other.elf
	one_line "$1 with another build's program is refused" 2 'runs another build than other.elf.*[0-9a-f]{40}.*[0-9a-f]{40}'
done
try map a.core --guest other.elf
check "map continues without names" 0 err 'runs another build than other.elf.*continuing without names' out 'ffffc90000000000'
[ "$(wc -l <err)" = 1 ] && ! grep -q 'areas.kvs\|trap_handle' out && ok "... in one line" || not_ok "... in one line"
try walk a.core 0xffffc90000000000 --guest other.elf
check "so does walk" 0 err 'continuing without names' out 'GPA'
try walk a.core vmalloc --guest other.elf
check "which then knows no symbols" 2 err 'neither an address'
try verify a.core
check "the right program is found and used" 0 out 'VERIFIED'

# ---- backtraces ----
try backtrace a.core
check "a core's stack, with function and line of each frame" 0 out '^CPU 0: RIP' out '#0 .* machine_exit\+0x[0-9a-f]+ \((machine.c|io.h):[0-9]+\)$' \
	out 'agent_run\+0x[0-9a-f]+ \(agent.c:[0-9]+\)' out 'boot\+0x[0-9a-f]+ \(boot.c:[0-9]+\)' out 'pvh_start\+'
grep -q '\.\.\.' out && not_ok "it ends at the outermost frame" || ok "it ends at the outermost frame"
try backtrace areas.kvs --cpus 3 --json
check "every CPU of a guest with three, as JSON" 0 out '"type":"backtrace","seq":2,"cpu":2,' out '"is":"irq_wait \(irq.h:[0-9]+\) in ' \
	out '"end":"the outermost frame"'
try backtrace areas.kvs --cpus 3 --cpu 1
check "one of them" 0 out '^CPU 1: ' out 'ap_main'
grep -q '^CPU [02]' out && not_ok "... and only it" || ok "... and only it"
try backtrace a.core --cpu 1
one_line "a CPU that is not there" 2 'no CPU 1: a.core has 1'
try backtrace a.core --guest other.elf
check "without the right program: addresses by frame pointers" 0 err 'continuing without names' out '#0 +0xffffffff802'

echo 'crash oops' >oops.kvs
try run oops.kvs --dump oops.core
check "the report of an oops has the stack to the fault" 1 out '#0 .*machine_crash' out '#1 .*op_crash' out 'agent_run\+.*agent.c:'
try run oops.kvs --json
check "... in JSON, too" 1 out '"type":"death".*"frames":\[\{"pc":"0x[0-9a-f]*","sp":"0x[0-9a-f]*","is":"machine_crash'
try backtrace oops.core
# clang's assembler does not say in .debug_frame that a frame is a trap's, so that there the next one may be the last.
outermost='pvh_start\+'
grep -aq 'clang version' "$GUEST" && outermost='machine_crash'
check "a stack goes on behind the trap that interrupted it" 0 out 'oops\+' out 'trap_handle\+' out 'trap_common\+.*traps.S' \
	out 'machine_crash\+.*machine.c' out "$outermost"

# ---- print ----
try print a.core 'zones[0]'
check "a structure with its types" 0 out '^zones\[0\] at 0xffffffff8.* = \(struct zone\)\{$' out '^    \.start_pfn = \(u32\)[0-9]+,$' \
	out '^        \[0\.\.[0-9]+\] = \(struct free_area\)\{$' out '^}$'
try print a.core '*agent.record'
check "pointers are followed through the guest's tables" 0 out 'at 0xffff8880.* = \(const struct kvmap_boot\)\{' out '\.policy = \(uint32_t\)0,'
try print a.core vmalloc_policy --json
check "a number, as JSON" 0 out '^\{"schema":"kvmap/1","type":"print","seq":0,"expression":"vmalloc_policy","c_type":"u32","address":"0xffffffff8.*","size":4,"value":0,"truncated":false\}$'
try print areas.kvs --cpus 2 'cpus[0..1].number' --json
check "a slice over what each CPU has, of a script" 0 out '"value":\[0,1\],'
try print a.core 'zones[0].free_area' --json
check "alike elements are all there in JSON" 0 out '"value":\[(\{"first":[0-9]+,"nr_free":[0-9]+\},?){11}\]'
try print a.core '(struct page *)mem_map' --limit 1
check "a cast" 0 out '= \(struct page \*\)0xffff8880'
try print a.core zone
check "an unknown variable: the nearest one, and where" 2 err 'column 1: .*`zone`; did you mean `zones`' err '^  \^$'
try print a.core 'zones[0].free_'
check "an unknown member: those that there are" 2 err 'column 9: .*has no member `free_`: it has start_pfn, ' err '^          \^$'
try print a.core '*kmem_caches[1]'
check "what is not mapped" 2 err 'column 1: 0x0 is not mapped'
try print a.core 'zones['
check "an expression that ends too early" 2 err 'column 7: a number is expected, but it ends'
try print a.core zones --guest other.elf
one_line "another build's types are not used" 2 'runs another build'
strip -g -o stripped.elf "$GUEST"
try print a.core zones --guest stripped.elf
one_line "a program without debug information" 2 'stripped.elf has no debug information'
finish
