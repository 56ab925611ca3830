#!/bin/sh
# SPDX-License-Identifier: MIT
# A VM that is starting, and one that is let go before its end.
. "$(dirname "$0")/tap.sh"

XDG_RUNTIME_DIR=$folder/runtime
export XDG_RUNTIME_DIR
mkdir -m 700 "$XDG_RUNTIME_DIR"
started=
trap 'for pid in $started; do kill -9 "$pid" 2>/dev/null; done; rm -rf "$folder"' EXIT

# A run whose script does not come yet: it has not made its VM.
mkfifo script
exec 9<>script
# shellcheck disable=SC2086
"$KVMAP" run - --hold $patient <script 9>&- >vm.out 2>vm.err &
vm=$!
started=$vm
wait_for $vm sh -c "tr '\0' ' ' </proc/$vm/cmdline | grep -q 'run - --hold'"
for command in map areas "walk 0"; do
	# shellcheck disable=SC2086
	set -- $command
	try "$1" $vm ${2-}
	one_line "$1 of a VM that is starting says so" 2 "the VM of process $vm is starting: .*--wait"
done
try resume $vm
one_line "resume, too, without a word of inspecting" 2 "the VM of process $vm is starting: it has no control socket yet; try again, or use --wait"
"$KVMAP" map $vm --wait >waited 2>waited.err 9>&- &
waiter=$!
"$KVMAP" resume $vm --wait >resumed 2>&1 9>&- &
resumer=$!
started="$vm $waiter $resumer"
sleep 0.1
has_ended $waiter && not_ok "--wait waits" || ok "--wait waits"
# The operations keep the guest busy until it was inspected: it is let go at its end, without being held there.
printf 'a = vmalloc 64K\nareas 20000 4K\n' >&9
exec 9>&-
wait $waiter
status=$?
cp waited out
cp waited.err err
tried="kvmap map $vm --wait"
check "until there are page tables" 0 out 'direct map'
wait $resumer
status=$?
cp resumed err
check "resume before the end is remembered" 0
wait $vm
status=$?
cp vm.out out
cp vm.err err
tried="kvmap run - --hold"
check "and the VM exits at its end, with its verdict" 0 out 'VERIFIED'

try map $vm --wait
check "--wait ends with the process" 2 err "there is no process $vm"
try map ./no.sock
check "without it nothing is waited for" 2 err 'no.sock'

# The last of many CPUs has its page tables later than the first one.
echo 'a = vmalloc 64K' >my.kvs
for command in "map --cpu 63" "diff my.kvs"; do
	# shellcheck disable=SC2086
	"$KVMAP" run my.kvs --cpus 64 --hold $patient >vm.out 2>vm.err </dev/null &
	vm=$!
	started=$vm
	# shellcheck disable=SC2086
	try $command $vm --wait
	check "$command --wait waits for that CPU" "$([ "${command%% *}" = map ] && echo 0 || echo 1)" out 'direct map|CPUs of one source alone'
	if [ "${command%% *}" = map ]; then
		try map $vm --cpu 64 --wait
		one_line "but not for one that there is not" 2 'there is no CPU 64: the guest has 64'
	fi
	"$KVMAP" resume $vm >/dev/null 2>&1
	wait $vm
done

# In the first milliseconds, in which the shell has not executed the program: what is said is true of it.
wrong=
for attempt in 1 2 3 4 5 6 7 8 9 10; do
	# shellcheck disable=SC2086
	"$KVMAP" run my.kvs --hold $patient >vm.out 2>vm.err </dev/null &
	vm=$!
	started=$vm
	try map $vm
	[ "$status" = 0 ] || grep -q 'is starting' err || wrong=$(cat err)
	try map $vm --wait
	[ "$status" = 0 ] && grep -q 'direct map' out && ! grep -qi 'nothing that the guest uses' out && grep -q 'text' out || wrong=$(cat out err)
	"$KVMAP" resume $vm
	wait $vm || wrong="resume: $(cat vm.err)"
done
tried="kvmap run --hold & kvmap map: $wrong"
[ -z "$wrong" ] && ok "a process that is not a kvmap yet is starting, and --wait waits for the guest's own tables" ||
	not_ok "a process that is not a kvmap yet is starting, and --wait waits for the guest's own tables"

# The example of kvmap-run(1).
(
	PATH=$folder:$PATH
	ln -s "$KVMAP" kvmap
	kvmap run my.kvs --hold >example.run 2>/dev/null &
	{ kvmap map --wait $! && kvmap areas $! && kvmap resume $!; } >out 2>err
	echo $? >example.status
	wait
)
status=$(cat example.status)
tried="the example of kvmap-run(1)"
check "the example of the manual works as printed" 0 out 'direct map' out ' of them wrong$'
finish
