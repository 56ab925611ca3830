#!/bin/sh
# SPDX-License-Identifier: MIT
# A guest that lies, or ends where it should not, is a finding: exit status 1 and a verdict, never an error of the host.
# Usage: run.sh HOSTILE-GUEST. Prints TAP.
hostile=$(realpath "$1")
. "$(dirname "$0")/../cli/tap.sh"

printf 'expect fault null 0\nverify\n' >script.kvs

# lie NUMBER NAME PATTERN: of what is found
lie() {
	limit=
	case $3 in *--timeout*) limit="--timeout 0.5" ;; esac
	# shellcheck disable=SC2086
	try run script.kvs --guest "$hostile" --seed "$1" $limit
	check "$2" 1 out "$3" out 'NOT VERIFIED'
	# shellcheck disable=SC2086
	try run script.kvs --guest "$hostile" --seed "$1" --json $limit
	tail -n 1 out >last
	check "$2, as JSON" 1 last '"type":"verdict".*"ok":false'
}
lie 1 "a flood of records" 'invalid records'
lie 2 "operations that the script does not have" '2 invalid records'
lie 3 "a channel that holds more than it can" 'invalid records'
lie 4 "values that nothing can have" 'invalid records'
lie 5 "an expected fault without a record of it" 'reported no fault'
lie 6 "an expected fault that the host was not shown" 'did not stop at it'
lie 7 "an expected fault at another address" 'at another address'
lie 8 "a verification that the host did not make" 'did not stop for it'
lie 9 "an exit with a code of its own" 'gave up'
lie 10 "an end without a word of any operation" '0 reported'
lie 11 "verifications without end" 'stopped by --timeout'
lie 12 "an oops without a report of it" 'gave up without a message'
# log_lie NUMBER NAME PATTERN: of what is found in the event log
log_lie() {
	limit=
	case $3 in *--timeout*) limit="--timeout 0.5" ;; esac
	# shellcheck disable=SC2086
	try run script.kvs --guest "$hostile" --seed "$1" --log $limit
	check "$2" 1 out "$3" out 'NOT VERIFIED'
}
log_lie 30 "an event log that is not begun" 'the guest has not begun one'
log_lie 31 "an event log with an end of its own" 'an end outside of the log'
log_lie 32 "a record that is longer than its log" 'a record that ends after its log'
log_lie 33 "an event log that is full without end" 'stopped by --timeout'
# Operations that are given while it runs: ring_lie NUMBER NAME PATTERN
ring_lie() {
	status=0
	printf 'purge\nprint "x"\npurge\nmap\n' | "$KVMAP" shell --guest "$hostile" --seed "$1" --timeout 2 >out 2>err || status=$?
	check "$2" 1 out "$3" out 'NOT VERIFIED' err '`restart` boots it anew' out 'direct map'
	status=0
	printf 'purge\n' | "$KVMAP" shell --guest "$hostile" --seed "$1" --timeout 2 --json >out 2>err || status=$?
	tail -n 1 out >last
	check "$2, as JSON" 1 last '"type":"verdict".*"ok":false'
}
ring_lie 20 "an end of the ring beyond the host's" 'an end of the ring that cannot be'
ring_lie 21 "an end of the ring that goes back" 'an end of the ring that cannot be'
ring_lie 22 "operations that are left in the ring" '1 still in the ring'
ring_lie 23 "operations without results" '0 reported'
ring_lie 24 "a ring that was written over" 'an end of the ring that cannot be'
ring_lie 25 "results of operations that were not given" 'all 1 operations are done|invalid records'
ring_lie 26 "an end while operations are waited for" 'the guest waits for operations'
ring_lie 27 "operations taken without end" 'stopped by --timeout'
# The largest guest: what looking at it costs must not grow with memory that it never touched.
try run script.kvs --guest "$hostile" --seed 13 --memory 64G --json
check "tables without end" 1 out '"invariant":"V6"' out '"claimed":"a page table is reached once"'
# In processor time, which does not depend on what else the machine does.
(
	try map script.kvs --guest "$hostile" --seed 13 --memory 64G
	times >spent
	exit $status
)
status=$?
check "the map of tables without end" 0 out '^0x0000000000000000 131072 GiB rwx .*NOTHING THAT THE GUEST USES'
awk 'NR == 2 { split($1 "m" $2, t, "m"); exit t[1] + t[3] > 0 || t[2] + t[4] > 5 }' spent && ok "which does not take long" ||
	not_ok "which does not take long"

# The first instructions of the PVH entry become others: 32-bit code, no page tables.
notes=$(readelf -nW "$GUEST" | sed -n 's/.*description data: \(..\) \(..\) \(..\) \(..\).*/\4\3\2\1/p' | head -n 1)
file_offset=$(readelf -lW "$GUEST" | awk '$1 == "LOAD" { print $2, $4 }' | while read -r offset gpa; do
	[ $((0x$notes - gpa)) -ge 0 ] && echo $((0x$notes - gpa + offset))
done | tail -n 1)

# entry NAME CODE PATTERN
entry() {
	cp "$GUEST" guest.elf
	chmod u+w guest.elf
	printf "$2" | dd of=guest.elf bs=1 seek="$file_offset" conv=notrunc 2>/dev/null
	limit=
	case $3 in *--timeout*) limit="--timeout 0.5" ;; esac
	# shellcheck disable=SC2086
	try run script.kvs --guest ./guest.elf $limit
	check "$1" 1 out "$3" out 'NOT VERIFIED'
	for command in verify 'map' 'walk'; do
		argument=
		[ "$command" = walk ] && argument=0
		wanted=2
		[ "$command" = verify ] && wanted=1
		# shellcheck disable=SC2086
		try $command script.kvs $argument --guest ./guest.elf $limit
		check "$1: $command" "$wanted"
	done
}
entry "an end before there are page tables" '\270\020\0\0\0\347\364\364' 'not in long mode'
entry "a verification before there are page tables" '\270\002\0\0\0\146\272\004\013\357\270\020\0\0\0\347\364\364' 'not in long mode'
entry "a fault before there are page tables" '\270\003\0\0\0\146\272\004\013\357\353\375' 'stopped by --timeout'
entry "output without end" '\260\101\146\272\370\003\356\353\375' 'stopped by --timeout'
entry "HLT before there are page tables" '\364\364' 'HLT'
finish
