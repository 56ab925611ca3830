#!/bin/sh
# SPDX-License-Identifier: MIT
# What a command costs, as counts: the libraries that it loads, what it reads, its system calls. No times.
. "$(dirname "$0")/tap.sh"

# libraries ARG...: tries; the libraries that the dynamic linker loads, sorted, in $libraries. Those of the C library and
# of sanitizers do not count.
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

libraries run "$IMAGES/empty.kvs" --dump empty.core
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

finish
