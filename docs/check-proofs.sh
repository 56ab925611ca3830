#!/bin/sh
# SPDX-License-Identifier: MIT
# "Proved by" of each invariant in docs/invariants.md names the scripts of tests/mutants whose bug it must find, and no
# others. A bug that only the event log shows has its findings in "# logged:". Usage: check-proofs.sh INVARIANTS.MD FOLDER.
document=$1
scripts=$2
proofs=$(mktemp)
bugs=$(mktemp)
trap 'rm -f "$proofs" "$bugs"' EXIT
awk '/^## V[0-9]+: / { name = substr($2, 1, length($2) - 1); proved = 0 }
	/^---$/ { name = "" }
	/^\*Proved by:\*/ { proved = 1 }
	/^$/ { proved = 0 }
	name != "" && proved {
		while (match($0, /`[a-z0-9-]+`/)) {
			print name, substr($0, RSTART + 1, RLENGTH - 2)
			$0 = substr($0, RSTART + RLENGTH)
		}
	}' "$document" | sort >"$proofs"
for script in "$scripts"/*.kvs; do
	name=$(basename "$script" .kvs)
	invariant=$(sed -n 's/^# finding: \(V[0-9]*\).*/\1/p' "$script")
	echo "${invariant:-$(sed -n 's/^# logged: \(V[0-9]*\).*/\1/p' "$script")} ${name#*-}"
done | sort >"$bugs"
if ! diff "$proofs" "$bugs" >&2; then
	echo "$document: \"Proved by\" does not name the scripts of $scripts by the first invariant of their findings" >&2
	exit 1
fi
