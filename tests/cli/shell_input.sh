#!/bin/sh
# SPDX-License-Identifier: MIT
# How kvmap shell reads its lines where they come from a pipe: their ends, comments, how the input ends.
. "$(dirname "$0")/tap.sh"

printf 'a = vmalloc 4K\r\nvfree a\r\n' | "$KVMAP" shell $patient >out 2>err
status=$?
check "lines end as on other systems, too" 0 out '^kvmap> vfree a$' out 'freed$'

printf '\357\273\277a = vmalloc 4K\nvfree a\n' | "$KVMAP" shell $patient >out 2>err
status=$?
check "and begin with a byte order mark, too" 0 out '^kvmap> a = vmalloc 4K$' out 'freed$'

typed <<'END'
a = vmalloc 4K# of it
walk a# where it is
print cpus[0].state # an expression
print "a # in a text" a
areas# all
verify# now
help vmalloc# one word
map --range 0xffffc90000000000-0xffffc90000001000 # "no end
END
check "comments are alike everywhere" 0 out '^GPA +0x.* in a 4K page' out '^[(]|CPU_|^[0-9]' out '^1 area, 0 of them wrong' \
	out 'NAME = vmalloc SIZE:' out '^0xffffc90000000000 +4 KiB rw-'

"$KVMAP" shell $patient <&- >out 2>err
status=$?
check "a standard input that is closed is said so" 2 err '^kvmap: standard input cannot be read: Bad file descriptor$'
"$KVMAP" run - <&- >out 2>err
status=$?
one_line "of a script, too" 2 'standard input: the script cannot be read: Bad file descriptor'

mkfifo typed
# Killed by a signal in the middle of its input.
for json in "" --json; do
	# shellcheck disable=SC2086
	"$KVMAP" shell $json $patient <typed >out 2>err &
	shell=$!
	exec 9>typed
	echo a = vmalloc 4K >&9
	wait_for $shell grep -q 'vmalloc 4K' out
	kill -TERM $shell
	wait $shell
	status=$?
	exec 9>&-
	check "a signal ends it with what was verified, and says so${json:+ in JSON}" 143 \
		out '^INTERRUPTED by SIGTERM: [0-9,]+ checks, no findings so far|"type":"verdict".*"ok":false,"interrupted":"SIGTERM"'
done

finish
