#!/bin/sh
# SPDX-License-Identifier: MIT
# invariants.sh TABLES KVMAP-INVARIANTS.7.SCD INVARIANTS.MD: prints kvmap-invariants(7): the page, with the table of the
# invariants, and in place of @INVARIANTS@ what the document says of each.
set -eu
tables=$1
page=$2
document=$3
sections=$(mktemp)
trap 'rm -f "$sections"' EXIT
awk -f "$(dirname "$0")/scdoc.awk" "$document" >"$sections"
sed -e "/^@INVARIANTS@\$/{" -e "r $sections" -e 'd' -e '}' "$page" | "$tables" scdoc
