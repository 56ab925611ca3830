#!/bin/sh
# SPDX-License-Identifier: MIT
# check-locks.sh LOCKS.C DOCUMENT: the document's table of locks has the rows of lock_table, in its order.
set -eu
rows=$(mktemp)
trap 'rm -f "$rows"' EXIT
sed -n '/lock_table\[\]/,/^};/s/^\t{ "\([a-z_]*\)".*/\1/p' "$1" >"$rows"
[ -s "$rows" ]
sed -n '/^| lock | of what |/,/^$/s/^| `\([a-z_.]*\)`.*/\1/p' "$2" | sed 's/^cpu_cache\.//; s/\.lock$//' |
	diff "$rows" - || {
	echo "$2: the table of locks is not that of $1" >&2
	exit 1
}
