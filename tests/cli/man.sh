#!/bin/sh
# SPDX-License-Identifier: MIT
# The manual pages as man shows them. Usage: man.sh SOURCES PAGE...; SOURCES is docs/man, PAGE a page of the build.
. "$(dirname "$0")/tap.sh"
sources=$1
shift

if ! command -v man >/dev/null 2>&1 || ! command -v groff >/dev/null 2>&1; then
	echo "1..0 # SKIP man and groff are not installed"
	exit 0
fi

# The lines of a page's literal blocks, without the blanks at their start.
literal() {
	awk '/^```/ { inside = !inside; next } inside' "$1" | sed 's/^ *//; s/\\\\/\\/g' | grep .
}

for page in "$@"; do
	manual=$(basename "$page")
	source=$sources/$manual.scd
	[ -e "$page.scd" ] && source=$page.scd # tables are filled in
	MANWIDTH=80 LC_ALL=C.UTF-8 man --warnings -l "$page" 2>err | sed 's/.\x08//g' >out
	status=$?
	tried="man -l $manual"
	check "$manual: it is shown without a warning" 0 out 'NAME' out 'SEE ALSO'
	[ -s err ] && not_ok "$manual: man warns"
	# Samples may be wider than text.
	sed 's/^ *//' out >lines
	literal "$source" | while IFS= read -r line; do
		grep -qxF -e "$line" lines || echo "$line"
	done >missing
	[ -s missing ] && cat missing >>err && not_ok "$manual: examples are a line each"
	literal "$source" >literals
	given=$(sed -n '/^# EXAMPLE/,/^# SEE/p' "$source" | grep -c '^[[:blank:]*]*kvmap ')
	shown=$(sed -n '/^EXAMPLE/,/^SEE ALSO/p' out | grep -c '^ *kvmap ')
	[ "$given" = "$shown" ] || not_ok "$manual: each command of the examples begins a line ($shown of $given)"
	LC_ALL=C.UTF-8 grep -E '^.{81,}' out | sed 's/^ *//' | grep -vxFf literals >>err && not_ok "$manual: text fits into 80 columns"
	bullets=$(grep -c '•' out)
	items=$(grep -c '^- ' "$source")
	[ "$bullets" = "$items" ] || not_ok "$manual: each bullet is that of an item ($bullets bullets, $items items)"
done

cat "$(dirname "$1")"/kvmap-invariants.7.scd >out
count=$(grep -c '^## V[0-9]*: ' out)
[ "$count" -ge 13 ] && [ "$count" = "$(grep -c '^\*V[0-9]*\*$' out)" ] && ok "kvmap-invariants(7) has each invariant, in the table and described" ||
	not_ok "kvmap-invariants(7) has each invariant, in the table and described"
finish
