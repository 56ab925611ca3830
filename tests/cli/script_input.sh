#!/bin/sh
# SPDX-License-Identifier: MIT
# Where a script comes from: a file of any name, standard input, the command line.
. "$(dirname "$0")/tap.sh"

printf 'a = vmalloc 64K\nfill a\n' >plain
try run plain
check "a script needs no suffix" 0 out 'VERIFIED'
try map plain
check "nor as a SOURCE" 0 out '64 KiB .* area op_vmalloc'
echo 'some text, which is neither' >text
try map text
one_line "a text that is no script is no core either" 2 'text:1:1: unknown operation .*not an ELF core'
printf '\001\002\003\004' >bytes
try map bytes
one_line "bytes are no script" 2 'bytes.*not an ELF'

"$KVMAP" run - <plain $patient >out 2>err
status=$?
tried="kvmap run - <plain"
check "a script from standard input" 0 out 'run standard input' out 'VERIFIED'
printf 'a = vmalloc 64K\nchek a\n' | "$KVMAP" run - >out 2>err
status=$?
tried="kvmap run -, a mistyped operation"
check "an error in it has its line" 2 err 'standard input:2:1: unknown operation .chek.; did you mean .check.' err '\^'
"$KVMAP" areas - <plain $patient >out 2>err
status=$?
tried="kvmap areas - <plain"
check "standard input as a SOURCE" 0 out '^1 area, 0 of them wrong'
try run -
one_line "standard input that is empty" 2 'standard input:1:1: the script is empty'

try run -e 'a = vmalloc 64K; fill a' -e 'check a'
check "operations on the command line" 0 out 'run -e' out 'VERIFIED'
try run -e 'print "a;b"; a = vmalloc 4K'
check "a semicolon in a text is one of the text" 0 out 'a;b'
try run -e 'a = vmalloc 4K; vfre a'
check "an error in them has its line" 2 err '^kvmap: -e:2:2: unknown operation .vfre.; did you mean .vfree.' err '^   vfre a'
try run -e 'on cpu 1 a = vmalloc 4K' --cpus 2
check "with the options of a script" 0 out '2 CPUs'
try compile -e 'a = vmalloc 4K' -o module
check "compiled" 0
[ -s module ] && ok "into a module" || not_ok "into a module"
try walk -e 'a = vmalloc 64K' 0xffffc90000000000 $patient
check "as the SOURCE, what follows is the ADDRESS" 0 out 'PML4'
try map -e 'a = vmalloc 64K' $patient
check "or nothing does" 0 out 'area op_vmalloc'
try map -e 'a = vmalloc 64K' plain
check "a SOURCE beside -e" 2 err 'one SOURCE at a time: .plain. beside -e'
try run -e 'a = vmalloc 64K' plain
check "a SCRIPT beside -e" 2 err 'one SCRIPT at a time: .plain. beside -e'
try diff -e 'a = vmalloc 64K' plain
check "not where two are compared" 2 err '-e makes one SOURCE'
finish
