#!/bin/sh
# SPDX-License-Identifier: MIT
# Many CPUs: what one does, the others see; what cannot be, is said.
. "$(dirname "$0")/tap.sh"

cat >cpus.kvs <<'END'
# Several CPUs (kvmap run images/cpus.kvs --cpus 2): what one maps, fills and frees, the other sees, and no longer sees.
a = vmalloc 64K
on cpu 1 fill a
check a
on cpu 1 b = vmalloc 8K
on cpu 1 expect fault guard b+8K
fill b
on cpu 1 check b
vfree a
on cpu 1 expect fault freed a
on cpu 1 expect refused vfree a
# CPU 1 is idle: it is not interrupted, and flushes when it wakes.
purge
c = vmalloc 64K
on cpu 1 fill c
check c
verify
on cpu 1 vfree c
on cpu 1 purge
d = vzalloc 64K
check d
on cpu 1 verify
END

for cpus in 2 4 8; do
	try run cpus.kvs --cpus "$cpus"
	check "operations on two of $cpus CPUs are verified" 0 out 'VERIFIED'
	try run "$IMAGES/demo.kvs" --cpus "$cpus"
	check "the demonstration on $cpus CPUs is verified" 0 out 'VERIFIED'
done
try run "$IMAGES/empty.kvs" --cpus 64
check "64 CPUs boot" 0 out '64 CPUs'

try run cpus.kvs --cpus 4 --serial
mv out kvm.txt
try compile cpus.kvs --cpus 4 --output module
qemu-system-x86_64 -accel tcg,thread=multi -smp 4 -machine q35 -m 256M -nodefaults -display none \
	-no-reboot -serial stdio -monitor none -device isa-debug-exit,iobase=0xf4,iosize=4 \
	-kernel "$GUEST" -initrd module </dev/null 2>err | tr -d '\r' >qemu.txt
if [ -s kvm.txt ] && cmp -s kvm.txt qemu.txt; then
	ok "KVM and QEMU report the same of four CPUs"
else
	diff kvm.txt qemu.txt >out
	not_ok "KVM and QEMU report the same of four CPUs"
fi

echo 'on cpu 5 a = vmalloc 4K' >beyond.kvs
try run beyond.kvs --cpus 4
check "an operation for a CPU that is not there is an error of the script" 2 \
	err 'beyond.kvs:1:8: the guest has 4 CPUs, there is no CPU 5; .*cpus 6.*--cpus 6' err '^  on cpu 5 a' err '^         \^'
[ -s out ] && not_ok "and nothing is run" || ok "and nothing is run"
printf 'cpus 6\non cpu 5 a = vmalloc 4K\n' >states.kvs
try run states.kvs
check "a script states how many CPUs it needs" 0 out '6 CPUs' out 'VERIFIED'
try run states.kvs --cpus 8
check "the command line overrides it" 0 out '8 CPUs'
try run states.kvs --cpus 2
check "also with too few" 2 err 'states.kvs:2:8: the guest has 2 CPUs'
try map states.kvs
check "a script that another command runs gets its machine too" 0 out 'area op_vmalloc'
try map states.kvs --cpus 2
check "or is refused likewise" 2 err 'states.kvs:2:8: the guest has 2 CPUs'
try compile states.kvs --cpus 2 --output module
check "also when it is compiled" 2 err 'states.kvs:2:8: the guest has 2 CPUs'
echo 'on cpu 1 crash triple-fault' >dies.kvs
try run dies.kvs --cpus 2
check "a CPU that dies is named" 1 out 'triple fault on CPU 1'
echo 'on cpu 1 crash hang' >hangs.kvs
try_hang run hangs.kvs --cpus 2
check "a CPU that hangs is named" 1 out 'on CPU 1'
for cpus in 0 65 banana; do
	try run "$IMAGES/empty.kvs" --cpus "$cpus"
	check "--cpus $cpus is refused" 2 err "$cpus"
done
finish
