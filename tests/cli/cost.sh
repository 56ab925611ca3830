#!/bin/sh
# SPDX-License-Identifier: MIT
# The costs of a command, as counts: the libraries that it loads, the bytes that it reads, its system calls. No times.
. "$(dirname "$0")/tap.sh"

# libraries ARG...: tries; the libraries that the dynamic linker loads, sorted, in $libraries. The C library and
# sanitizers do not count.
libraries() {
	rm -f loaded.*
	export LD_DEBUG=files LD_DEBUG_OUTPUT="$folder/loaded"
	try "$@"
	unset LD_DEBUG LD_DEBUG_OUTPUT
	libraries=$(cat loaded.* | sed -n 's/.*calling init: .*\/\(lib[a-z0-9-]*\)\.so.*/\1/p' |
		grep -vxE 'libc|libm|libdl|libpthread|libgcc_s|libasan|libubsan' | sort -u | tr '\n' ' ')
	libraries=${libraries% }
}

# loads NAME WANTED: of the last call of libraries, which must have ended with status 0.
loads() {
	if [ "$status" = 0 ] && [ "$libraries" = "$2" ]; then
		ok "$1"
	else
		not_ok "$1 (loaded: ${libraries:-none})"
	fi
}

libraries run "$IMAGES/empty.kvs"
loads "run loads no library" ""
libraries --version
loads "nor does --version" ""
libraries compile "$IMAGES/empty.kvs" --output empty.module
loads "nor compile" ""
libraries run "$IMAGES/empty.kvs" --json
loads "JSON needs json-c" libjson-c
libraries run -e 'a = vmalloc 4K'
[ "${libraries#*libdw}" != "$libraries" ] && ok "the line of a caller needs libdw" || not_ok "the line of a caller needs libdw (loaded: $libraries)"
libraries ps
[ "$status" = 0 ] && [ "${libraries#*libdw}" = "$libraries" ] && ok "ps does not" || not_ok "ps does not (loaded: $libraries)"

# calls PATTERN: how many lines of the last trace match.
calls() {
	grep -cE -- "$1" trace
}

# at_most NAME COUNT PATTERN: of the last trace.
at_most() {
	if [ "$(calls "$3")" -le "$2" ]; then
		ok "$1"
	else
		not_ok "$1 ($(calls "$3") calls)"
	fi
}

# LeakSanitizer does not work under strace.
traced="$ASAN_OPTIONS:detect_leaks=0"
if command -v strace >/dev/null; then
	ASAN_OPTIONS=$traced strace -o trace "$KVMAP" run "$IMAGES/empty.kvs" $patient >out 2>err
	status=$?
	tried="strace kvmap run empty.kvs"
	check "under strace all is verified too" 0 out VERIFIED
	at_most "a VM is made, and its registers are set, with nine ioctls" 9 \
		'ioctl\([0-9]+, KVM_(GET_API|CHECK|CREATE|SET_|GET_VCPU_MMAP|GET_TSC|GET_SREGS|GET_REGS)'
	at_most "KVM_RUN returns the registers" 0 'KVM_GET_REGS'
	at_most "the guest runs once" 1 'KVM_RUN'
	# One question and one answer for each piece of memory in use, of which there are fewer than twenty.
	at_most "where the guest's memory has data is found out once" 40 'lseek\(.*SEEK_(DATA|HOLE)'
	# read_once NAME: of the last trace: the kernel copies the guest's file into memory, and nothing of it is read again.
	read_once() {
		fd=$(sed -n 's/^openat(.*"'"$(echo "$GUEST" | sed 's|/|\\/|g')"'", .*) = \([0-9]*\)$/\1/p' trace)
		bytes=$(sed -n "s/^sendfile([0-9]*, $fd, .* = \([0-9]*\)\$/\1/p" trace | awk '{ sum += $1 } END { print sum + 0 }')
		[ "$bytes" = "$(stat -c %s "$GUEST")" ] && ok "$1" || not_ok "$1 (descriptors ${fd:-none}, $bytes bytes)"
	}
	read_once "the guest's file is read once"
	ASAN_OPTIONS=$traced strace -o trace "$KVMAP" run -e 'a = vmalloc 4K' $patient >out 2>err
	read_once "also if lines are to be named"
	ASAN_OPTIONS=$traced strace -q -o trace -e inject=sendfile:error=EINVAL "$KVMAP" run -e 'a = vmalloc 4K' $patient >out 2>err
	status=$?
	tried="strace kvmap run, on a file system without sendfile"
	check "on a file system without sendfile it is read, too" 0 out VERIFIED out 'op_vmalloc\+0x[0-9a-f]+ \(op_areas.c:[0-9]+\)$'
fi

# The file is overwritten while the guest runs: text, names and lines stay those of what was loaded.
if command -v strace >/dev/null; then
	cp "$GUEST" changing.elf
	export KVMAP
	ASAN_OPTIONS=$traced strace -f -q -o strace.out -e trace=timer_delete -e inject=timer_delete:delay_enter=100000000:when=1 \
		sh -c '"$KVMAP" run -e "a = vmalloc 4K" --guest changing.elf '"$patient"' >out 2>err; echo $? >code' 2>strace.err &
	tracer=$!
	wait_for $tracer grep -qs timer_delete strace.out
	tr '\0-\377' x <"$GUEST" | dd of=changing.elf bs=64K conv=notrunc 2>/dev/null
	kill -9 $tracer
	wait $tracer
	while [ ! -s code ]; do sleep 0.05; done
	status=$(cat code)
	tried="kvmap run --guest changing.elf, which changes meanwhile"
	check "a guest's file that changes during the run" 0 out 'VERIFIED' \
		out 'allocated by op_vmalloc\+0x[0-9a-f]+ \(op_areas.c:[0-9]+\)$'
	[ -s err ] && not_ok "no word of it" || ok "no word of it"
fi

finish
