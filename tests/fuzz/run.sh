#!/bin/sh
# SPDX-License-Identifier: MIT
# A core, damaged word by word: see damage.c. Usage: run.sh KVMAP-DAMAGE [FIRST-SEED COUNT]. Prints TAP.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/script.kvs" <<END
fragment 60% seed 7
a = vmalloc 64K
b = vzalloc 8K
fill a seed 3
c = vmalloc 128K
d = vmalloc 4K
e = vmalloc 4K
vfree e
purge
vfree b
END
"$KVMAP" run "$folder/script.kvs" --memory 8M --dump "$folder/core" >/dev/null
"$1" "$folder/core" "$GUEST" "${2:-1}" "${3:-3000}"
