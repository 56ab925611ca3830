#!/bin/sh
# SPDX-License-Identifier: MIT
# kvmap shell, with lines from a pipe.
. "$(dirname "$0")/tap.sh"

typed <<'END'
a = vmalloc 64K
vfree a
END
check "operations run one by one and are verified" 0 \
	out '^kvmap> a = vmalloc 64K$' \
	out '^  0xffffc90000000000, 64 KiB$' \
	out "^  \+ area 'a' 0xffffc90000000000, 64 KiB: new, 16 frames" \
	out '^  frames  free -.*areas \+16' \
	out "^  ~ area 'a' .*: freed" \
	out 'verified: [0-9,]* checks, no findings' \
	out '^VERIFIED: '
[ "$(grep -c '^  verified' out)" = 3 ] && ok "once for each line, and at the start" || not_ok "once for each line, and at the start"

typed </dev/null
check "no line at all is verified" 0 out '^VERIFIED: '

typed <<'END'
# a comment

   # another

END
check "comments and blank lines do nothing" 0 out '^VERIFIED: '

# The ring is shorter than this, and wraps.
typed --cpus 3 <<'END'
verify end
repeat 1500
  a = vmalloc 4K
  vfree a
end
parallel
  repeat 100
    on cpu 0 b = vmalloc 8K
    on cpu 0 vfree b
    on cpu 1 c = vmalloc 8K
    on cpu 1 vfree c
    on cpu 2 d = vmalloc 8K
    on cpu 2 vfree d
  end
end
e = vmalloc 16K
on cpu 2 fill e
on cpu 1 in interrupt check e
print "so far" e
expect fault guard e + 16K
expect fault null 0
expect refused vfree e + 4K
END
check "the ring carries what a script carries" 0 \
	out ' 1500 times; last: ' \
	out '600 operations in parallel' \
	out 'contents as expected' \
	out 'guard at .*, 16 KiB area; host agrees' \
	out 'null at 0x0; host agrees' \
	out 'refused as expected' \
	out '^VERIFIED: '
[ "$(grep -c '^  verified' out)" = 1 ] && ok "and verify end does so at the end only" || not_ok "and verify end does so at the end only"

for policy in strict lazy eager; do
	{
		echo "verify end"
		for image in demo interrupt fragmentation; do
			[ -e "$IMAGES/$image.kvs" ] && sed -e '/^\(cpus\|memory\|nodes\|policy\) /d' "$IMAGES/$image.kvs"
		done
	} >lines
	typed --policy "$policy" --cpus 4 --memory 256M <lines
	check "what scripts do is done under $policy" 0 out '^VERIFIED: '
done

{
	echo verify off
	echo parallel
	echo repeat 1024
	echo on cpu 1 purge
	echo end
	echo end
	echo purge
} >lines
typed --cpus 2 <lines
check "a parallel that does not fit is refused, and the next line runs" 2 err 'this parallel has 1024 operations' \
	out '^  .*flushed$'

{
	echo a = vmalloc 4K
	sed -e 1d -e '$d' lines
	echo diff
	echo verify
} >refused
typed --cpus 2 <refused
check "diff then compares with the stop before the last line that ran" 2 err 'this parallel has 1024 operations' \
	out '^  *1  mapped$' out 'area .a. at$|area .a.'

typed <<'END'
a = vmalloc 4K
vfree b
a = vmalock 4K
cpus 3
on cpu 1 vfree a
vfree a
vfree a
END
check "a wrong line says where and what, and does not end the shell" 2 \
	err "shell:2:7: unknown variable 'b'" \
	err "did you mean 'vmalloc'" \
	err "'cpus' is settled before the guest boots" \
	err 'the guest has 1 CPU, there is no CPU 1; the shell starts a guest with more by --cpus 2' \
	out 'REFUSED: double free' \
	out 'double free, of 0x.*, called by op_vfree'

typed <<'END'
mpa
a = vmalock 4K
xyzzy
exit now
save one two
verify each of them
a = vmalloc 4K
quit
vfree a
END
check "what is mistyped is suggested, and what is too much is refused" 2 err 'did you mean `map`' err "did you mean 'vmalloc'" \
	err '`help` lists them' err 'an argument too many; write: exit$' err 'write: save FILE$' \
	err 'write: verify \[each.end.off\]' out "area 'a'.*: new"
grep -q 'vfree' out && not_ok "quit ends it" || ok "quit ends it"

typed <<'END'
repeat 2
purge
END
check "a block without its end is not run" 2 err 'ends in a repeat or parallel without its end'

typed <<'END'
repeat 99999999
purge
end
repeat 2
on cpu 4 purge
purge
end
END
check "a block whose first line turns out wrong is dropped, and the next one runs" 2 err 'more than 1000000 operations' \
	err 'are dropped' err 'shell:2:8: the guest has 1 CPU' out '2 times; last: '

for head in 'repeat 0' 'repeat x' 'repeat' 'on cpu 0 parallel' 'parallel now' 'in interrupt repeat 2'; do
	typed <<END
$head # a comment
a = vmalloc 4K
  repeat 2
  b = vmalloc 8K
  end # of the inner one
exit
end
c = vmalloc 16K
END
	check "a block whose head is refused is dropped to its end: $head" 2 err '^kvmap: the lines below it, to its end, are dropped$' \
		out "area 'c'.*: new"
	[ "$(grep -c '^kvmap: ' err)" = 2 ] && ! grep -q "area '[ab]'" out && ok "and none of it runs" || not_ok "and none of it runs"
done

{
	for i in $(seq 16); do echo repeat 1; done
	printf 'purge\nrepeat 1\na = vmalloc 4K\nend\n'
	for i in $(seq 16); do echo end; done
} >lines
typed <lines
check "a block in a block, too: the 17th repeat" 2 err 'one repeat too many' err 'to its end, are dropped' out '^  .*flushed$'
[ "$(grep -c '^kvmap: ' err)" = 2 ] && ! grep -q "area 'a'" out && ok "alone" || not_ok "alone"

typed --cpus 2 <<'END'
parallel
  on cpu 1 purge
  parallel
    on cpu 0 a = vmalloc 4K
  end
  on cpu 0 purge
end
repeat 2
  repeat 99999999
    purge
  end
  a = vmalloc 4K
end
crash oops
repeat 2
purge
end
END
check "and a parallel in a parallel" 1 err 'at the same time already' out '2 operations in parallel' err 'more than 1000000 operations' \
	err 'cannot run any more'
[ "$(grep -c '^kvmap: ' err)" = 6 ] && ! grep -q "area 'a'" out && ok "of which nothing runs" || not_ok "of which nothing runs"

typed <<'END'
repeat 2
a = vmalloc 4K
vfree b
vfree a
end
END
check "a wrong line of a block is dropped alone" 2 err "shell:3:7: unknown variable 'b'" out '2 times; last: 0x.* freed'

# ---- inspecting ----

typed <<'END'
a = vmalloc 64K
walk a
walk a+0x10000
map --range 0xffffc90000000000-0xffffc90001000000
areas
frames 0x400000
proc meminfo
backtrace
print agent_nr_variables
stage2
b = vmalloc 8K
diff
dump core
END
check "every inspecting command looks at the guest" 0 \
	out "byte 0x0 of the 64 KiB area 'a'" \
	out "guard page of the 64 KiB area 'a'" \
	out "area op_vmalloc .* 'a'" \
	out '^VmallocTotal:' \
	out '^CPU 0: RIP 0x' \
	out '^Second stage of process' \
	out '^agent_nr_variables at 0x[0-9a-f]* = \(u32\)1$' \
	out 'new: 8 KiB, allocated by op_vmalloc'
try verify core
check "and a dump of it can be inspected" 0 out 'VERIFIED'
try walk core b
check "with the variables' names" 0 out "8 KiB area 'b'"
echo verify | "$KVMAP" shell core >out 2>err
status=$?
check "what is verified there is its exit status" 0 out VERIFIED
"$KVMAP" shell core >out 2>err <<'END'
map --check
walk b
verify
vfree b
END
status=$?
check "a core can be inspected, and takes no operation" 2 out 'direct map' out "8 KiB area 'b'" out VERIFIED \
	err 'operations need a guest that kvmap boots'

typed <<'END'
map --wrong
map --help
walk
proc memory
print 1 +
nonsense
END
check "wrong arguments of a command do not end the shell" 2 err '\-\-wrong' out 'Usage: kvmap map' err 'ADDRESS is missing' \
	err '`memory` is no file' err 'column 3' err "unknown operation 'nonsense'" out '^VERIFIED'

printf 'walk\0a\n\033[2Jpurge\npurge\n' | "$KVMAP" shell $patient >out 2>err
status=$?
check "lines that are no text are refused, and shown escaped" 2 err 'a NUL byte' err 'the byte .x1b' out '^  .*flushed$'
grep -q "$(printf '\033')" out && not_ok "without control characters" || ok "without control characters"

# ---- the words of the shell ----

typed <<'END'
a = vmalloc 4K
help
help vmalloc
help map
help save
save typed.kvs
save typed.kvs
help nothing
END
check "help and save" 2 out 'vmalloc_huge' out 'NAME = vmalloc SIZE:' out 'Usage: kvmap map' out '^  save FILE: ' \
	err 'there is such a file' err 'no such word'
try run typed.kvs
check "what was saved is a script" 0 out 'a = vmalloc 4K' out VERIFIED
grep -q '^policy strict$' typed.kvs && ok "with the machine in its head" || not_ok "with the machine in its head"
typed <<'END'
help walk
help diff
map --help
walk --usage
help repeat
help parallel
help expect
END
check "help of a command is nothing wrong" 0 out 'Usage: kvmap walk' out 'Usage: kvmap map' \
	out '^  repeat N: ' out '^  parallel: ' out '^  expect refused OPERATION, expect fault'
[ -s err ] && not_ok "without a message" || ok "without a message"

typed --json <<'END'
help
help map
help save
help purge
map --help
walk --usage
END
check "with --json help is no line of JSON" 0 err 'Operations' err 'Usage: kvmap map' err 'save FILE: ' err 'purge: ' err 'Usage: walk|Usage: kvmap walk'
grep -qv '^{' out && not_ok "and all lines are" || ok "and all lines are"

typed <<'END'
a = vmalloc 4K
vfree a
vfree a
restart
save ""
END
check "what was refused before a restart counts" 2 out '^1 refusal that' err 'write: save FILE$'

printf 'cpus 2\na = vmalloc 8K\n' >begin.kvs
typed begin.kvs <<'END'
on cpu 1 vfree a
second = vmalloc 4K
restart
walk second
vfree a
END
check "a script is run first, and again by restart" 2 out "~ area 'a'" err '`second` is neither' out '^VERIFIED'

printf '# first\ncpus 2 # few\npolicy lazy\na = vmalloc 8K\n' >begin.kvs
printf 'on cpu 3 vfree a\nsave more.kvs\nsave more.kvs\nsave \033[2J\nsave \033[2J\n' | "$KVMAP" shell begin.kvs --cpus 4 $patient >out 2>err
status=$?
check "save states the machine as it was" 2 err '^kvmap: more.kvs: there is' err '^kvmap: .x1b.2J: there is'
try run more.kvs --json
check "so that the script runs" 0 out '"cpus":4,.*"policy":"lazy"'
[ "$(grep -c '^policy\|^cpus' more.kvs)" = 2 ] && grep -q '^# cpus 2 # few$' more.kvs && ok "what it replaced is a comment" ||
	not_ok "what it replaced is a comment"

printf 'seed 7\nfragment 50%% of 1M\n' >begin.kvs
printf 'a = kmalloc 64\nsave all.kvs\n' | "$KVMAP" shell begin.kvs --seed 5 --debug-slab --fail-allocation 1 $patient >out 2>err
tr -d '\n' <all.kvs >one_line
grep -q 'seed 5debug-slabfail-allocation 1# seed 7fragment' one_line && ok "and what the guest was to do" || not_ok "and what the guest was to do"
try run all.kvs
check "which the script does, too" 0 out 'allocation 1 was made to fail: all.kvs:9: a = kmalloc 64'
sed -e '1,7s/^/# /' all.kvs >plain.kvs
try compile all.kvs -o all.module
try compile plain.kvs --seed 5 --debug-slab --fail-allocation 1 -o options.module
cmp -s all.module options.module && ok "as the options do" || not_ok "as the options do"

typed <<'END'
crash oops
map
backtrace
verify
verify each
vfree a
restart
a = vmalloc 4K
END
check "a guest that dies can be inspected and restarted" 1 out 'an unexpected fault in the kernel' out 'direct map' \
	out 'op_crash' out '^NOT VERIFIED: 1 finding; ' out '^NOT VERIFIED: 1 finding before `restart`; ' err '`restart` boots it anew' out "area 'a'"

typed <<'END'
a = vmalloc 4K
write a "0123456789"
check a
walk a
END
frame=$(sed -n 's/^GPA *\(0x[0-9a-f]*\) in a 4K.*/\1/p' out)
for word in 0 8; do
	typed <<END
a = vmalloc 4K
write a "0123456789"
write $(printf '0xffff8880%08x' $((frame + word))) 0
check a
b = kmalloc 64
write b "0123456789"
check b
END
	check "every word of a text is checked, by the guest and the host: $word" 1 out 'contents as expected' out '^ *[0-9]*\. V12 at' \
		out 'FAILED: the words that were written last are not there'
done

# The verdict of `verify` after a death has what a dump of the guest has.
for how in triple-fault emulation mmio hang oops; do
	typed --guest "$MUTANT_GUEST" --timeout 3 <<END
verify off
a = vmalloc 4K
bug guard-mapped
crash $how
dump dead.core
verify
verify
areas
END
	check "verify after a death verifies what the guest left: crash $how" 1 out '^  V3    1 WRONG' \
		out '^ *[0-9]*\. V3 at 0xffffc90000001000, major$' out 'MAPPED: V3'
	[ "$(tail -n 1 out)" = "$(grep '^NOT VERIFIED' out | head -n 1)" ] && ok "and once" || not_ok "and once"
	try verify dead.core --guest "$MUTANT_GUEST"
	grep '^  [0-9]*\. V' out | sed 's/.*\. //' >expected
	"$KVMAP" shell --guest "$MUTANT_GUEST" --timeout 3 >out 2>err <<END
verify off
a = vmalloc 4K
bug guard-mapped
crash $how
verify
END
	grep '^  [0-9]*\. V' out | sed 's/.*\. //' | sort -u >found
	sort -u expected | cmp -s - found && ok "with the findings of its core" || not_ok "with the findings of its core"
	rm -f dead.core
done

"$KVMAP" shell --timeout 0.5 >out 2>err <<'END'
crash hang
backtrace
END
status=$?
check "a guest that hangs is stopped by --timeout" 1 out 'stopped by --timeout' out 'machine_crash'

typed --json <<'END'
a = vmalloc 4K
vfree a
map
END
check "JSON has each operation and each stop" 0 out '"type":"operation".*"text":"a = vmalloc 4K"' out '"type":"stop".*"findings":0'
tail -n 1 out | grep -q '"type":"verdict".*"ok":true' && ok "and ends with the verdict" || not_ok "and ends with the verdict"

numbered "all lines are numbered in one sequence"

typed --guest "$MUTANT_GUEST" <<'END'
a = vmalloc 16K
bug guard-mapped
dump wrong.core
vfree a
END
check "a bug of the guest is found at the line that shows it" 1 out '^  1\. V3 at' out 'NOT VERIFIED: 1 finding'

echo verify | "$KVMAP" shell wrong.core --guest "$MUTANT_GUEST" >out 2>err
status=$?
check "and by verify in its core, with that exit status" 1 out '^NOT VERIFIED: 1 finding'
typed --guest "$MUTANT_GUEST" <<'END'
verify end
a = vmalloc 16K
bug guard-mapped
restart
END
check "restart ends a guest, which verify end verifies" 1 out '^  1\. V3 at' out '^NOT VERIFIED: 1 finding before `restart`'
typed --guest "$MUTANT_GUEST" <<'END'
verify off
a = vmalloc 16K
bug guard-mapped
END
check "what was not verified is not called so" 2 out '^NOT ALL VERIFIED: .*; not verified: 2 operations'
for lines in 'verify off\nrestart\n' 'verify end\nrestart\nverify off\n'; do
	printf "$lines" | "$KVMAP" shell $patient >out 2>err
	status=$?
	check "a guest of which nothing was verified is not called verified" 2 out 'V1 to V13  not seen: verification was off' \
		out '^Nothing could be verified\.$'
	printf "$lines" | "$KVMAP" shell --json $patient >out 2>err
	status=$?
	check "nor in JSON" 2 out '"type":"verdict".*"ok":false'
done
printf 'verify off\nrestart\nverify each\npurge\n' >lines
typed <lines
check "until it is verified" 0 out '^VERIFIED'

printf 'verify off\na = vmalloc 4K\ncrash mmio\n' >dies
typed <dies
check "what a guest did before it died is not verified, either" 1 \
	out '^NOT VERIFIED: 1 finding; [0-9,]* checks; not verified: 1 operation\.$'
{ cat dies && echo restart; } | "$KVMAP" shell --json $patient >out 2>err
status=$?
check "nor after a restart" 1 out '"type":"verdict".*"ok":false,"unverified":1'
{ cat dies && echo verify; } | "$KVMAP" shell --json $patient >out 2>err
status=$?
check "verify then verifies it" 1 out '"type":"verdict".*"ok":false'
grep -q '"unverified"' out && not_ok "and leaves nothing" || ok "and leaves nothing"
typed <<'END'
verify off
a = vmalloc 16K
vfree a
verify
END
check "until it is verified" 0 out '^VERIFIED: '

try map core --watch
check "map --watch wants a terminal" 2 err 'which standard output is not'

for source in none.core . /dev/null 4000000; do
	echo map | "$KVMAP" shell "$source" >out 2>err
	status=$?
	check "a SOURCE that cannot be opened is an error before the first line: $source" 2 err '^kvmap: '
	grep -q '^kvmap> ' out && not_ok "and no prompt: $source"
done
python3 "$(dirname "$0")/foreign_core.py" first_cpu_off foreign.core
printf 'map\nwalk 0x400000\nfrags\n' | "$KVMAP" shell foreign.core >out 2>err
status=$?
check "a core of another program's guest" 2 out '^0x0000000000400000 ' out '^CPU 1: 4-level' err 'did you mean `frames`|operations need a guest'
typed - </dev/null
check "standard input is not a script" 2 err 'standard input has what is typed'
typed none.kvs </dev/null
check "a script that there is not" 2 err 'none.kvs: no such script'
finish
