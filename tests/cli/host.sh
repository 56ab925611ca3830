#!/bin/sh
# SPDX-License-Identifier: MIT
# Faults of the host: files that change or cannot be written.
. "$(dirname "$0")/tap.sh"

echo 'a = vmalloc 64K' >script.kvs

# ---- the guest's ELF file ----
objcopy --compress-debug-sections=zlib "$GUEST" compressed.elf
try run script.kvs --guest compressed.elf
check "a guest with compressed debug sections" 0 out '^VERIFIED'
if objcopy --compress-debug-sections=zstd "$GUEST" zstd.elf 2>/dev/null; then
	try run script.kvs --guest zstd.elf
	[ "$status" = 0 ] && ok "a guest compressed by zstd, which this libelf knows" ||
		one_line "a compression that libelf does not know is named" 2 'compressed by zstd.*--decompress-debug-sections'
fi

printf 'pair vmalloc 4096 20000\na = vmalloc 8K\nverify\n' >long.kvs
for other in /dev/null "$MUTANT_GUEST"; do
	cp "$GUEST" live.elf
	# shellcheck disable=SC2086
	"$KVMAP" run long.kvs --guest live.elf --control socket $patient >out 2>err </dev/null &
	vm=$!
	tried="kvmap run long.kvs --guest live.elf, overwritten by $other"
	wait_for $vm test -S socket
	cat "$other" >live.elf
	wait $vm
	status=$?
	check "the guest's ELF file is overwritten while it runs: ${other##*/}" 0 out '^VERIFIED'
done
finish
