#!/bin/sh
# SPDX-License-Identifier: MIT
# kvmap walk and map: what they show of a guest, and what they refuse.
. "$(dirname "$0")/tap.sh"

cat >core.kvs <<EOF
a = vmalloc 64K
b = vzalloc 8K
fill a seed 3
EOF
"$KVMAP" run core.kvs --dump a.core --cpus 2 >/dev/null 2>err

# ---- walk ----
try walk a.core 0xffffc90000000123
check "a walk shows bits, memory type, slot, HVA and who may do what" 0 out 'P W A D G NX -> page 0x' \
	out 'rights rw-, WB memory \(PAT entry 0\)$' out '^slot +byte 0x[0-9a-f]+ of the 256 MiB' out '^HVA +0x' \
	out '^HPA +not seen: ' out 'supervisor +yes +yes +no: NX$' out 'user +no: supervisor page'
try walk a.core vmalloc
check "text may be executed and not written" 0 out 'supervisor +yes +no: read-only +yes$'
try walk a.core 0xffffc90000000000 --json
check "the same as JSON" 0 out '"type":"level",.*"name":"PT",.*"decoded":"P W A D G NX ->' \
	out '"memory_type":"WB","pat_known":true' out '"supervisor_may":\{"read":"yes","write":"yes","execute":"no: NX"\}'
try walk a.core 0x800000000000
check "an address that is not canonical" 1 out '^stops: address not canonical$'
try walk a.core 0 --cpu 1
check "a walk with the registers of another CPU" 1 out '^CPU 1: 4-level tables'
try walk a.core 0 --cpu 2
one_line "a CPU that is not there" 2 'no CPU 2: the guest has 2'
try walk a.core 0 --cpu 64
check "a number that no CPU has" 2 err '--cpu .64. is not a number from 0 to 63'
try walk a.core 0 --pkru 0x100000000
check "a PKRU of more than 32 bits" 2 err '--pkru .0x100000000. is not a number of 32 bits'
finish
