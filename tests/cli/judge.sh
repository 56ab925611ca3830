#!/bin/sh
# SPDX-License-Identifier: MIT
# kvmap judge: kvmap's own guest under QEMU's plugin, with and without a missing flush. Needs no /dev/kvm, but QEMU 10.
. "$(dirname "$0")/tap.sh"

KVMAP_QEMU=/bin/false try judge --kernel "$GUEST"
one_line "a QEMU that is none" 2 '/bin/false is no QEMU of version 10 or newer'
try judge
one_line_usage() { check "$1" 2 err "$2"; }
one_line_usage "a kernel is needed" '--kernel FILE is missing'
try judge --kernel "$GUEST" --memory 1M
one_line_usage "the size of memory is checked" '--memory `1M` is not a size from 16M to 64G'
try judge --kernel "$GUEST" --only all
one_line_usage "so is --only" '--only `all`: it is `flushes` or `tables`'
try judge --kernel no/such/kernel
one_line "a kernel that is not there" 2 'no/such/kernel'

try judge --kernel "$GUEST" --timeout 100
if grep -q 'QEMU 10 or newer\|10 or newer is needed' err; then
	skip "all that runs a guest" "no QEMU 10: ./dev qemu"
	finish
	exit
fi
check "a guest without a script" 0 out '^VERIFIED: .* events, no findings\. The guest ended with status 37\.$' err 'no boot record'

# guest SCRIPT OPTION...: compiles the script, and runs it.
guest() {
	script=$1
	shift
	"$KVMAP" compile "$script" --output module ${compile_options:-} || exit 99
	try judge --strict --timeout 600 --initrd module "$@"
}

# ---- the guest has no findings ----
for cpus in 1 4; do
	for policy in strict batched lazy; do
		wrong=
		for script in "$IMAGES"/*.kvs; do
			"$KVMAP" compile "$script" --policy $policy --cpus $cpus --output module 2>err || continue
			try judge --kernel "$GUEST" --strict --timeout 600 --cpus $cpus --initrd module
			[ $status = 0 ] || wrong="$wrong $(basename "$script"): $(tail -n 1 out)"
		done
		[ -z "$wrong" ] && ok "no findings: $policy, $cpus CPUs" || not_ok "no findings: $policy, $cpus CPUs:$wrong"
	done
done

# ---- a missing flush, and its control ----
# The frames under the addresses of `a` and `e` change, and a CPU that was not flushed uses them.
cat >missing.kvs <<'SCRIPT'
a = vmalloc 64K
b = vmalloc 8K
e = vmalloc 64K
g = vmalloc 8K
on cpu 1 fill a
on cpu 1 fill e
bug missing-ipi
vfree e
vfree a
purge
h = vmalloc 32K
on cpu 1 fill h
SCRIPT
grep -v ^bug missing.kvs >control.kvs
compile_options="--cpus 4"
guest missing.kvs --kernel "$MUTANT_GUEST" --cpus 4 --record missing.events
check "a missing IPI is found" 1 out '1\. (exposed|stale)-use at 0xffffc90000000000: CPU 1,' \
	out 'owed +CPU 1 may hold the 4K page at 0xffffc90000000000,' out 'at +0xffffffff[0-9a-f]+ access_fill\+' \
	out 'called by op_fill\+' out 'entry +GPA 0x[0-9a-f]+: 0x[0-9a-f]+ became 0x0000000000000000' out 'by +0xffffffff[0-9a-f]+ .*\.c:[0-9]' \
	out '^NOT VERIFIED: 8 findings in .* events\. The guest ended with status 33\.$'
try replay missing.events
check "a replay has the same findings" 1 out '^NOT VERIFIED: 8 findings in '
guest control.kvs --kernel "$MUTANT_GUEST" --cpus 4 --record control.events
check "with the IPI there are none" 0 out '^VERIFIED: .* events, no findings\.'
events=$(sed -n 's/^VERIFIED: \(.*\) events, no.*/\1/p' out)
try replay control.events
check "a replay has the same events" 0 out "^VERIFIED: $events events, no findings\\."
guest control.kvs --kernel "$MUTANT_GUEST" --cpus 4 --disbelieve 1 --json
check "with every flush ignored there are findings" 1 out '"type":"tlb_finding".*"used_at":\{"at":"0x' \
	out '"type":"tlb_verdict".*"ok":false.*"end":"The guest ended with status 33"'
compile_options=
sed 's/on cpu 1 //; s/missing-ipi/missing-flush/' missing.kvs >one.kvs
guest one.kvs --kernel "$MUTANT_GUEST"
check "a missing flush on one CPU is found" 1 out '^NOT VERIFIED: 8 findings'
sed 's/on cpu 1 //' control.kvs >one.kvs
guest one.kvs --kernel "$MUTANT_GUEST"
check "with the flush there are none" 0 out '^VERIFIED'

# ---- fewer rules ----
guest one.kvs --kernel "$MUTANT_GUEST" --only tables
check "--only tables" 0 out 'table-write +0 ok' out 'exposed-use +0 - ' out '^VERIFIED'
guest one.kvs --kernel "$MUTANT_GUEST" --only flushes
check "--only flushes has no verdict" 2 out 'by kind: +' out '^NOT VERIFIED: --only flushes counts flushes'

# ---- guests that do not come to their end ----
try judge --kernel "$GUEST" --timeout 1 -- -S
check "a guest that hangs is ended, and not verified" 2 out '^NOT VERIFIED: the guest did not come to its end; no findings in the 0 events' out 'was ended by --timeout\.$'
guest one.kvs --kernel "$GUEST" --append x -- -machine no-such
check "QEMU's own message is there" 2 err 'no-such' err 'QEMU did not load the plugin'
try judge --kernel "$GUEST" --memory 3G
check "memory above the gap for devices" 0 out '^VERIFIED'
"$KVMAP" judge --kernel "$GUEST" -- -S >out 2>err &
pid=$!
sleep 1
kill -TERM $pid
wait $pid
status=$?
check "a signal ends it with a verdict" 143 out 'was ended by a signal\.$'
try judge --print-arguments --record events
check "the arguments for a QEMU command" 0 out '^-accel tcg,thread=multi .*-plugin file=.*libkvmap-plugin.so,.*,record=events$'
finish
