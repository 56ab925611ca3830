#!/bin/sh
# SPDX-License-Identifier: MIT
# A second witness of flushes: the TLBs of QEMU's CPUs, which hold stale translations for as long as nothing flushes them.
#
# 1. The guest of tests/witness touches addresses before and after each flush, on each CPU: it prints TAP.
# 2. The scripts of tests/witness/harm use what a deliberate bug of tests/mutants left stale. With the bug other contents are
#    seen, or an access does not fault that must; without it neither. On KVM V9 finds each bug, and nothing without it.
#    A line "# flushed: " has the pattern of lines of the report that are fewer with the bug; if there is none, the contents differ.
#    Accesses of one CPU between the bug and the use may take the place of the stale translation in its TLB, so the
#    script is tried at several addresses.
. "$(dirname "$0")/tap.sh"

# under_qemu CPUS GUEST MODULE
under_qemu() {
	qemu-system-x86_64 -accel tcg,thread=multi -smp "$1" -machine q35 -m 256M -nodefaults -display none -no-reboot \
		-serial stdio -monitor none -device isa-debug-exit,iobase=0xf4,iosize=4 -kernel "$2" -initrd "$3" >serial 2>err </dev/null
	status=$?
	tr -d '\r' <serial >out
	tried="qemu-system-x86_64 -smp $1"
}

for machine in strict:4 lazy:2 eager:2 strict:1; do
	policy=${machine%:*}
	cpus=${machine#*:}
	try compile -e '# nothing' --cpus "$cpus" --policy "$policy" --output module
	under_qemu "$cpus" "$WITNESS_GUEST" module
	check "$policy, $cpus CPUs: the witness runs to its end" 33 out '^1\.\.[1-9]'
	grep -E '^(not )?ok |^# ' out >tests
	while read -r line; do
		case $line in
		ok*) ok "$policy, $cpus CPUs: ${line#* - }" ;;
		not*) not_ok "$policy, $cpus CPUs: ${line#* - }" ;;
		esac
	done <tests
done

# v9: whether the last try has a finding of V9.
v9() {
	grep -q '"type":"finding".*"invariant":"V9"' out
}

# flushed_lines: of the last run the lines that a flush makes; without a pattern, 0 if contents differ and 1 if not.
flushed_lines() {
	if [ -n "$pattern" ]; then
		grep -cE "$pattern" out
	elif grep -q 'contents differ' out; then
		echo 0
	else
		echo 1
	fi
}

# flushed_under_qemu SCRIPT PAD: the number of flushed_lines where an area of that size comes first.
flushed_under_qemu() {
	if [ "$2" = 0 ]; then
		cat "$1" >padded.kvs
	else
		sed "0,/^a = /s//pad = vmalloc $2\na = /" "$1" >padded.kvs
	fi
	try compile padded.kvs --output module
	under_qemu "${cpus:-1}" "$MUTANT_GUEST" module
	flushed_lines
}

# shows PAD: whether the bug of $script shows. Without the bug nothing ever may.
shows() {
	clean=$(flushed_under_qemu clean.kvs "$1")
	[ "$clean" -gt 0 ] || not_ok "$name: without the bug nothing stale is used, pad $1"
	[ "$(flushed_under_qemu "$script" "$1")" -lt "$clean" ]
}

for script in "$HARM"/*.kvs; do
	name=$(basename "$script" .kvs)
	pattern=$(sed -n 's/^# flushed: //p' "$script")
	cpus=$(sed -n 's/^cpus //p' "$script")
	sed -E '/^(on cpu [0-9]+ )?bug /d' "$script" >clean.kvs

	try run "$script" --guest "$MUTANT_GUEST" --json
	v9 && ok "$name: V9 finds it" || not_ok "$name: V9 finds it"
	try run clean.kvs --guest "$MUTANT_GUEST" --json
	grep -q '"type":"verdict"' out && ! v9 && ok "$name: V9 finds nothing without the bug" ||
		not_ok "$name: V9 finds nothing without the bug"

	case $pattern in nothing*) continue ;; esac
	stale=no
	# On a busy host QEMU makes the TLB so small for a while that it has evicted what is stale: then all addresses again.
	pads="0 36K 68K 132K 260K 516K 1028K 2052K"
	for pad in $pads $pads $pads; do
		shows "$pad" && stale=yes && break
	done
	[ $stale = yes ] && ok "$name: what is stale is used, and only with the bug" ||
		not_ok "$name: what is stale is used, and only with the bug"
done
finish
