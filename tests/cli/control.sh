#!/bin/sh
# SPDX-License-Identifier: MIT
# A VM that runs, inspected by other processes: by its process id and by its control socket.
. "$(dirname "$0")/tap.sh"

XDG_RUNTIME_DIR=$folder/runtime
export XDG_RUNTIME_DIR
mkdir -m 700 "$XDG_RUNTIME_DIR"
started=
trap 'for pid in $started; do kill -9 "$pid" 2>/dev/null; done; rm -rf "$folder"' EXIT

# start SOCKET ARG...: kvmap run in the background, until it listens at SOCKET (auto: where it is found by its process
# id); leaves its process id in $vm. What an earlier one left behind is removed first: it would be taken for this one's.
start() {
	socket=$1
	shift
	rm -f vm.out vm.err
	[ "$socket" = auto ] || rm -f "$socket"
	# shellcheck disable=SC2086
	"$KVMAP" run "$@" $patient >vm.out 2>vm.err </dev/null &
	vm=$!
	started="$started $vm"
	[ "$socket" = auto ] && socket=$XDG_RUNTIME_DIR/kvmap/$vm.sock
	wait_for $vm test -S "$socket"
}

# at_end: until it stands at its end.
at_end() {
	wait_for $vm grep -qs 'at its end' vm.err
}

# ended NAME WANTED-STATUS: the VM ends by itself, with that status.
ended() {
	wait "$vm"
	got=$?
	[ "$got" = "$2" ] && ok "$1" || {
		cp vm.out out
		cp vm.err err
		not_ok "$1 (status $got, wanted $2)"
	}
}

# ---- held at its end ----
cat >keeps.kvs <<END
a = vmalloc 64K
b = vzalloc 8K
fill a seed 3
vfree b
END
start auto keeps.kvs --hold
at_end
try ps
check "ps lists it" 0 out "$vm +1 +256 MiB +at end" out "keeps.kvs"
try ps --json
check "ps as JSON" 0 out "\"pid\":$vm,\"cpus\":1,\"memory\":268435456,\"state\":\"at end\"" out '"build_id":"[0-9a-f]{40}"'
try map "$vm" -v
check "map of a VM by its process id" 0 out '64 KiB .* area op_vmalloc' out 'guard' err "^paused PID $vm "
try map "$vm"
[ -s err ] && not_ok "without -v nothing is on standard error" || ok "without -v nothing is on standard error"
try map "$XDG_RUNTIME_DIR/kvmap/$vm.sock" --json
head -n 1 out >first
check "map by its socket; JSON says first how long it was paused" 0 first '"type":"pause","seq":0,.*"ended":false,"paused_ns":[1-9]'
try walk "$vm" 0xffffc90000000000
check "a walk" 0 out 'PML4'
try walk "$vm" a+4K
check "of an address that a variable of its script names" 0 out "byte 0x1000 of the 64 KiB area 'a' at"
try walk "$vm" 0xffffc90000010000
check "a walk of a guard page" 1 out 'not present'
try areas "$vm" -v
check "areas" 0 out '0xffffc90000000000' err 'paused PID'
try frames "$vm" -v
check "frames" 0 err 'paused PID'
try print "$vm" vmap_area_root -v
check "print" 0 err 'paused PID'
try diff "$vm" "$vm" -v
check "diff of a VM with itself" 0 err 'paused PID'
try backtrace "$vm" -v
check "backtrace" 0 out 'machine_exit|channel' err 'paused PID'
try dump "$vm" held.core -v
check "dump" 0 out 'held.core: 1 CPU' err 'paused PID'
try diff "$vm" held.core -v
check "the core is what the VM is" 0 err "^paused PID $vm "
try diff held.core "$vm" --json
check "of two sources the pauses of the VM are reported" 0 out '"type":"pause","seq":0'
try dump "$vm" held.core --physical
check "dump by physical addresses" 0 out 'held.core: 1 CPU'
try verify held.core
check "and verified" 0 out '^VERIFIED'
try print "$vm" 'vmap_area_rot'
check "print of what is not there" 2 err 'did you mean'
try backtrace "$vm" --cpu 7
one_line "backtrace of a CPU that is not there" 2 'there is no CPU 7'
try walk "$vm" 0xffffc90000000000 --stage2
check "a walk through the second stage, or why not" 0 out '^HPA'
try stage2 "$vm" -v
if [ "$status" = 2 ]; then
	check "stage2 says what is missing" 2 err 'may not load|built without'
else
	check "stage2" 0 out "^Second stage of process $vm: " out '^V10: ' err 'paused PID'
fi
try diff "$vm" "$vm" --contents
check "diff of what its areas hold" 0 out '^Areas have the same contents'
try proc "$vm" vmallocinfo
check "proc" 0 out '0xffffc90000000000-'
try verify "$vm" --json
tail -n 1 out >last
check "the verdict is the last line, KVM's translations among what was seen" 0 last '"type":"verdict".*"ok":true' last '"V11":[1-9]'
try verify "$vm" --guest "$KVMAP"
one_line "names of another program are not believed" 2 \
	'the guest does not run .*: its build-id [0-9a-f]{40} is not in the guest.s memory'
try run keeps.kvs --control "$XDG_RUNTIME_DIR/kvmap/$vm.sock"
one_line "a socket that is taken is refused" 2 'another VM listens there'
try resume "$vm"
check "it is let go" 0
ended "and ends with its verdict" 0
try ps
grep -q " $vm " out && not_ok "ps lists it no more" || ok "ps lists it no more"
[ -z "$(ls "$XDG_RUNTIME_DIR/kvmap")" ] && ok "its socket is gone" || not_ok "its socket is gone"

# Memory on both sides of the hole below 4 GiB is two regions of one file.
start auto keeps.kvs --hold --memory 4G
at_end
try verify "$vm" -v
check "memory of two regions" 0 out '^VERIFIED' err 'paused'
try resume "$vm"
ended "and it ends, too" 0

printf 'a = vmalloc 4K\nread a+4096\n' >overrun.kvs
start auto overrun.kvs --hold
at_end
try areas "$vm"
check "a guest that died is held, too" 0 out '0xffffc90000000000'
kill -TERM "$vm"
ended "a signal ends it: it dies of that, after its report" 143
grep -q "NOT VERIFIED" vm.out && ok "which has its verdict" || not_ok "which has its verdict"
[ -z "$(ls "$XDG_RUNTIME_DIR/kvmap")" ] && ok "and removes its socket" || not_ok "and removes its socket"

# gone: ends a VM by a signal that it cannot handle, and waits until it is gone.
gone() {
	kill -9 "$vm"
	wait "$vm" 2>/dev/null
}

# ---- while it works ----
# Works for longer than any test of it takes: each of these is ended.
printf 'a = vmalloc 64K\nfill a\nrepeat 16000\n  pair vmalloc 64K 4\nend\n' >works.kvs
for cpus in 1 4; do
	start "$folder/vm.sock" works.kvs --control "$folder/vm.sock" --cpus $cpus --memory 1G
	"$KVMAP" areas "$vm" --wait >/dev/null # the guest has begun
	try ps
	check "ps lists a VM of $cpus CPUs that works" 0 out "$vm +$cpus +1 GiB +running" out works.kvs
	bad=0
	for _ in $(seq 20); do
		try map vm.sock
		[ "$status" = 0 ] || bad=1
	done
	[ $bad = 0 ] && ok "it is inspected again and again" || not_ok "it is inspected again and again"
	bad=0
	for command in backtrace 'print zones[0]' 'print cpus[0].state' "dump works.core" 'walk vmalloc' 'proc meminfo'; do
		what=${command#* }
		[ "$what" = "$command" ] && what=
		# shellcheck disable=SC2086 # a word, or none
		try ${command%% *} vm.sock $what -v
		[ "$status" = 0 ] && grep -q 'paused PID' err || {
			bad=1
			break
		}
	done
	[ $bad = 0 ] && ok "every other command inspects it, too" || not_ok "every other command inspects it, too"
	try diff vm.sock works.core -v
	# It may be between two pairs again, with what it had then.
	check "what it did since is reported" "$((status == 1))" out '^Registers' err 'paused PID'
	try verify "$vm" -v
	check "and verified between two operations, by its process id" 0 out '^VERIFIED' err 'paused PID'
	try resume "$vm"
	one_line "it cannot be let go before its end" 2 'not be held at its end'
	gone
done

# One that ends, inspected as often as goes until then.
printf 'a = vmalloc 64K\nfill a\nrepeat 200\n  pair vmalloc 64K 4\nend\ncheck a\n' >ends.kvs
for cpus in 1 4; do
	start "$folder/vm.sock" ends.kvs --control "$folder/vm.sock" --cpus $cpus --memory 1G
	"$KVMAP" areas "$vm" --wait >/dev/null
	while try map vm.sock && [ "$status" = 0 ]; do
		:
	done
	one_line "a VM of $cpus CPUs ends while it is inspected" 2 'has ended|ended during|No such file'
	ended "its own verdict on $cpus CPUs is not touched" 0
	[ -e vm.sock ] && not_ok "its socket is removed" || ok "its socket is removed"
done

# ---- what is wrong in one that works ----
printf 'a = vmalloc 64K\nb = vmalloc 8K\nbug guard-mapped\nrepeat 400\n  pair vmalloc 64K 4\nend\n' >wrong.kvs
start "$folder/vm.sock" wrong.kvs --guest "$MUTANT_GUEST" --control "$folder/vm.sock"
# verdict STATUS: of verify, once the guest runs its script.
verdict() {
	try verify vm.sock -v
	[ "$status" = "$1" ]
}
# in_line N: verify says that the VM is in the middle of line N. During boot it says that there is no paging.
in_line() {
	verdict 2 && grep -q "CPU 0 in line $1 of its script" err
}
wait_for $vm verdict 1
check "a finding between two operations is one" 1 out '^  V3 +1 WRONG' err 'paused PID'
gone
printf 'a = vmalloc 64K\nb = vmalloc 8K\nbug guard-mapped\npair vmalloc 64K 100000000\n' >wrong.kvs
start "$folder/vm.sock" wrong.kvs --guest "$MUTANT_GUEST" --control "$folder/vm.sock" --memory 1G
wait_for $vm in_line 4
one_line "in the middle of an operation nothing is one" 2 'not verified: in each of [0-9]+ snapshots .* CPU 0 in line 4 of its script'
try areas vm.sock
one_line "nor of an area" 2 'not verified'
gone
printf 'a = vmalloc 64K\nbug lost-frame\npair vmalloc 64K 100000000\n' >wrong.kvs
start "$folder/vm.sock" wrong.kvs --guest "$MUTANT_GUEST" --control "$folder/vm.sock" --memory 1G
wait_for $vm in_line 3
try frames vm.sock
one_line "nor a frame without an owner" 2 'not verified: in each of [0-9]+ snapshots'
try frames vm.sock 0x1000
check "a frame that has one is shown" 0 out '^Frame 0x1'
gone

# ---- killed ----
start auto works.kvs --control auto
gone
stale=$XDG_RUNTIME_DIR/kvmap/$vm.sock
try map "$stale"
one_line "a VM that was killed is named" 2 'has ended'
try map "$vm"
one_line "and its process id is no process" 2 "no process $vm"
try ps
[ ! -e "$stale" ] && ! grep -q " $vm " out && ok "ps removes what it left behind" || not_ok "ps removes what it left behind"

start "$folder/vm.sock" keeps.kvs --hold --control "$folder/vm.sock"
gone
try run keeps.kvs --control "$folder/vm.sock"
check "a socket that one left behind is taken" 0 out '^VERIFIED: [0-9,]+ checks in 1 verification, no findings'
[ -e vm.sock ] && not_ok "and removed at the end" || ok "and removed at the end"

start auto works.kvs --control auto --cpus 2
# Killed once it was inspected, and while it is again.
(
	while try map "$vm" && [ "$status" = 0 ]; do
		: >inspected
	done
	exit $status
) &
client=$!
wait_for $client test -e inspected
kill -9 "$vm"
wait $client
status=$?
[ "$(wc -l <err)" = 1 ] && [ "$status" = 2 ] && ok "a VM that dies while it is inspected is an error of one line" ||
	not_ok "a VM that dies while it is inspected is an error of one line"

# A VM that is stopped does not answer. Killed when a command has its socket, it dies while the command waits for it, or just
# before the command connects: that it has ended is a right answer, too.
has_socket() {
	ls -l "/proc/$1/fd" 2>/dev/null | grep -q socket:
}
is_stopped() {
	! cat /proc/"$vm"/task/*/stat | grep -qv ') T '
}
bad=0
for command in areas backtrace "diff vm.sock" "dump dead.core" frames map "print zones[0]" "proc meminfo" stage2 verify 'walk vmalloc'; do
	what=${command#* }
	[ "$what" = "$command" ] && what=
	start "$folder/vm.sock" keeps.kvs --hold --control "$folder/vm.sock"
	at_end
	kill -STOP "$vm"
	wait_for "$vm" is_stopped
	# shellcheck disable=SC2086
	"$KVMAP" ${command%% *} vm.sock $what >out 2>err </dev/null &
	client=$!
	wait_for $client has_socket $client
	kill -9 "$vm"
	wait $client
	status=$?
	[ "$status" = 2 ] && [ "$(wc -l <err)" = 1 ] && [ ! -s out ] && grep -qE 'ended during the snapshot|has ended' err || {
		bad=1
		break
	}
	wait "$vm" 2>/dev/null
done
[ $bad = 0 ] && ok "each command says so in one line when the VM dies" || not_ok "each command says so in one line when the VM dies"

# ---- what is refused ----
try map $$
one_line "a process that is no VM is refused" 2 'process [0-9]+ is no VM'
try map 4000000000
one_line "a number that no process has is refused" 2 '4000000000'
echo text >file
try run keeps.kvs --control file
one_line "a file is not replaced by a socket" 2 'not a socket'
[ "$(cat file)" = text ] && ok "and stays as it was" || not_ok "and stays as it was"
try run keeps.kvs --control "$folder/$(printf '%0120d' 0)"
one_line "a path that no socket can have is refused" 2 'no longer than'
try run keeps.kvs --control "$folder/nowhere/sock"
one_line "a folder that is not there is named" 2 'nowhere'
chmod 777 "$XDG_RUNTIME_DIR/kvmap"
try run keeps.kvs --hold
one_line "a folder in which others can write is not used" 2 'other users can write there, so no control socket is made there: use --control PATH$'
chmod 700 "$XDG_RUNTIME_DIR/kvmap"
try resume
check "resume wants a VM" 2 err 'VM is missing'

if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	chmod 755 "$folder"
	start "$folder/mine.sock" keeps.kvs --hold --control "$folder/mine.sock"
	at_end
	setpriv --reuid 65534 --clear-groups "$KVMAP" map "$folder/mine.sock" >out 2>err
	status=$?
	one_line "another user may not look" 2 'Permission denied'
	chmod 666 mine.sock
	setpriv --reuid 65534 --clear-groups "$KVMAP" map "$folder/mine.sock" >out 2>err
	status=$?
	one_line "not even where the socket is open to all" 2 'belongs to another user'
	try resume mine.sock
	ended "and the VM did not notice" 0
fi
finish
