#!/bin/sh
# SPDX-License-Identifier: MIT
# kvmap dump: cores that gdb opens, that are sources again, and that cost no more than what was touched.
. "$(dirname "$0")/tap.sh"

cat >script.kvs <<END
fragment 60% of 1M seed 7
a = vmalloc 64K
write a+0x3008 0x1122334455667788
b = vmalloc 12K
END
"$KVMAP" run script.kvs --cpus 2 --dump first >out 2>err

try dump first virtual
check "a core by virtual address is written" 0 out '^virtual: 2 CPUs, 256 MiB of memory' out 'gdb .*kvmap-guest.elf virtual'
cmp -s first virtual && ok "which is what run --dump wrote" || not_ok "which is what run --dump wrote"
try dump first physical --physical --json
check "and one by physical address" 0 out '"type":"dump".*"addresses":"physical".*"cpus":2,"memory":268435456'

for core in virtual physical; do
	blocks=$(du -k "$core" | cut -f 1)
	[ "$blocks" -lt 1024 ] && ok "$core: frames that were never touched cost nothing" ||
		not_ok "$core: frames that were never touched cost nothing ($blocks KiB)"
	try verify "$core"
	check "$core: it is verified as the first one was" 0 out '^VERIFIED'
	try diff first "$core"
	check "$core: it is the same guest" 0
done

# What the host knows, debuggers must find: variables as print has them, addresses of areas from the guest's own report.
area=$("$KVMAP" areas virtual | sed -n 's/^\(0xffffc9[0-9a-f]*\)-.*/\1/p' | head -n 1)
gpa=$("$KVMAP" walk virtual a+0x3008 | sed -n 's/^GPA *\(0x[0-9a-f]*\) .*/\1/p')
free=$("$KVMAP" print first 'zones[1].free_pages' | sed 's/.*)//')
rsp=$("$KVMAP" backtrace first | sed -n 's/^CPU 0: .*RSP \(0x[0-9a-f]*\)$/\1/p')
[ "${free:-0}" -gt 0 ] && ok "the guest has free frames" || not_ok "the guest has free frames"

# debugger_sees NAME CORE: with what gdb or drgn said in out and err.
debugger_sees() {
	tried="$1 of $2"
	check "$1, $2: a variable" 0 out "free = $free$"
	check "$1, $2: what lies in vmalloc's memory" 0 out '^word = 1122334455667788$'
	check "$1, $2: a guard cannot be read" 0 err "guard: .*$guard"
	check "$1, $2: a backtrace of each CPU to where it began" 0 out 'pvh_start' out 'trampoline_32' out 'machine_exit'
	check "$1, $2: registers of each CPU" 0 out "^rsp = $rsp$" out '^cpus = 2$'
}

guard=$("$KVMAP" areas virtual | sed -n 's/.*guard \(0x[0-9a-f]*\) not mapped.*/\1/p' | head -n 1)
cat >commands.gdb <<END
set width 0
printf "free = %lu\n", zones[1].free_pages
printf "word = %lx\n", *(unsigned long *)($area + 0x3008)
printf "rsp = 0x%lx\n", \$rsp
python print("cpus = %d" % len(gdb.selected_inferior().threads()))
thread apply all bt
echo guard\n
x/gx $guard
END
for core in first virtual; do
	gdb -nx -batch -x commands.gdb "$GUEST" "$core" >out 2>err
	status=0
	sed -i 's/^.*Cannot access memory/guard: &/' err
	debugger_sees gdb "$core"
done
gdb -nx -batch -ex 'printf "free = %lu\n", zones[1].free_pages' -ex "x/gx $area+0x3008" "$GUEST" physical >out 2>err
status=0
tried="gdb of physical"
check "gdb, by physical address: a variable, and no vmalloc memory" 0 out "^free = $free$" err 'Cannot access memory'
gdb -nx -batch -ex 'print $rip' "$GUEST" first >out 2>err
status=$?
check "gdb: a symbol of an address" 0 out '^\$1 = .*<machine_exit\+'

cat >commands.py <<END
import sys
from drgn import FaultError

guest = sys.argv[1]
if hasattr(prog, "extra_module"):  # from drgn 0.0.31 on, a program is of a Linux process, or an extra module
    module = prog.extra_module(guest, create=True)
    module.address_range = (0xffffffff80200000, 0xffffffffffffffff)
    module.try_file(guest, force=True)
else:
    prog.load_debug_info([guest])
print("free = %d" % prog["zones"][1].free_pages)
print("word = %x" % prog.read_u64($area + 0x3008))
print("physical = %x" % prog.read_u64($gpa, physical=True))
try:
    prog.read_u64($guard)
except FaultError as error:
    print("guard: %s" % error, file=sys.stderr)
print("cpus = %d" % len(list(prog.threads())))
for thread in prog.threads():
    trace = prog.stack_trace(thread.tid)
    print(trace)
    if thread.tid == 1:
        print("rsp = %#x" % trace[0].register("rsp"))
END
if command -v drgn >/dev/null; then
	for core in first virtual; do
		drgn -q -c "$core" --no-default-symbols commands.py "$GUEST" >out 2>err
		status=$?
		debugger_sees drgn "$core"
		check "drgn, $core: memory by physical address" 0 out '^physical = 1122334455667788$'
	done
else
	skip "drgn reads the core" "there is no drgn: apt-get install python3-drgn"
fi

try dump script.kvs of-script --json
check "a script is run and dumped" 0 out '"addresses":"virtual".*"mappings":[1-9]'
echo precious >file
for how in "dump first file" "run script.kvs --dump file"; do
	# shellcheck disable=SC2086
	try $how
	check "$how: a file that is no core is not replaced" 2 err 'file: exists and is not an ELF core'
done
[ "$(cat file)" = precious ] && ok "and stays as it was" || not_ok "and stays as it was"
try dump virtual virtual
check "a core may be written over itself" 0
try verify virtual
check "and is still whole" 0 out '^VERIFIED'
try dump first
check "without a file nothing is done" 2 err 'FILE is missing'
try dump first /nowhere/at/all
one_line "a folder that is not there is named" 2 '/nowhere/at/all: .*No such file'
# ---- where no core can be: found out before anything is run or read ----
try run "$IMAGES/demo.kvs" --dump -
one_line "- is no file" 2 '^kvmap: -: standard output cannot be it: name a file'
try dump first -
one_line "for dump, too" 2 '^kvmap: -: standard output cannot be it: name a file'
"$KVMAP" run "$IMAGES/demo.kvs" --dump /dev/stdout 2>err </dev/null | cat >out
status=2
one_line "a pipe is refused before the run" 2 '/dev/stdout: not a regular file, so no core is written there'
echo text >text
try run "$IMAGES/demo.kvs" --dump text
one_line "and so is a file of something else" 2 'text: exists and is not an ELF core, so it is not replaced'
try dump no-source text
one_line "dump says that before it opens the source" 2 'text: exists and is not an ELF core'
set -- text.*
[ ! -e "$1" ] && ok "no file is left" || not_ok "no file is left"
finish
