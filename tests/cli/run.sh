#!/bin/sh
# SPDX-License-Identifier: MIT
# kvmap run on real KVM: scripts, policies, JSON, cores, deaths.
. "$(dirname "$0")/tap.sh"

echo '# nothing' >nothing.kvs

try run
check "the demonstration is verified" 0 out 'V1 ' out 'V13 ' out 'guard 0x[0-9a-f]+: not mapped$'
try run nothing.kvs
check "a script that does nothing boots and is verified" 0
for policy in strict lazy eager; do
	try run "--policy=$policy" --json
	tail -n 1 out >last
	check "the demonstration is clean under $policy" 0 last '"type":"verdict".*"ok":true,"findings":0'
done
for memory in 8M 64M 1G 5G; do
	try run nothing.kvs "--memory=$memory" --json
	tail -n 1 out >last
	check "memory $memory" 0 last '"ok":true'
done
for script in "$IMAGES"/*.kvs; do
	cpus=1
	[ "$(basename "$script")" = parallel.kvs ] && cpus=4
	try run "$script" --cpus $cpus --json
	wanted=0
	check "$(basename "$script") is as its comment says" "$wanted" out '"type":"verdict"'
done

# ---- guards ----
cat >guard.kvs <<EOF
a = vmalloc 64K
b = vmalloc 4K
expect fault guard b+4K
expect fault guard b+${guard_kib}K
a = vrealloc a 20K
expect fault guard a+20K
expect fault guard a+$((16 + guard_kib))K
expect fault freed a+$((20 + guard_kib))K
EOF
try run guard.kvs
check "each page of a guard faults as a guard; what an area lost beyond its new guard is freed" 0 out 'VERIFIED'

# ---- many at once ----
printf 'areas 100 4K\nareas 50 8K holes\npair vmalloc 4K 20\npair vzalloc 64K 3\nverify\nexpect refused pair vmalloc 0 1\nexpect refused areas 3 12M\n' >many.kvs
for policy in strict lazy eager; do
	try run many.kvs --memory 32M --policy "$policy" --json
	tail -n 1 out >last
	[ "$(grep -c '"type":"area"' out)" = 125 ] && check "many areas and pairs are clean under $policy" 0 last '"ok":true' ||
		not_ok "125 areas are left under $policy"
done
try run many.kvs --memory 32M --serial
check "without --ticks the serial report tells no ticks" 0 out '^line 3: pair vmalloc 4 KiB, times 20$'

# ---- refusals that are expected, faults that are not ----
printf 'a = vmalloc 4K\nvfree a\nexpect refused vfree a\nexpect refused b = vmalloc 1024G\n' >expected.kvs
try run expected.kvs
check "an expected refusal is no error" 0
try run -e 'a = vmalloc 4K; vfree a; vfree a' --json
check "JSON has the number of the others" 2 out '"type":"verdict".*"ok":true,"refused":1'
try run "$MUTANTS/03-lost-frame.kvs" --guest "$MUTANT_GUEST"
check "verify in a script reports its findings" 1 out '^ +[0-9]+ +verify +verified: 1 finding$'
printf 'a = vmalloc 4K\nverify\n' >sound.kvs
try run sound.kvs
check "and that it has none" 0 out '^ +2 +verify +verified: no findings$'
printf 'a = vmalloc 4K\nread a+4096\nverify\n' >overrun.kvs
try run overrun.kvs
check "a fault that nobody expected is a finding, explained" 1 out 'guard' out 'overrun.kvs:2'
printf 'a = vmalloc 4K\nexpect fault guard a\n' >nofault.kvs
try run nofault.kvs
check "an expected fault that does not come is a finding" 1 out 'nofault.kvs:2'
printf 'a = vmalloc 4K\nexpect fault freed a+4096\n' >kind.kvs
try run kind.kvs
check "a fault of another kind is a finding" 1 out 'kind.kvs:2'

# ---- kmalloc's debugging ----
printf 'a = kmalloc 64\nb = kmalloc 64\nkfree a\nkfree b\nexpect refused kfree a\n' >twice.kvs
try run twice.kvs --debug-slab
check "with --debug-slab a double free is refused however much was freed in between" 0 out 'double free'
printf 'a = kmalloc 64\nkfree a\nwrite a+16 0x1234\nb = kmalloc 64\n' >late.kvs
try run late.kvs
check "a write after the free goes unseen without --debug-slab" 0
try run late.kvs --debug-slab
check "with --debug-slab a write after the free is a finding" 1 out 'late.kvs:4' out '0x0000000000001234'
try run "$IMAGES/kmalloc.kvs" --debug-slab
check "the script of kmalloc is clean with --debug-slab" 0

# ---- deaths ----
death() { # WAY PATTERN...
	way=$1
	shift
	echo "crash $way" >crash.kvs
	if [ "$way" = hang ]; then
		try_hang run crash.kvs
		check "the hang is reached" 1 out 'where .*: crash hang'
	else
		try run crash.kvs
	fi
	check "death by $way is explained" 1 out "$1" out '[Rr][Ii][Pp]' out "${2:-.}" out "${3:-.}"
}
death triple-fault '[Tt]riple fault'
death emulation '([Ee]mulat|invalid opcode|#UD|[Uu]nexpected)' '\.c:[0-9]+'
death mmio 'without memory' '\.c:[0-9]+'
death hang '(timeout|stopped)' '\.c:[0-9]+'
death oops '([Oo]ops|unexpected)' '\.c:[0-9]+'

printf 'repeat 57000\n  purge\nend\n' >long.kvs
try run long.kvs --memory 8M
check "a guest that gives up at boot says why" 1 out 'gave up: .*RAM is too small' out 'where +before the first operation'

printf 'a = vmalloc 16K\nb = vmap a\nvfree a\n' >alias.kvs
try run alias.kvs
check "an area that is freed while it is mapped elsewhere is found" 1 out 'V5 +1 WRONG' out ': 4 pages; the first' out 'its owner has freed it'

# ---- cores ----
cat >core.kvs <<EOF
fragment 60% seed 7
a = vmalloc 64K
b = vzalloc 8K
fill a seed 3
vfree b
EOF
try run core.kvs --dump a.core
check "a core is written" 0
try verify a.core
check "the core is verified without the machine" 0 out 'V1 ' out 'V11.*not seen'
try areas a.core
check "areas of a core" 0 out '0xffffc9'
try map a.core
check "the map of a core: areas, guards, text, direct map" 0 out 'guard' out 'r-x' out '[Dd]irect map'
try walk a.core 0xffffc90000000000
check "a walk in a core" 0 out 'PML4|PGD|level 4' out 'GPA|gpa'
try walk a.core vmalloc --json
check "a walk of a symbol, as JSON" 0 out '"type"'
try walk a.core 0x0
check "a walk of the null page" 1 out 'not present'
[ "$(du -k a.core | cut -f 1)" -lt 4096 ] && ok "the core of a 256 MiB guest is sparse" || not_ok "the core of a 256 MiB guest is sparse"
gdb -batch -nx -ex 'print $rip' -ex 'x/1gx 0xffff888000200000' "$GUEST" a.core >out 2>err
status=$?
tried="gdb $GUEST a.core"
check "gdb opens the core: registers and memory" 0 out '\$1 = .*0x' out '0xffff888000200000'
head -c 3000 a.core >cut.core
try map cut.core
one_line "a truncated core is refused" 2 'cut.core'
try verify core.kvs
check "a script as SOURCE is run first" 0 out 'V9 '

# ---- JSON ----
try run --json
bad=$(grep -cvE '^\{"schema":"kvmap/1","type":"[a-z_]+","seq":[0-9]+' out)
[ "$bad" = 0 ] && [ -s out ] && ok "every line of --json is an object with schema, type and seq" || not_ok "every line of --json is an object with schema, type and seq"
# ---- findings of one cause ----
printf 'a = vmalloc 4M\nb = vmalloc 8K\nbug missing-flush\nvfree a\npurge\nc = vmalloc 4M\n' >reused.kvs
try run reused.kvs --guest "$MUTANT_GUEST"
check "1,024 pages that lack a flush, and their frames, are one finding" 1 out '^NOT VERIFIED: 1 finding;' \
	out 'range    0xffffc90000000000 to 0xffffc900003fffff: 1,024 pages' out '^ +V9 +1 WRONG' \
	out '^ +also +0x[0-9a-f]+ to 0x[0-9a-f]+(, with gaps)?, 1,024 pages, the first'
try run reused.kvs --guest "$MUTANT_GUEST" --json
check "in JSON, too" 1 out '"findings":1,' out '"also":\[\{"address":"0x[0-9a-f]*","pages":1024,' \
	out '"invariant":"V9".*"pages":1024,"range_start":"0xffffc90000000000","range_end":"0xffffc90000400000","gaps":false'
{
	seq -f 'a%g = vmalloc 4K' 60
	printf 'b = vmalloc 8K\nbug missing-flush\n'
	seq -f 'vfree a%g' 60 -1 1
	echo purge
	seq -f 'c%g = vmalloc 4K' 60
} >reused.kvs
try run reused.kvs --guest "$MUTANT_GUEST"
check "60 areas that lack a flush are one, too" 1 out 'range .*, with gaps: 60 pages'
[ "$(grep -c '^ *[0-9]*[.] V9 at' out)" = 1 ] && ok "with their frames" || not_ok "with their frames"
finish
