#!/bin/sh
# SPDX-License-Identifier: MIT
# Every deliberate bug is found by exactly the invariants that the line "# finding: " of its script names: first the one
# that must find it, then those that the bug breaks besides, each as often as it has findings. The same script without
# the bug is clean. A line "# options: " has the options of kvmap that the head of a script cannot state.
# Usage: run.sh KVMAP GUEST FOLDER. Prints TAP.
set -u
kvmap=$1
guest=$2
scripts=$3
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
number=0
# A sanitizer's error is none of kvmap's exit statuses.
export ASAN_OPTIONS=exitcode=99 UBSAN_OPTIONS=exitcode=99

# report OK? NAME: one line of TAP; on failure, what was said.
report() {
	number=$((number + 1))
	if [ "$1" = yes ]; then
		echo "ok $number - $2"
	else
		echo "not ok $number - $2"
		{
			echo "exit status $status, findings by: ${found:-none}"
			cat "$folder/out" "$folder/err"
		} | sed 's/^/# /'
	fi
}

# run SCRIPT: leaves the exit status in $status and the invariants with findings, sorted, in $found.
run() {
	# shellcheck disable=SC2046 # words on purpose
	"$kvmap" run "$1" $(sed -n 's/^# options: //p' "$1") --timeout 100000 --guest "$guest" --json >"$folder/out" 2>"$folder/err" </dev/null
	status=$?
	found=$(sed -n 's/.*"type":"finding".*"invariant":"\([^"]*\)".*/\1/p' "$folder/out" | sort | tr '\n' ' ')
	found=${found% }
}

for script in "$scripts"/*.kvs; do
	name=$(basename "$script" .kvs)
	# shellcheck disable=SC2046 # words on purpose
	set -- $(sed -n 's/^# finding: //p' "$script")
	right=${1:-nothing}
	wanted=$(printf '%s\n' "$@" | sort | tr '\n' ' ')
	run "$script"
	if [ "$status" = 1 ] && [ "$found" = "${wanted% }" ]; then
		report yes "$name is found by $right"
	else
		report no "$name is found by $right (wanted: exit status 1, findings by: ${wanted% })"
	fi
	sed -E '/^(on cpu [0-9]+ )?bug /d' "$script" >"$folder/clean.kvs"
	run "$folder/clean.kvs"
	if [ "$status" = 0 ] && [ -z "$found" ] && tail -n 1 "$folder/out" | grep -q '"ok":true'; then
		report yes "$name without its bug is clean"
	else
		report no "$name without its bug is clean"
	fi
done
echo "1..$number"
