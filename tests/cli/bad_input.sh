#!/bin/sh
# SPDX-License-Identifier: MIT
# Bad input gets one clear line and exit status 2.
. "$(dirname "$0")/tap.sh"

echo '# nothing' >nothing.kvs

# ---- the KVM device ----
try run nothing.kvs --kvm ./no-such-kvm
one_line "a missing KVM device is named, with what to do" 2 'no-such-kvm.*(module|kvm_intel|load)'
: >plain
try run nothing.kvs --kvm ./plain
one_line "a plain file is not taken for the KVM device" 2 'plain.*not (a|the) (KVM|character) device'
try run nothing.kvs --kvm /dev/null
one_line "another device is not taken for KVM" 2 '/dev/null is not the KVM device, which is /dev/kvm'
grep -q remove err && not_ok "nobody is told to remove it" || ok "nobody is told to remove it"
chmod 000 plain
if [ "$(id -u)" = 0 ]; then # without the capability that opens everything
	setpriv --bounding-set=-all --inh-caps=-all "$KVMAP" run nothing.kvs --kvm ./plain >out 2>err
	status=$?
	tried="kvmap run --kvm ./plain, without capabilities"
else
	try run nothing.kvs --kvm ./plain
fi
one_line "no permission for the KVM device: what to do" 2 '[Pp]ermission.*(group|root)'

# ---- the guest file ----
guest() { # NAME PATTERN
	try run nothing.kvs --guest ./guest.elf
	one_line "$1" 2 "guest.elf.*$2"
}
try run nothing.kvs --guest ./missing.elf
one_line "a missing guest file" 2 'missing.elf.*No such file'
: >guest.elf
guest "an empty guest file" 'empty'
mkdir folder.elf
try run nothing.kvs --guest ./folder.elf
one_line "a folder as the guest file" 2 'folder.elf.*not a regular file'
head -c 40 "$GUEST" >guest.elf
guest "a guest cut in its ELF header" '(ELF|truncated)'
head -c 5000 "$GUEST" >guest.elf
guest "a guest cut in its segments" '(truncated|beyond|past|outside)'
head -c 4096 /dev/zero >guest.elf
guest "a guest that is not ELF" 'not an ELF'
cp "$GUEST" guest.elf
printf '\001' | dd of=guest.elf bs=1 seek=4 conv=notrunc 2>/dev/null
guest "a 32-bit guest" '(ELF32|64-bit|32-bit)'
try run nothing.kvs --guest /bin/true
one_line "an ELF file that is no guest" 2 '/bin/true'

# ---- options ----
for size in 0 1M 3M 9M+1 100T 99999999999999999999 banana -5; do
	try run nothing.kvs "--memory=$size"
	check "memory $size is refused" 2 err '(memory|--memory)'
done
try run nothing.kvs --frobnicate
check "an unknown option" 2 err 'unrecognized option.*frobnicate'
try run nothing.kvs --policy=sloppy
check "an unknown policy" 2 err 'unknown policy.*one of strict, lazy, eager'
try run nothing.kvs --timeout=never
check "a timeout that is no number" 2 err 'timeout'
try frobnicate
one_line "an unknown command" 2 'unknown command .frobnicate.*--help'
try
check "no command prints the usage" 2 err 'Usage: kvmap COMMAND'
try run nothing.kvs nothing.kvs
check "a second script" 2 err 'one SCRIPT at a time'

# ---- scripts ----
try run ./missing.kvs
one_line "a missing script" 2 'missing.kvs.*No such file'
: >empty.kvs
try run ./empty.kvs
one_line "an empty script" 2 'empty.kvs.*empty'
mkdir folder.kvs
try run ./folder.kvs
one_line "a folder as a script" 2 'folder.kvs.*not a regular file'
script() { # TEXT NAME WHERE PATTERN
	printf "$1" >bad.kvs
	try run bad.kvs
	check "$2" 2 err "bad.kvs:$3: $4" err '\^'
}
script 'a = vmaloc 4K\n' "an unknown operation: line, column, the nearest name" 1:5 '.*vmaloc.*vmalloc'
script 'a = vmalloc 4K\nvfree b\n' "an unknown variable" 2:7 '.*b'
script 'a = vmalloc 4Q\n' "a malformed size" 1:13 '.*4Q'
script 'a = vmalloc\n' "a missing operand" '1:[0-9]+' '.*'
script 'verify now\n' "a word too many" 1:8 '.*now'

printf 'a = vmalloc 4K\nvfree a\nvfree a\nb = vmalloc 8K\n' >twice.kvs
try run twice.kvs
check "a double free is refused, named by line, and the run goes on" 2 out 'twice.kvs:3' out '[Dd]ouble free' out 'V1 .*'
printf 'a = vmalloc 1024G\nb = vmalloc 8K\ncheck b\n' >absurd.kvs
try run absurd.kvs --json
check "an absurd size is refused, and the run goes on to a verdict" 2 out '"status":"?[^,]*' out '"type":"verdict".*"ok":true'

# ---- cores ----
try map ./missing.core
one_line "a missing core" 2 'missing.core.*No such file'
: >empty.core
try map empty.core
one_line "an empty core" 2 'empty.core.*(empty|not)'
echo 'no core at all, but some text that is long enough to look into' >text.core
try verify text.core
one_line "a text file as a core" 2 'text.core.*not an ELF'
try areas "$GUEST"
one_line "an ELF file that is no core" 2 'not a core'
try walk nothing.kvs banana
one_line "an address that is neither number nor symbol" 2 'banana'
try walk nothing.kvs
check "a missing address" 2 err 'ADDRESS is missing'
try map
check "a missing source" 2 err 'SOURCE is missing'

# ---- output ----
"$KVMAP" run nothing.kvs >/dev/full 2>err
status=$?
: >out
tried="kvmap run > /dev/full"
one_line "a report that cannot be written" 2 'cannot write'
"$KVMAP" run nothing.kvs >&- 2>err
status=$?
tried="kvmap run >&-"
one_line "a report for a closed standard output" 2 'cannot write'
try run nothing.kvs --dump ./no/such/folder/core
check "a core that cannot be written" 2 err 'no/such/folder'
finish
