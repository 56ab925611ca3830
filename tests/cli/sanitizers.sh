#!/bin/sh
# SPDX-License-Identifier: MIT
# A sanitizer's error is neither of kvmap's exit statuses, so no test can take it for one of them, and it fails the test
# even if its process's exit status is not looked at.
. "$(dirname "$0")/tap.sh"

KVMAP=$SANITIZER_ERRORS
try none
check "a program without an error" 0
try overflow
# clang's runtime writes this error where AddressSanitizer's go.
cat sanitizer.* >>err 2>/dev/null
rm -f sanitizer.*
check "undefined behaviour" 99 err 'runtime error: signed integer overflow'
try bounds
check "a write past an allocation" 99
rm -f sanitizer.*
try leak
check "a leak" 99
rm -f sanitizer.*

# A test that does not look at the exit status.
cat >unaware.sh <<END
. "$(dirname "$0")/tap.sh"
"$SANITIZER_ERRORS" \$1 &
wait
ok "it has run"
finish
END
sh unaware.sh none >out 2>err
status=$?
check "a test without an error passes" 0 out '^1\.\.1$'
sh unaware.sh bounds >out 2>err
status=$?
check "an error in the background fails its test" 0 out '^not ok 2 - no sanitizer reports an error$' \
	out '^# .*heap-buffer-overflow' out '^1\.\.2$'
finish
