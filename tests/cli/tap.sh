# SPDX-License-Identifier: MIT
# tap.sh: what the command line's tests share; sourced. Prints TAP.
#
# $KVMAP, $GUEST, $IMAGES, $MUTANTS and $MUTANT_GUEST come from meson. Each test runs in its own temporary folder.
set -u
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 99
number=0
# The size of a guard, from the one place that defines it. Tests without a guest have no $IMAGES.
guard_pages=$(sed -n 's/^#define KVMAP_GUARD_PAGES *\([1-9][0-9]*\)$/\1/p' "${IMAGES-}/../include/kvmap/layout.h" 2>/dev/null)
[ -n "$guard_pages" ] || [ -z "${IMAGES-}" ] || exit 99
guard_kib=$((guard_pages * 4))
# Where AddressSanitizer and LeakSanitizer write, in each process of this test; finish looks there. (UndefinedBehaviorSanitizer
# of gcc writes to stderr whatever log_path says; its exit status is no status of kvmap either.)
export ASAN_OPTIONS="exitcode=99:log_path=$folder/sanitizer" UBSAN_OPTIONS=exitcode=99

# kvmap's own limit to the time that a guest may run is 60 seconds, which a busy machine can make of a few. Tests that are not
# about it set this one.
patient="--timeout 100000"

# try ARG...: runs kvmap; leaves its status in $status, what it printed in out and err. What runs a guest is given time.
try() {
	case "$* " in
	*--timeout* | compile\ *) ;;
	run* | bench* | *.kvs\ *) set -- "$@" $patient ;;
	esac
	"$KVMAP" "$@" >out 2>err </dev/null
	status=$?
	tried="kvmap $*"
}

# typed ARG...: runs the shell with the lines of standard input.
typed() {
	"$KVMAP" shell $patient "$@" >out 2>err
	status=$?
	tried="kvmap shell $*"
}

# try_hang ARGUMENT...: try, of a guest that hangs: with longer and longer limits until it gets to its first operation.
try_hang() {
	for limit in 1 8 64 512; do
		try "$@" --timeout $limit
		grep -q 'before the first operation' out || break
	done
}

# numbered NAME: the JSON lines of the last try are numbered from 0 on.
numbered() {
	sed -n 's/.*"seq":\([0-9]*\),.*/\1/p' out | awk '$1 != NR - 1 { bad = 1 } END { exit bad || !NR }' && ok "$1" || not_ok "$1"
}

# vmalloc_address PAGES GUARDS: the address, in 16 hexadecimal digits, that many pages and guards from the start of the
# vmalloc range.
vmalloc_address() {
	printf 'ffffc900%08x' $((($1 + $2 * guard_pages) * 4096))
}

# area_bytes PAGES: the size of an area with its guard.
area_bytes() {
	echo $((($1 + guard_pages) * 4096))
}

ok() {
	number=$((number + 1))
	echo "ok $number - $1"
}

not_ok() {
	number=$((number + 1))
	echo "not ok $number - $1"
	{
		echo "tried: ${tried:-}"
		echo "status: ${status:-}"
		echo "stdout:"
		head -c 3000 out
		echo "stderr:"
		head -n 20 err
	} | sed 's/^/# /'
}

# skip NAME REASON
skip() {
	number=$((number + 1))
	echo "ok $number - $1 # SKIP $2"
}

# check NAME WANTED-STATUS FILE PATTERN [FILE PATTERN]...: of the last try.
check() {
	name=$1
	wanted=$2
	shift 2
	if [ "$status" != "$wanted" ]; then
		not_ok "$name (status $status, wanted $wanted)"
		return
	fi
	while [ $# -ge 2 ]; do
		if ! grep -qE -- "$2" "$1"; then
			not_ok "$name (no /$2/ in $1)"
			return
		fi
		shift 2
	done
	ok "$name"
}

# one_line NAME WANTED-STATUS PATTERN: as check on stderr, which must be one line, and nothing on stdout.
one_line() {
	if [ "$(wc -l <err)" != 1 ] || [ -s out ]; then
		not_ok "$1 (not one line on stderr alone)"
		return
	fi
	check "$1" "$2" err "$3"
}

# has_ended PID: there is no such process, or only its exit status is left of it.
has_ended() {
	! grep -qsv '^[0-9]* (.*) Z' "/proc/$1/stat"
}

# wait_for PID COMMAND...: until the command succeeds; fails if process PID ends first. It has no limit of its own: how long
# something takes depends on what else the machine does.
wait_for() {
	awaited=$1
	shift
	until "$@"; do
		has_ended "$awaited" && return 1
		sleep 0.02
	done
}

# finish: the end of each test. Fails if a sanitizer reported an error, also in a process whose exit status was ignored.
finish() {
	for report in "$folder"/sanitizer.*; do
		[ -e "$report" ] || continue
		number=$((number + 1))
		echo "not ok $number - no sanitizer reports an error"
		head -n 40 "$report" | sed 's/^/# /'
	done
	echo "1..$number"
}
