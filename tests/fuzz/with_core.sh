#!/bin/sh
# SPDX-License-Identifier: MIT
# with_core.sh PROGRAM [ARGUMENT...]: runs PROGRAM with FUZZ_CORE, the core of a small guest that has done a bit of
# everything, and FUZZ_GUEST, its kernel. KVMAP and GUEST say which kvmap and kernel make it.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/script.kvs" <<END
fragment 60% of 1M seed 7
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
FUZZ_CORE=$folder/core FUZZ_GUEST=$GUEST "$@"
