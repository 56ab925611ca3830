#!/bin/sh
# SPDX-License-Identifier: MIT
# kvmap shell in a pseudo-terminal.
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export XDG_RUNTIME_DIR="$folder/runtime"
mkdir -m 700 "$XDG_RUNTIME_DIR"
# libedit does not free the names of functions that a program adds; kvmap has no wide strings of its own.
echo leak:wcsdup >"$folder/suppressions"
export ASAN_OPTIONS=exitcode=99 UBSAN_OPTIONS=exitcode=99 LSAN_OPTIONS="suppressions=$folder/suppressions:print_suppressions=0"
python3 "$(dirname "$0")/shell_terminal.py" "$KVMAP"
