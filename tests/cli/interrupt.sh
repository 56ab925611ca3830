#!/bin/sh
# SPDX-License-Identifier: MIT
# Operations in an interrupt, and areas that are freed where nothing can be waited for.
. "$(dirname "$0")/tap.sh"

for policy in strict lazy eager; do
	for cpus in 1 3; do
		try run "$IMAGES/interrupt.kvs" --policy "$policy" --cpus "$cpus"
		check "interrupt.kvs under $policy on $cpus CPUs is verified" 0 out 'VERIFIED'
	done
done

cat >other.kvs <<'END'
on cpu 2 a = vmalloc 16K
on cpu 1 in interrupt fill a seed 1
on cpu 2 in interrupt check a
on cpu 1 in interrupt expect refused b = vmalloc 4K
on cpu 1 in interrupt vfree a
verify
on cpu 2 expect refused vfree a
on cpu 1 b = vmalloc 32K
verify
repeat 20
  parallel
    on cpu 1 c = vmalloc 4K
    on cpu 1 in interrupt vfree c
    on cpu 2 d = vmalloc 8K
    on cpu 2 in interrupt expect refused vfree d+4K
    on cpu 2 in interrupt vfree_atomic d
    e = vmalloc 12K
    in interrupt vfree e
  end
end
purge
verify
END
try run other.kvs --cpus 3
check "interrupts of other CPUs, and of several at once" 0 out 'VERIFIED'
grep -q 'on cpu 1 in interrupt expec' out && ok "and so says the report" || not_ok "and so says the report"

printf 'a = vmalloc 16K\nb = vmalloc 4K\nin interrupt vfree a\n' >waits.kvs
try run waits.kvs --dump waits.core
check "a run ends with an area that waits to be freed" 0 out '2 allocated with 5 pages, 0 freed; 1 live now, 1 deferred, 0 lazily freed' out '16 KiB: 4 frames in .*' out '^ .*(freed and( still mapped)?|and still mapped)' out 'VERIFIED'
try run waits.kvs --json
check "its JSON names the state" 0 out '"type":"area","seq":[0-9]+,"address":"0xffffc90000000000".*"state":"deferred","variable":""' out "\"address\":\"0x$(vmalloc_address 4 1)\".*\"state\":\"live\",\"variable\":\"b\""
try areas waits.core
check "areas: claims beside tables" 0 out "$(area_bytes 4) deferred op_vmalloc.* pages=4 " out 'tables: 4 pages rw- .*: ok'
try areas waits.core --json
check "areas: its JSON" 0 out '"state":"deferred"'
try map waits.core
check "map: the pages are there, and whose they were" 0 out '16 KiB +rw- .*  freed, still mapped: op_vmalloc' out '4 KiB +rw- .*area op_vmalloc'
try map waits.core --owner deferred
check "map: such areas alone" 0 out '16 KiB +rw- .*freed, still mapped'
try frames waits.core 0x1202000
check "frames: whose it is, and how" 0 out "page 0 of the 16 KiB area 'a' at" out 'freed and still mapped'
try walk waits.core 0xffffc90000000000
check "walk: what the address is" 0 out 'freed and still mapped'
try proc waits.core vmallocinfo
check "vmallocinfo: as Linux shows it, an area like others" 0 out "^0xffffc90000000000-0x$(vmalloc_address 4 1) +$(area_bytes 4) op_vmalloc.* pages=4 vmalloc"
printf 'a = vmalloc 16K\nb = vmalloc 4K\n' >before.kvs
try diff before.kvs waits.core
check "diff: it was freed" 1 out 'freed'
try verify waits.core
check "the core is verified" 0 out 'VERIFIED'

for bad in 'in purge' 'in interrupt' 'in interrupt on cpu 1 purge' 'in interrupt parallel' 'in interrupt repeat 2'; do
	echo "$bad" >bad.kvs
	try run bad.kvs
	if [ "$status" = 2 ] && grep -q 'bad.kvs:1:' err; then
		ok "'$bad' is an error with its place"
	else
		not_ok "'$bad' is an error with its place"
	fi
done
finish
