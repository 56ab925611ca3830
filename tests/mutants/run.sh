#!/bin/sh
# SPDX-License-Identifier: MIT
# Every deliberate bug is found by exactly the invariants that the line "# finding: " of its script names: first the one
# that must find it, then those that the bug breaks besides, each as often as it has findings. The same script without
# the bug is clean. A line "# options: " has the options of kvmap that the head of a script cannot state.
# All of this once more with --log, where a line "# logged: " has the findings if they are others: an entry that was written
# without a word is one of V9 then. Without a line "# finding: " only the log shows the bug. A replay of the
# recording has the same findings of rules.
# Usage: run.sh KVMAP GUEST FOLDER. Prints TAP.
KVMAP=$(realpath "$1")
guest=$(realpath "$2")
scripts=$(realpath "$3")
. "$(dirname "$0")/findings.sh"

# run SCRIPT OPTION...: leaves the exit status in $status and the invariants with findings, sorted, in $found.
run() {
	script=$1
	shift
	# shellcheck disable=SC2046 # words on purpose
	try run "$script" "$@" $(sed -n 's/^# options: //p' "$script") --guest "$guest" --json
	found=$(findings)
}

# verify_bug NAME FILE WANTED OPTION...: the bug of the file is found by WANTED, and by nothing without it.
verify_bug() {
	name=$1
	file=$2
	wanted=$(printf '%s\n' $3 | sort | tr '\n' ' ')
	shift 3
	run "$file" "$@"
	if [ "$status" = 1 ] && [ "$found" = "${wanted% }" ]; then
		ok "$name is found by ${wanted% }"
	else
		not_ok "$name is found (wanted: exit status 1, findings by: ${wanted% }; findings by: ${found:-none})"
	fi
	sed -E '/^(on cpu [0-9]+ )?bug /d' "$file" >clean.kvs
	run clean.kvs "$@"
	if [ "$status" = 0 ] && [ -z "$found" ] && tail -n 1 out | grep -q '"ok":true'; then
		ok "$name without its bug is clean"
	else
		not_ok "$name without its bug is clean (findings by: ${found:-none})"
	fi
}

# verify_replay NAME FILE: a replay of what was recorded has findings if a rule of the model did.
verify_replay() {
	run "$2" --record-events events
	rules=$(sed -n 's/.*"type":"event_log".*"rule_findings":\([0-9]*\).*/\1/p' out)
	"$KVMAP" replay events --json >replayed 2>err </dev/null
	again=$(sed -n 's/.*"type":"tlb_verdict".*"findings":\([0-9]*\).*/\1/p' replayed)
	if [ -n "$rules" ] && [ "$rules" = "$again" ]; then
		ok "$1: a replay has the $rules findings of the run's rules"
	else
		not_ok "$1: a replay has the findings of the run's rules (${rules:-none} in the run, ${again:-none} replayed)"
	fi
}

for script in "$scripts"/*.kvs; do
	file=$script
	base=$(basename "$file" .kvs)
	plain=$(sed -n 's/^# finding: //p' "$file")
	logged=$(sed -n 's/^# logged: //p' "$file")
	[ -z "$plain" ] || verify_bug "$base" "$file" "$plain"
	verify_bug "$base with --log" "$file" "${logged:-$plain}" --log
	verify_replay "$base" "$file"
done
finish
