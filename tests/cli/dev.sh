#!/bin/sh
# SPDX-License-Identifier: MIT
# ./dev before it builds anything: help, mistyped words, the KVM device; and what it shows of long work.
tree=$(cd "$(dirname "$0")/../.." && pwd)
. "$(dirname "$0")/tap.sh"

# dev ARG...: as try, of ./dev. Nothing here gets as far as a build.
dev() {
	"$tree/dev" "$@" >out 2>err </dev/null
	status=$?
	tried="./dev $*"
}

for word in help --help -h; do
	dev "$word"
	check "./dev $word" 0 out '^Usage: \./dev COMMAND' out '^  run '
done
for word in --help -h; do
	dev test "$word"
	check "./dev test $word" 0 out '^Usage: \./dev test \[' out '^  --quick '
done
dev rnu
one_line "a mistyped command" 2 'unknown command .rnu.; did you mean .run.\? ./dev help lists'
dev frobnicate
one_line "a command that is like no other" 2 'unknown command .frobnicate.: ./dev help lists'
dev test --qiuck
one_line "an option of test" 2 'unknown option .--qiuck.: --quick, --nested, --sample, --mutants, --werror, --lint; see'
dev test --lint --help
check "an option of test and help" 0 out '^  --lint '
dev test --sample
one_line "an option of --nested alone" 2 '.--sample is of --nested'
dev test --quick --nested
one_line "options of test that exclude each other" 2 'exclude each other'

dev fuzz clams
one_line "a target of fuzz that there is not" 2 'fuzz: no target .clams.: they are claims '
dev fuzz --seconds x
one_line "a time that is none" 2 'fuzz \[TARGET...\] \[--seconds N\]'

# ---- what controls a terminal ----
escape=$(printf '\033[2J\233x')
for command in "$escape" "test $escape" "fuzz $escape" "bench $escape" "build $escape" "run --kvm=/$escape"; do
	# shellcheck disable=SC2086 # words on purpose
	dev $command
	one_line "an argument is printed escaped: ${command%%[! a-z]*}" 2 '\\x1b\[2J\\x9bx'
done
for command in "bench --x" "bench 0" "bench 10 20" "build --x" "docs --x" "format now" "coverage --x"; do
	# shellcheck disable=SC2086 # words on purpose
	dev $command
	one_line "$command is refused before anything is built" 2 "${command%% *}: .*(not a number of runs|unexpected argument)"
done

# ---- the KVM device, before anything is built ----
dev run --kvm "$folder/none"
one_line "no device" 2 'there is no /.*/none: leave --kvm away, since the KVM device is /dev/kvm$'
tree_dev=$tree/dev
mkdir -p elsewhere
: >elsewhere/device
(cd elsewhere && "$tree_dev" run --kvm device) >out 2>err </dev/null
status=$?
one_line "a device is looked for where ./dev was called" 2 'device is not the KVM device'
: >plain
dev run images/demo.kvs "--kvm=$folder/plain"
one_line "a file" 2 'plain is not the KVM device, which is /dev/kvm$'
dev run --kvm "$folder"
one_line "a folder" 2 'is not the KVM device'

cat >check.sh <<E2
name=dev
. "$tree/tests/shell.sh"
kvm_check "\$@"
echo opened
E2
sh check.sh /dev/null >out 2>err
status=$?
check "a device that can be opened" 0 out '^opened$'
mknod -m 060 closed c 1 3 2>/dev/null && chgrp 1 closed
# unprivileged ARG...: check.sh, without the capability that opens everything.
unprivileged() {
	if [ "$(id -u)" = 0 ]; then
		setpriv --bounding-set=-all --inh-caps=-all --clear-groups sh check.sh "$@" >out 2>err
	else
		sh check.sh "$@" >out 2>err
	fi
	status=$?
	tried="kvm_check $*"
}
if [ -c closed ] && sh -c ': <closed' 2>/dev/null; then
	unprivileged "$folder/closed" "./dev test --quick needs none"
	one_line "a device of a group" 2 "no permission for .*closed: add yourself to group $(stat -c %G closed) .and log in again. or run as root; \./dev test --quick needs none\$"
	chmod 600 closed
	chown 1 closed
	unprivileged "$folder/closed"
	one_line "a device of root alone" 2 'no permission for .*closed: run as root$'
else
	ok "a device without permission # SKIP no device can be made here"
fi

# ---- run, where it was called: a tree whose build is done, and whose kvmap says what it was given ----
mkdir -p copy/tests copy/build/vmm bin elsewhere
cp "$tree/dev" copy
cp "$tree/tests/shell.sh" copy/tests
: >copy/build/build.ninja
printf '#!/bin/sh\n' | tee bin/ninja bin/meson >/dev/null
printf '#!/bin/sh\necho "$PWD: $*"\n' >copy/build/vmm/kvmap
chmod +x bin/ninja bin/meson copy/build/vmm/kvmap
(cd elsewhere && PATH=$folder/bin:$PATH ../copy/dev run my.kvs --dump my.core --kvm=/dev/null) >out 2>err </dev/null
status=$?
tried="../copy/dev run my.kvs --dump my.core"
check "run reads a script, and writes a core, where it was called" 0 out "^$folder/elsewhere: run my.kvs --dump my.core"
# ---- what takes long ----
cat >work.sh <<E2
name=dev
. "$tree/tests/shell.sh"
progress "building build" log sh -c 'echo "[1/2] one"; sleep \$1; echo "[2/2] two"; exit 3' sh "\$1"
E2
sh work.sh 1.5 >out 2>err
status=$?
check "a pipe is shown nothing, and the status is that of the work" 3
[ -s out ] || [ -s err ] && not_ok "not a byte" || ok "not a byte"
grep -q '^\[2/2\] two$' log && ok "the output is in the log" || not_ok "the output is in the log"
TERM=xterm script -qec "stty cols 40; sh work.sh 2.5" /dev/null >out 2>err </dev/null
status=$?
check "a terminal is shown what is done, for how long, and the last line of the log" 3 out 'dev: building build, 1 s: .1/2. one' out 'building build, 2 s'
tr '\r' '\n' <out | sed 's/\x1b\[K//g' | awk 'length > 39 { exit 1 }' && ok "in a line that fits" || not_ok "in a line that fits"
tail -c 3 out | od -An -tx1 | grep -q '1b 5b 4b' && ok "which is cleared at the end" || not_ok "which is cleared at the end"
TERM=xterm script -qec "sh work.sh 0.2" /dev/null >out 2>err </dev/null
[ -s out ] && not_ok "what is done at once is not announced" || ok "what is done at once is not announced"
TERM=dumb script -qec "sh work.sh 1.5" /dev/null >out 2>err </dev/null
[ -s out ] && not_ok "a terminal that cannot clear a line is left alone" || ok "a terminal that cannot clear a line is left alone"
finish
