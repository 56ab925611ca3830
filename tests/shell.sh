# SPDX-License-Identifier: MIT
# shell.sh: what ./dev and tests/run share; sourced. Messages begin with $name.

# quoted TEXT: `TEXT`, with what could control a terminal, and what is not ASCII, as \xNN.
quoted() {
	printf '`%s`' "$1" | LC_ALL=C od -An -v -tu1 | awk '
		{ for (i = 1; i <= NF; i++) printf(($i < 32 || $i > 126 ? "\\x%02x" : "%c"), $i) }'
}

# kvm_check DEVICE: ends with status 2 and one line that says what to do, unless the KVM device can be opened.
kvm_check() {
	device=$(quoted "$1" | sed 's/^`//; s/`$//')
	if [ ! -e "$1" ] && [ "$1" != /dev/kvm ]; then
		what="there is no $device: leave --kvm away, since the KVM device is /dev/kvm"
	elif [ ! -e "$1" ]; then
		what="there is no $device: load the module kvm_intel, kvm_amd or kvm_pvm, or turn on virtualization in the firmware"
	elif [ -d "$1" ] || [ ! -c "$1" ]; then
		what="$device is not the KVM device, which is /dev/kvm"
	elif (: <>"$1") 2>/dev/null; then
		return 0
	elif [ -r "$1" ] && [ -w "$1" ]; then
		what="nothing drives the device $device: load the module kvm_intel, kvm_amd or kvm_pvm"
	else
		# A group that has no right to it is no help.
		case $(stat -c %A "$1" 2>/dev/null) in
		????rw*) what="no permission for $device: add yourself to group $(stat -c %G "$1") (and log in again) or run as root" ;;
		*) what="no permission for $device: run as root" ;;
		esac
	fi
	echo "$name: $what${2:+; $2}" >&2
	exit 2
}

# on_terminal: whether progress can be shown: standard error is a terminal that knows how to clear a line.
on_terminal() {
	[ -t 2 ] && [ -n "${TERM:-}" ] && [ "$TERM" != dumb ]
}

# progress WHAT LOG COMMAND...: runs the command with its output in LOG. On a terminal, once it has taken a second, one line
# shows for how long, and the end of the log.
progress() {
	what=$1
	log=$2
	shift 2
	if ! on_terminal; then
		"$@" >"$log" 2>&1 </dev/null
		return
	fi
	"$@" >"$log" 2>&1 </dev/null &
	progress_pid=$!
	trap 'progress_stop INT' INT
	trap 'progress_stop TERM' TERM
	trap 'progress_stop HUP' HUP
	tenths=0
	while kill -0 "$progress_pid" 2>/dev/null; do
		if [ $((tenths % 10)) = 0 ] && [ "$tenths" -gt 0 ]; then
			columns=$(stty size <&2 2>/dev/null | cut -d' ' -f2)
			line=$(tail -c 500 "$log" 2>/dev/null | tr '\r' '\n' | grep . | tail -n 1 | tr -cd '\40-\176')
			printf '\r\033[K%.*s' "$((${columns:-80} > 20 ? ${columns:-80} - 1 : 79))" \
				"$name: $what, $((tenths / 10)) s${line:+: $line}" >&2
		fi
		sleep 0.1
		tenths=$((tenths + 1))
	done
	[ "$tenths" -le 10 ] || printf '\r\033[K' >&2
	trap - INT TERM HUP
	wait "$progress_pid"
}

# Ends the command with this shell, which then dies of the signal. A command in the background ignores SIGINT.
progress_stop() {
	kill -TERM "$progress_pid" 2>/dev/null
	wait "$progress_pid" 2>/dev/null
	printf '\r\033[K' >&2
	trap - "$1"
	kill -"$1" $$
}
