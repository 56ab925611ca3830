#!/bin/sh
# SPDX-License-Identifier: MIT
# The labs: every check is true, every control makes its check false, the page's answer to the exercise is accepted and another
# script is not.
. "$(dirname "$0")/tap.sh"

try lab --json
check "the list" 0 out '"type":"lab",.*"name":"contiguity"'
names=$(sed -n 's/.*"type":"lab",.*"name":"\([a-z-]*\)".*/\1/p' out)
for page in "$LABS"/*.md; do
	lab=$(basename "$page" .md)
	case " $(echo $names) README " in
	*" $lab "*) ;;
	*) not_ok "README.md lists $lab" ;;
	esac
done

for lab in $names; do
	page=$LABS/$lab.md
	try lab "$lab" --json --timeout 100000
	if grep -q '"type":"lab_control"' out && ! grep '"type":"lab_control"' out | grep -qv '"result":"false"'; then
		check "$lab: shown, with a control" 0 out '"type":"lab_verdict".*"ok":true'
	else
		not_ok "$lab: each control makes its check false"
	fi
	try lab "$lab" --exercise
	check "$lab: poses its exercise" 0 out 'Exercise'
	awk '/^```answer/ { on = 1; next } /^```/ { on = 0 } on' "$page" >answer.kvs
	try lab "$lab" --exercise answer.kvs --json --timeout 100000
	check "$lab: the page's answer is one" 0 out '"type":"lab_verdict".*"ok":true'
	echo 'x = vmalloc 4K' >wrong.kvs
	try lab "$lab" --exercise wrong.kvs --json --timeout 100000
	[ "$status" != 0 ] && grep -q '"ok":false' out && ok "$lab: another script is none" || not_ok "$lab: another script is none"
done

try lab no-such-lab
check "a lab that is not there" 2 err 'there is no such lab'
try lab ../labs/contiguity
check "a name is no path" 2 err 'there is no such lab'
try lab contiguity answer.kvs
check "an answer needs --exercise" 2 err 'needs --exercise'
try lab contiguity --exercise missing.kvs
check "an answer that is not there" 2 err 'missing.kvs'
finish
