# SPDX-License-Identifier: MIT
# findings.sh: what the tests of deliberate bugs share; sourced, with $KVMAP set.
. "$(dirname "$0")/../cli/tap.sh"

# findings [OPTION-OF-SORT]: the invariants with findings of the last try with --json, sorted, in one line.
findings() {
	sed -n 's/.*"type":"finding".*"invariant":"\([^"]*\)".*/\1/p' out | sort "$@" | tr '\n' ' ' | sed 's/ $//'
}
