#!/bin/sh
# SPDX-License-Identifier: MIT
# The command line itself: help, what may be meant by a mistyped word, sizes, the width of a terminal.
. "$(dirname "$0")/tap.sh"

printf 'a = vmalloc 64K\nb = vzalloc 8K\n' >two.kvs
try run two.kvs --dump a.core
check "a core to inspect" 0

# ---- help ----
for words in "help map" "map --help" "map -h" "map -?"; do
	# shellcheck disable=SC2086
	try $words
	check "kvmap $words" 0 out '^Usage: kvmap map' out '--owner'
done
for word in help --help -h '-?'; do
	try "$word"
	check "kvmap $word" 0 out '^Usage: kvmap COMMAND'
done
try help map extra
one_line "help of a command takes no more" 2 '.extra. is one argument too many'
try help frobnicate
one_line "help for a command that there is not" 2 'unknown command .frobnicate.: '
# lists COMMAND OPTION..., and lists_no COMMAND OPTION...: the help of the command has these options, or none of them.
lists() {
	command=$1
	shift
	try "$command" --help
	for option in "$@"; do
		grep -q -e "--$option" out && ok "$command has --$option" || not_ok "$command has --$option"
	done
}
lists_no() {
	command=$1
	shift
	try "$command" --help
	for option in "$@"; do
		grep -q -e "--$option" out && not_ok "$command has no --$option" || ok "$command has no --$option"
	done
}
lists run json memory cpus policy stage2 kvm operations
lists_no run stop verbose
lists compile cpus nodes policy seed operations output
lists_no compile json memory timeout kvm guest stage2
lists bench json memory policy timeout guest cpus
lists_no bench nodes seed stage2 kvm operations
lists walk stage2 stop verbose
lists_no map stage2
lists_no dump stage2
lists_no ps memory cpus

for command in run map bench; do
	try "$command" -h
	check "$command -h says so itself" 0 out '-h, --help'
done
grep -q 'Mandatory or optional' out && not_ok "help without argp's remark" || ok "help without argp's remark"
try bench --help
check "its memory is as for Linux's figures" 0 out '2G.$'
try run --help
check "and of run 256M" 0 out 'default$|256M\)'

# ---- an error is one line ----
for words in "run a b" "run -x" "run --memory" "run --json=1" "run --cpus 99" "run --policy sactter" map "map a.core b" "ps x" bench \
	compile "compile two.kvs" "proc a.core" "walk a.core" "diff a.core" "map --cpu x a.core"; do
	# shellcheck disable=SC2086
	try $words
	one_line "kvmap $words" 2 '^kvmap [a-z]*: '
done
for command in map 'map -v' verify compile; do
	# shellcheck disable=SC2086 # words
	try $command -e
	one_line "kvmap $command -e without the operations" 2 "option requires an argument -- 'e'"
done
try run -e --hold
check "the word after a short option is its argument" 2 err "unknown operation '--hold'"
try run --xyzzy=3 two.kvs
one_line "an option that is like no other" 2 '^kvmap: unrecognized option .--xyzzy.: .kvmap run --help. lists them$'

# ---- words that are mistyped ----
try --verison
one_line "an option before the command" 2 'did you mean .--version.'
try Map a.core
one_line "a command in capitals" 2 'did you mean .map.\?'
try ps a.core
check "ps has no argument" 2 err 'a.core. is one argument too many'
try run two.kvs --policy LAZY
check "a value in capitals" 2 err 'did you mean .lazy.\?'
try run --operations 'a vmalloc 64K'
check "a result without =" 2 err "'a' is no operation; write: a = vmalloc SIZE$"
try run --operations 'memry 64M'
check "a word of a script's head" 2 err "did you mean 'memory'\\?$"
try run --operations 'expect falt null 0'
check "a word of a statement" 2 err "did you mean 'fault'\\?$"
try walk a.core vmaloc+8
one_line "a symbol" 2 'did you mean .vmalloc.\?'
printf 'first = vmalloc 64K\n' >first.kvs
try walk first.kvs frist
one_line "a variable of the script, before symbols" 2 'did you mean .first.\?'
try frames first.kvs frist+4K
one_line "and as a frame" 2 'did you mean .first.\?'
try bench guest vmaloc:4K
one_line "an operation to measure" 2 'did you mean .vmalloc.\?'
try bench guest lvie
one_line "another thing to measure" 2 'did you mean .live.\?'
try bench guest vmalloc:5K
one_line "a size that is not measured" 2 'figures of it are of the sizes 4K, .*, 16M$'
try map a.core --owner ''
one_line "an empty name" 2 'is neither a function'
try proc a.core
check "the files of proc" 2 err 'meminfo, vmallocinfo, buddyinfo or slabinfo'
for option in "run two.kvs --control=" "run two.kvs --dump=" "compile two.kvs --output="; do
	# shellcheck disable=SC2086
	try $option
	check "kvmap $option" 2 err 'is followed by no name of a file'
done
try run two.kvs --kvm /dev/kmv
one_line "a KVM device that there is not" 2 'there is no /dev/kmv: leave --kvm away'
try mpa
one_line "a command" 2 'unknown command .mpa.; did you mean .map.\?'
try map a.core --rnage 0-1
one_line "an option" 2 'unrecognized option .--rnage.; did you mean .--range.\? .kvmap map --help. lists them'
try run two.kvs --polcy=lazy
one_line "an option with its value" 2 'unrecognized option .--polcy.; did you mean .--policy.'
try run --guest --polcy two.kvs
check "what looks like an option may be a value" 2 err 'guest program --polcy: '
try run two.kvs --pol eager
check "an option may be cut short" 0 out 'flush policy eager'
try run two.kvs --policy laxy
check "a value" 2 err 'unknown policy .laxy.; did you mean .lazy.\?'
try proc a.core memnfo
one_line "a file of proc" 2 'memnfo. is no file .*did you mean .meminfo.'
try bench gest
check "what bench measures" 2 err '.gest. cannot be measured, only guest and verify can: kvmap bench guest, or kvmap bench verify'
try bench verify 24
one_line "too few pages to verify" 2 '.24. is no number of pages from 25 to 4000000'
try bench verify 1x0
one_line "and no number" 2 '.1x0. is no number of pages'
try bench verify --log 100
one_line "and an option of the guest's figures" 2 '.*--log is of kvmap bench guest'
try bench verify --cpus 2 100
one_line "and another" 2 '.*--cpus is of kvmap bench guest'
try bench
check "and when nothing is named" 2 err 'what is to be measured is missing: kvmap bench guest'
try map a.core --owner foo
one_line "an owner that nothing is like" 2 '--owner .foo. is neither a function .* nor a kind .*area, .*image\)$'
try map a.core --owner op_vmaloc
one_line "a function" 2 'did you mean .op_vmalloc.'
try map a.core --owner fred
one_line "a kind" 2 'did you mean .freed.'
try map a.core --owner kfree
check "a function of the guest that allocated nothing is no mistake" 0 out '^0 of [0-9]+ ranges'

# ---- frames and sizes ----
try frames a.core pfn:0x20000
one_line "a frame beyond RAM" 2 'frame 0x20000, GPA 0x20000000: no memory is there, .*256 MiB, up to GPA 0x10000000$'
try run two.kvs --memory 64MiB
check "a size as reports print it" 0 out '64 MiB of RAM'
try run two.kvs --memory 1T
one_line "a size in T, which is too large here" 2 '1024 GiB'

# ---- the width of a terminal ----
# longest COLUMNS: the longest line of a walk's first paragraphs in a terminal of that width (rows of a table keep their
# cells together).
longest() {
	script -qc "stty cols $1; NO_COLOR=1 $KVMAP walk a.core a" /dev/null </dev/null | tr -d '\r' | sed '/^ *level /,$d' >out
	: >err
	awk '{ if (length > longest) longest = length } END { print longest + 0 }' out
}
wide=$(longest 200)
narrow=$(longest 70)
tiny=$(longest 20)
[ "$narrow" -gt 40 ] && [ "$narrow" -le 70 ] && ok "lines fit into 70 columns" || not_ok "lines fit into 70 columns ($narrow)"
[ "$wide" -gt 100 ] && ok "and use 200" || not_ok "and use 200 ($wide)"
[ "$tiny" -gt 40 ] && ok "60 are the least" || not_ok "60 are the least ($tiny)"
# help_fits COLUMNS: help in a terminal of that width, and each line of it.
help_fits() {
	for command in "" run map bench frames; do
		script -qc "stty cols $1; $KVMAP $command --help" /dev/null </dev/null | tr -d '\r' >out
		awk -v most="$1" 'length > most || /^ +$/ { exit 1 } END { exit NR < 5 }' out ||
			{ not_ok "help of '$command' fits into $1 columns" && return; }
	done
	ok "help fits into $1 columns"
}
for columns in 60 79 100 200; do
	help_fits $columns
done
# fits COLUMNS COMMAND...: the report has no line that is wider than the terminal.
fits() {
	columns=$1
	shift
	script -qc "stty cols $columns; NO_COLOR=1 $KVMAP $*" /dev/null </dev/null | tr -d '\r' >out
	# A character of more than one byte is one column.
	awk -v most="$columns" 'length > most { exit 1 } END { exit NR < 5 }' out && ok "$1 fits into $columns columns" ||
		not_ok "$1 fits into $columns columns"
}
for columns in 60 80 120; do
	fits $columns run two.kvs --nodes 2
	fits $columns walk a.core a
	fits $columns frames a.core a
done
fits 80 map a.core

# ---- what takes long ----
echo 'crash hang' >hang.kvs
try run hang.kvs --timeout 1.5
check "a pipe is shown no progress" 1
grep -q 'guest runs' err && not_ok "not on stderr" || ok "not on stderr"
# The report goes to a file, and stderr is the terminal.
TERM=xterm script -qc "stty cols 70; $KVMAP run hang.kvs --timeout 2.5 >report" /dev/null >out </dev/null
check "a terminal is shown what is done and for how long" 1 out 'kvmap: the guest runs hang\.kvs, 1 s' out 'the guest runs hang\.kvs, 2 s' report '^kvmap run hang.kvs'
tail -c 3 out | od -An -tx1 | grep -q '1b 5b 4b' && ok "in a line that is cleared at the end" || not_ok "in a line that is cleared at the end"
TERM=dumb script -qc "$KVMAP run hang.kvs --timeout 1.5 >report" /dev/null >out </dev/null
[ -s out ] && not_ok "a terminal that cannot clear a line is shown none" || ok "a terminal that cannot clear a line is shown none"
# ---- explain ----
try explain
check "explain has the rule of each invariant" 0 out '^V1  ' out '^V13  the guest.s counters equal'
try explain V9
check "explain V9 has the rule, a public report and the deliberate bugs" 0 out '^V9  ' out 'a finding is critical' out '^Not seen: ' out '^In a real kernel: .*CVE-' out '^Cost: ' out '^Proved by: missing-flush,' out '^    V9 at '
for word in v9 9; do
	cp out expected
	try explain "$word"
	cmp -s out expected && ok "explain $word is the same" || not_ok "explain $word is the same"
done
try explain V3 --json
check "explain in JSON" 0 out '"type":"explanation",.*"invariant":"V3","severity":"major","rule":"every guard page' out '"Proved by: guard-mapped; tests/unit/verify."'
try explain V14
check "no such invariant" 2 err '`V14. is no invariant: write V1 to V13'
try explain V1 V2
check "one at a time" 2 err 'one INVARIANT at a time'
# ---- findings end with the command to type ----
printf 'a = vmalloc 4K\nfill a\nverify\nb = vmalloc 4K\nbug guard-mapped\n' >guard.kvs
try run guard.kvs --guest "$MUTANT_GUEST"
check "a finding has its severity, the operations since the last verification, and the command to type" 1 out '1\. V3 at 0xffffc90000001000, major$' out 'after    one of 2 operations up to guard\.kvs:5: bug guard-mapped' out 'next     kvmap explain V3$'
printf 'a = vmalloc 4K\nbug guard-mapped\nverify\nb = vmalloc 4K\nbug account-off\nverify\n' >guard.kvs
try run guard.kvs --guest "$MUTANT_GUEST" --json
check "a finding that stays has the operation of the first verification" 1 out '"invariant":"V3",.*"after":"one of 2 operations up to guard.kvs:2: bug guard-mapped"' out '"invariant":"V13",.*"after":"one of 2 operations up to guard.kvs:5: bug account-off"'
printf 'a = vmalloc 4K\nverify\nbug guard-mapped\nverify\n' >guard.kvs
try run guard.kvs --guest "$MUTANT_GUEST" --json
check "one operation is named alone" 1 out '"after":"guard.kvs:3: bug guard-mapped"'
# ---- help of help, and what is no control socket ----
for word in help --help -h; do
	try help "$word"
	check "help $word lists the commands" 0 out '^Usage: kvmap COMMAND' out '^  map '
done
: >no.socket
try resume no.socket
one_line "a file is no VM that has ended" 2 'no.socket: not a control socket: .kvmap ps. lists the VMs that run'
try diff no.socket
check "diff names every kind of source" 2 err 'each a core file, a process id, a control socket, or a script to run first, by its file or - for standard input'
finish
