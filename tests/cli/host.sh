#!/bin/sh
# SPDX-License-Identifier: MIT
# Faults of the host: files that change or cannot be written.
. "$(dirname "$0")/tap.sh"

echo 'a = vmalloc 64K' >script.kvs

# ---- the guest's ELF file ----
objcopy --compress-debug-sections=zlib "$GUEST" compressed.elf
try run script.kvs --guest compressed.elf
check "a guest with compressed debug sections" 0 out '^VERIFIED'
if objcopy --compress-debug-sections=zstd "$GUEST" zstd.elf 2>/dev/null; then
	try run script.kvs --guest zstd.elf
	[ "$status" = 0 ] && ok "a guest compressed by zstd, which this libelf knows" ||
		one_line "a compression that libelf does not know is named" 2 'compressed by zstd.*--decompress-debug-sections'
fi

printf 'pair vmalloc 4096 20000\na = vmalloc 8K\nverify\n' >long.kvs
for other in /dev/null "$MUTANT_GUEST"; do
	cp "$GUEST" live.elf
	# shellcheck disable=SC2086
	"$KVMAP" run long.kvs --guest live.elf --control socket $patient >out 2>err </dev/null &
	vm=$!
	tried="kvmap run long.kvs --guest live.elf, overwritten by $other"
	wait_for $vm test -S socket
	cat "$other" >live.elf
	wait $vm
	status=$?
	check "the guest's ELF file is overwritten while it runs: ${other##*/}" 0 out '^VERIFIED'
done
# ---- signals ----
# start_long ARG...: runs long.kvs with a control socket and --dump, in the background, and waits until the guest runs. Through
# setpriv, which has no default signals to restore, the shell would make it ignore SIGINT and SIGQUIT: python gives them back.
default_signals='import os, signal, sys
signal.pthread_sigmask(signal.SIG_SETMASK, [])
for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGPIPE): signal.signal(number, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])'
start_long() {
	rm -f socket long.core
	# shellcheck disable=SC2086
	python3 -c "$default_signals" "$KVMAP" run long.kvs --control socket --dump long.core $patient "$@" >out 2>err </dev/null &
	vm=$!
	tried="kvmap run long.kvs --control socket --dump long.core $*"
	wait_for $vm test -S socket
	sleep 0.2
}

ulimit -c 0
for signal in 2:INT 15:TERM 1:HUP 3:QUIT; do
	for cpus in 1 2; do
		start_long --cpus "$cpus"
		kill "-${signal#*:}" "$vm"
		wait "$vm"
		status=$?
		check "SIG${signal#*:}, $cpus CPUs: a partial report, the script's line, death of the signal" $((128 + ${signal%:*})) \
			out "INTERRUPTED by SIG${signal#*:}" err "interrupted by SIG${signal#*:}: long.kvs:1: pair vmalloc"
		[ ! -e socket ] && [ -z "$(ls long.core.* 2>/dev/null)" ] && ok "nothing is left" || not_ok "nothing is left"
		try map long.core
		check "and --dump is written" 0
	done
done
start_long --json
kill -TERM "$vm"
wait "$vm"
status=$?
check "JSON says so" 143 out '"type":"interrupted".*"signal":"SIGTERM","where":"long.kvs:1: ' out '"ok":false,"interrupted":"SIGTERM"'

rm -f socket
python3 -c 'import subprocess, sys
p = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE)
p.stdout.close()
print(p.wait())' "$KVMAP" run script.kvs --control socket >out 2>err
grep -qx -- -13 out && [ ! -s err ] && [ ! -e socket ] && ok "SIGPIPE: nothing is left" || not_ok "SIGPIPE: nothing is left"

# Other signals that end a process: the control socket goes, too.
for signal in 14:ALRM 24:XCPU 10:USR1 12:USR2; do
	start_long
	kill "-${signal#*:}" "$vm"
	wait "$vm"
	status=$?
	check "SIG${signal#*:}: the same" $((128 + ${signal%:*})) err "interrupted by SIG${signal#*:}: long.kvs:1: pair vmalloc"
	[ ! -e socket ] && [ -s long.core ] && ok "nothing but --dump is left" || not_ok "nothing but --dump is left"
done
# Before the guest runs: the script comes from a pipe that has no text yet.
mkfifo waits
# shellcheck disable=SC2086
python3 -c "$default_signals" "$KVMAP" run - --dump early.core $patient >out 2>err <waits &
vm=$!
exec 9>waits
wait_for $vm sh -c "tr '\\0' ' ' </proc/$vm/cmdline | grep -q '^[^ ]*kvmap[^ ]* run - --dump'"
sleep 0.5
kill -TERM $vm
wait $vm
status=$?
exec 9>&-
tried="kvmap run - --dump early.core, and SIGTERM before the script is there"
one_line "a signal before the guest runs: a line says that there is no core" 143 \
	'ended by SIGTERM: the guest did not run yet, and --dump is not written'
[ ! -e early.core ] && ok "and there is none" || not_ok "and there is none"

# The time limit's signal from another process, with an address of its choice in it.
echo 'crash hang' >hang.kvs
cat >forge.py <<'END'
import ctypes, struct, subprocess, sys, time
kvmap = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
time.sleep(0.5)
info = struct.pack('<iiiiiiQ', 34, 0, -2, 0, 0, 0, 0x1000).ljust(128, b'\0')
for i in range(20):
    ctypes.CDLL(None).syscall(129, kvmap.pid, 34, info)
    time.sleep(0.01)
print('sent', kvmap.poll(), kvmap.wait())
END
for cpus in 1 2; do
	python3 forge.py "$KVMAP" run hang.kvs --timeout 3 --cpus "$cpus" >out 2>err
	grep -qx 'sent None 1' out && ok "a forged signal of the time limit has no effect, $cpus CPUs" ||
		not_ok "a forged signal of the time limit has no effect, $cpus CPUs"
done

# ---- cores ----
"$KVMAP" run script.kvs --dump first.core >/dev/null 2>&1
cksum <first.core >sum
if command -v strace >/dev/null; then
	strace -q -o strace.out -e trace=fsync -e inject=fsync:delay_enter=3000000 "$KVMAP" dump first.core second.core >out 2>err &
	tracer=$!
	wait_for $tracer sh -c 'ls second.core.* 2>/dev/null | grep -q .'
	kill -TERM "$(ps -o pid= --ppid $tracer)"
	wait $tracer
	status=$?
	tried="kvmap dump first.core second.core, and SIGTERM during fsync"
	check "dump: death of the signal" 143
	[ -z "$(ls second.core* 2>/dev/null)" ] && ok "and no temporary file is left" || not_ok "and no temporary file is left"
fi
# The core is truncated between its opening and that of the guest's ELF file, where strace holds the process.
if command -v strace >/dev/null; then
	export KVMAP
	for command in map areas verify frames; do
		cp --sparse=always first.core second.core
		rm -f code
		strace -f -q -o strace.out -P "$GUEST" -e trace=openat -e inject=openat:delay_enter=100000000:when=1 \
			sh -c "\"\$KVMAP\" $command second.core >out 2>err; echo \$? >code" 2>strace.err &
		tracer=$!
		wait_for $tracer sh -c 'cat /proc/[0-9]*/maps 2>/dev/null | grep -q "$1/second.core"' sh "$folder"
		truncate -s 8192 second.core
		kill -9 $tracer
		wait $tracer
		while [ ! -s code ]; do sleep 0.05; done
		status=$(cat code)
		tried="kvmap $command second.core, which becomes shorter"
		one_line "$command: a core that becomes shorter" 2 'second.core: became shorter while it was read'
	done
fi
cp --sparse=always first.core second.core
(ulimit -f 4000 && "$KVMAP" dump first.core second.core >out 2>err)
status=$?
tried="ulimit -f 4000; kvmap dump first.core second.core"
one_line "the limit of a file's size: an error" 2 'second.core: the core was not written: File too large: the limit is [0-9]+ [KM]iB .ulimit -f.'
(ulimit -f 4000 && "$KVMAP" run script.kvs >out 2>err)
status=$?
tried="ulimit -f 4000; kvmap run script.kvs"
one_line "guest memory beyond the limit: an error that names it" 2 'guest memory: File too large: the limit is [0-9]+ [KM]iB .ulimit -f.'
cksum <second.core | cmp -s - sum && [ -z "$(ls second.core.* 2>/dev/null)" ] && ok "and the old file stays" ||
	not_ok "and the old file stays"

if unshare -m true 2>/dev/null; then
	mkdir small
	# shellcheck disable=SC2016
	unshare -m sh -c 'mount -t tmpfs -o size=300k none small && "$1" run script.kvs --dump small/a.core >out 2>err && cksum <small/a.core >before &&
		! "$1" dump first.core small/b.core >out 2>err && [ ! -e small/b.core ] && ! "$1" dump first.core small/a.core >out 2>>err &&
		cksum <small/a.core | cmp -s - before && [ "$(ls small)" = a.core ]' sh "$KVMAP"
	status=$?
	tried="a file system without room"
	check "a full disk: an error each time, the old file stays, nothing else is left" 0 err 'b.core: the core was not written: No space left on device' \
		err 'a.core: the core was not written: No space left on device'
fi

mkdir -m 1777 sticky
echo precious >victim
ln -s ../victim sticky/own.core
try dump first.core sticky/own.core
check "a link of this user is followed" 2 err 'sticky/own.core: exists and is not an ELF core'
: >victim
try dump first.core sticky/own.core
check "to a file that may be replaced" 0
[ -L sticky/own.core ] && cksum <victim | cmp -s - sum && ok "and the link stays" || not_ok "and the link stays"
if [ "$(id -u)" = 0 ]; then
	ln -s ../victim sticky/other.core
	chown -h 65534 sticky/other.core
	for command in "dump first.core" "run script.kvs --dump"; do
		# shellcheck disable=SC2086
		try $command sticky/other.core
		check "$command: a link of another user is not followed" 2 err 'sticky/other.core: .*a symbolic link of another user'
	done
	cksum <victim | cmp -s - sum && ok "and what it leads to stays" || not_ok "and what it leads to stays"
fi

# ---- modules ----
printf 'a = vmalloc 64K\n' >kept.kvs
try compile script.kvs --output first.module
check "a module is written" 0
cksum <first.module >sum
seq 200 | sed 's/.*/a& = vmalloc 4K/' >more.kvs
(ulimit -f 1 && "$KVMAP" compile more.kvs --output first.module >out 2>err)
status=$?
tried="ulimit -f 1; kvmap compile more.kvs --output first.module"
one_line "compile: the limit of a file's size: an error" 2 'first.module: the module was not written: File too large'
cksum <first.module | cmp -s - sum && [ -z "$(ls first.module.* 2>/dev/null)" ] && ok "and the old module stays" ||
	not_ok "and the old module stays"
if unshare -m true 2>/dev/null; then
	mkdir -p full
	# shellcheck disable=SC2016
	unshare -m sh -c 'mount -t tmpfs -o size=8k none full && cp first.module full/a && ! "$1" compile more.kvs -o full/a >out 2>err &&
		cksum <full/a | cmp -s - sum && [ "$(ls full)" = a ]' sh "$KVMAP"
	status=$?
	tried="kvmap compile more.kvs -o full/a, without room"
	check "compile: a full disk: an error, the old module stays, nothing else is left" 0 err 'full/a: the module was not written: No space left on device'
fi
cp kept.kvs before
try compile kept.kvs --output kept.kvs
one_line "compile: the script itself is not replaced" 2 'kept.kvs: exists and is not a boot module, so it is not replaced'
ln -s kept.kvs link.module
try compile script.kvs --output link.module
one_line "compile: nor through a link" 2 'link.module: exists and is not a boot module'
cmp -s kept.kvs before && ok "and it stays" || not_ok "and it stays"
ln -s first.module own.module
try compile more.kvs --output own.module
[ "$status" = 0 ] && [ -L own.module ] && ! cksum <first.module | cmp -s - sum && ok "compile: a link to a module is followed" ||
	not_ok "compile: a link to a module is followed"
for target in . /dev/null; do
	try compile script.kvs --output $target
	one_line "compile: $target is no file" 2 "$target: not a regular file, so no module is written there"
done

# ---- what is printed ----
escape=$(printf '\033[31m')
for arguments in "run --poli${escape}cy" "map /${escape}core" "run --timeout ${escape}" "run ${escape}.kvs" "${escape}" "areas --nodes x${escape}" "resume ${escape}" \
	"dump first.core /${escape}/x" "run script.kvs --control /${escape}/x" "run script.kvs --guest ${escape}" "walk first.core ${escape}" "print first.core ${escape}"; do
	# shellcheck disable=SC2086
	try $arguments
	[ "$status" = 2 ] && ! grep -q "$(printf '\033')" err && grep -qE '\\x1b|[?]\[31m' err && ok "an error line escapes what it prints: ${arguments%% *}" ||
		not_ok "an error line escapes what it prints: ${arguments%% *}"
done
finish
