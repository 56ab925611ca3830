#!/bin/sh
# SPDX-License-Identifier: MIT
# ./dev lint finds what it is for: each rule is broken in a copy of the tree. Prints TAP.
set -u
tree=$(cd "$(dirname "$0")/../.." && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 99
(cd "$tree" && tar -cf - --exclude='build*' --exclude='__pycache__' --exclude='seeds' vmm guest include tests figures images docs \
	dev meson.build meson_options.txt ./*.md .clang-format) | tar -xf -
number=0

result() { # STATUS NAME: 0 is success
	number=$((number + 1))
	if [ "$1" = 0 ]; then
		echo "ok $number - $2"
	else
		echo "not ok $number - $2"
		head -n 20 found | sed 's/^/# /'
	fi
}

# lint PART...: leaves its exit status in $status and its lines in ./found.
lint() {
	tests/lint "$@" >found 2>&1
	status=$?
}

# finds NAME PART FILE [PATTERN]: the part finds something in that file, and the lint fails.
finds() {
	lint "$2"
	[ "$status" = 1 ] && grep -qE "^lint: $2: $3:[0-9]+: .*${4:-}" found
	result $? "$1"
}

# each_finds NAME PART FOLDER SUFFIX [PATTERN]: as finds, for each line of stdin in a source of its own, all in one run of
# the lint. "^" in a line is an end of line.
each_finds() {
	count=0
	while read -r text; do
		count=$((count + 1))
		printf '%s\n' "$text" | tr '^' '\n' | plant "$3/planted_$count.$4"
		printf '%s\n' "$text" | tr '\134' '~' >"planted_$count"
	done
	lint "$2"
	for i in $(seq $count); do
		[ "$status" = 1 ] && grep -qE "^lint: $2: $3/planted_$i\.$4:[0-9]+: .*${5:-}" found
		result $? "$1: $(cat "planted_$i")"
	done
	rm -f planted_*
	uproot
}

# passes NAME PART FILE: the part finds nothing in that file.
passes() {
	lint "$2"
	! grep -q " $3:" found
	result $? "$1"
}

# plant FILE: makes a source from stdin, with its licence. `uproot` removes all that have such a name.
plant() {
	mkdir -p "$(dirname "$1")"
	{
		echo '/* SPDX-License-Identifier: MIT */'
		cat
	} >"$1"
}
all_planted() {
	find vmm guest include tests -name 'planted*' -o -name 'up_to_*'
}
uproot() {
	all_planted | xargs rm -f
}

# ---- arrows: all of them at once, each in a file of its own ----
lint arrows
grep '^lint: arrows: ' found >before
# upward ROOMS...: for each pair, low to high, "LOW HIGH".
upward() {
	while [ $# -gt 1 ]; do
		low=$1
		shift
		for high in "$@"; do
			echo "$low $high"
		done
	done
}
host=$(sed -n '/^room_order/,/]/p' vmm/meson.build | grep -o "'[a-z0-9_]*'" | tr -d "'")
# shellcheck disable=SC2086
upward $host commands >host_pairs
while read -r low high; do
	echo "#include \"$high/planted.h\"" | plant "vmm/$low/up_to_$high.c"
done <host_pairs
guest=$(sed -n 's/^\(guest[^ ]*\) .*/\1/p' guest/rooms)
# shellcheck disable=SC2086
upward $guest >guest_pairs
while read -r low high; do
	name=${high#guest/}
	echo "#include \"${name#*/include/}/planted.h\"" | plant "$low/up_to_$(echo "$high" | tr / _).h"
done <guest_pairs
lint arrows
missed=0
for file in $(all_planted); do
	grep -q "^lint: arrows: $file:2: .* must not include " found || {
		echo "# not found: $file"
		missed=$((missed + 1))
	}
done
[ "$(wc -l <host_pairs)" -ge 136 ] && [ "$(wc -l <guest_pairs)" -ge 28 ] &&
	[ "$(all_planted | wc -l)" = "$(cat host_pairs guest_pairs | wc -l)" ] && [ $missed = 0 ] && [ "$status" = 1 ]
result $? "an include of each room by each room below it: $(wc -l <host_pairs) in the host, $(wc -l <guest_pairs) in the guest"
uproot
lint arrows
grep '^lint: arrows: ' found | cmp -s - before
result $? "without them nothing else is found"

echo '#include "view/view.h"' | plant vmm/script/planted.c
finds "a room below that is not in its uses" arrows vmm/script/planted.c
uproot
echo '#include <report/report.h>' | plant vmm/base/planted.h
finds "angle brackets do not hide it" arrows vmm/base/planted.h
uproot
echo '#include <view/view.h>' | plant include/kvmap/planted.h
finds "nor do they in include" arrows include/kvmap/planted.h
uproot
echo '#include "../report/report.h"' | plant vmm/base/planted.h
finds "a path with .. does not hide it" arrows vmm/base/planted.h '\.\.'
uproot
each_finds "an include in other words" arrows vmm/base h <<'END'
#include /* x */ "report/report.h"
#/* x */include "report/report.h"
/* x */ #include "report/report.h"
/* x^*/#include "report/report.h"
%:include "report/report.h"
#include \^"report/report.h"
#inc\^lude "report/report.h"
#define PLANTED "report/report.h"^#include PLANTED
#include_next <report/report.h>
#include "/report/report.h"
END
printf '/*\n#include "report/report.h" is above */\nconst char *s = "\\\n#include \\"report/report.h\\"";\n' | plant vmm/base/planted.c
lint arrows
! grep -q 'planted.c:.* plain ' found
result $? "comments and strings include nothing"
uproot
echo '.include "report/report.h"' | plant guest/lib/planted.S
finds "nor does the assembler's directive" arrows guest/lib/planted.S plain
uproot
for file in vmm/base/planted.inc guest/lib/planted.def include/kvmap/planted; do
	echo '#include "report/report.h"' | plant $file
	finds "a file of an unknown kind: $file" arrows $file
done
uproot
echo '#include "commands/common.h"' | plant vmm/view/some/folder/planted.h
finds "nor does a subfolder" arrows vmm/view/some/folder/planted.h
uproot
echo '#include "base/error.h"' | plant vmm/nowhere/planted.h
finds "a folder that is no room of the host" arrows vmm/nowhere/planted.h
uproot
echo '#include "lib/types.h"' | plant guest/mm/nowhere/planted.h
finds "a folder that is no room of the guest" arrows guest/mm/nowhere/planted.h
uproot
echo '#include "mm/gfp.h"' | plant guest/arch/x86_64/planted.c
finds "the guest's architecture uses the headers of mm that are listed, and no other" arrows guest/arch/x86_64/planted.c
uproot
echo '#include "view/view.h"' | plant include/kvmap/planted.h
finds "what host and guest share includes neither" arrows include/kvmap/planted.h
uproot
cp vmm/base/meson.build saved
sed -i "s/^uses = .*/uses = ['view']/" vmm/base/meson.build
finds "uses of a room that comes later" arrows vmm/base/meson.build
cp saved vmm/base/meson.build
cp guest/rooms saved
sed -i 's|^guest/lib .*|& agent/|' guest/rooms
finds "a whole room that comes later, in the guest's table" arrows guest/rooms
cp saved guest/rooms

# ---- circles ----
echo '#include "base/planted_b.h"' | plant vmm/view/planted_a.h
echo '#include "view/planted_a.h"' | plant vmm/base/planted_b.h
finds "a circle of includes across rooms" circles 'vmm/(view/planted_a|base/planted_b).h' 'planted_b.h.*planted_a.h|planted_a.h.*planted_b.h'
uproot
echo '#include "planted_b.h"' | plant guest/lib/planted_a.h
echo '#include "lib/planted_c.h"' | plant guest/lib/planted_b.h
echo '#include "lib/planted_a.h"' | plant guest/lib/planted_c.h
finds "a circle of three inside one room" circles 'guest/lib/planted_[abc].h'
uproot

# ---- lengths ----
# lines NUMBER: so long is the file, its licence counted.
lines() {
	seq 2 "$1" | sed 's|.*|// &|'
}
lines 501 | plant vmm/base/planted.c
finds "a file of 501 lines" lengths vmm/base/planted.c '501'
lines 500 | plant vmm/base/planted.c
passes "one of 500 may be" lengths vmm/base/planted.c
uproot
lines 501 | plant tests/cli/planted.sh
finds "a script of 501 lines" lengths tests/cli/planted.sh
uproot
# function LINES SIGNATURE
function_of() {
	printf '\n%s\n{\n' "$2"
	seq $(($1 - 2 - $(printf '%s\n' "$2" | wc -l))) | sed 's/.*/\tcount(&);/'
	printf '}\n'
}
{
	printf 'static const int table[] = {\n'
	seq 100 | sed 's/.*/\t&,/'
	printf '};\n'
	function_of 60 'int short_enough(void)'
	function_of 61 'static int planted_long(int first,
			 int second)'
	function_of 60 'int short_again(void)'
} | plant guest/mm/planted.c
finds "a function of 61 lines" lengths guest/mm/planted.c 'planted_long.* 61 lines'
[ "$(grep -c planted.c found)" = 1 ]
result $? "one of 60 may be, and a table is no function"
uproot
function_of 61 'Test(suite, planted_test, .init = start)' | plant tests/unit/base/planted.c
finds "a test of 61 lines" lengths tests/unit/base/planted.c 'planted_test'
uproot

{
	printf '\nint planted_long(int first,\n\t\t int second) {\n'
	seq 58 | sed 's/.*/\tcount(&);/'
	printf '}\n\nint short_enough(void) {\n'
	seq 58 | sed 's/.*/\tcount(&);/'
	printf '}\n'
} | plant vmm/base/planted.c
finds "a function of 61 lines with its brace in the line of the signature" lengths vmm/base/planted.c 'planted_long.* 61 lines'
[ "$(grep -c planted.c found)" = 1 ]
result $? "one of 60 may be"
uproot
# macro LINES NAME TEXT
macro() {
	printf '#define %s(X) \\\n' "$2"
	seq $(($1 - 2)) | sed "s/.*/\t$3 \\\\/"
	printf '\t%s\n\n' "$3"
}
{
	macro 61 PLANTED_LONG 'count(X);'
	macro 60 SHORT 'count(X);'
	macro 61 TABLE 'X(word, \"text\")'
} | plant include/kvmap/planted.h
finds "a macro of 61 lines" lengths include/kvmap/planted.h 'PLANTED_LONG .* 61 lines'
[ "$(grep -c planted.h found)" = 1 ]
result $? "one of 60 may be, and so may a table"
uproot

# ---- words ----
printf '/* Whoever reads this. */\n' | plant vmm/base/planted.c
finds "a word that is not used any more" words vmm/base/planted.c Whoever
uproot
printf '/*\n * Gives so\n * many of them.\n */\n' | plant guest/lib/planted.h
finds "two words over two lines" words guest/lib/planted.h 'so many'
uproot
printf 'static int whoever; // it\nconst char *s = "/* whoever */";\n' | plant include/kvmap/planted.h
passes "names and strings are free" words include/kvmap/planted.h
uproot
each_finds "words" words vmm/base c <<'END'
/* It is attached here. */
/* A foreign guest. */
/* It reads foreign processes. */
/* Has kept pages. */
END
each_finds "a fragment" words guest/mm c "begin the sentence with its subject" <<'END'
/* Of all pages. */
int a; /* What it holds. */
// Who frees it.
/** Those that are free. */
/* Frees it. What is left stays. */
/*^ * Whole. Of^ * these.^ */
/*^ *^ * What is left.^ */
END
printf 'const char *What; /* It says what and of what: those. */\nconst char *s = "Of all. What is left";\n' | plant guest/mm/planted.c
passes "such words within a sentence, and strings" words guest/mm/planted.c
uproot
echo '# What it is for.' >vmm/view/planted.build
finds "a fragment after #" words vmm/view/planted.build 'begin the sentence with its subject'
uproot
tests/lint.d/words --update
lint words
before=$(grep -c ' docs/script.md:' found)
echo 'It is told so.' >>docs/script.md
lint words
[ "$status" = 1 ] && [ "$(grep -c ' docs/script.md:' found)" -gt "$before" ]
result $? "one more in a document than it has"
count_of() {
	grep " $1\$" tests/lint.d/words.counts
}
counted=$(count_of docs/script.md)
tests/lint.d/words --update >/dev/null
[ "$(count_of docs/script.md)" = "$counted" ]
result $? "its count is not raised"
cp "$tree/docs/script.md" docs/script.md

# ---- the rest ----
mkdir -p vmm/base
echo 'int planted;' >vmm/base/planted.c
finds "a source without a licence" licence vmm/base/planted.c
uproot
printf 'int planted; \n' | plant vmm/base/planted.c
finds "trailing white space" spaces vmm/base/planted.c
uproot
printf '\tfprintf(stderr, "no");\n' | plant vmm/claims/planted.c
finds "a library that prints" prints vmm/claims/planted.c
uproot
printf '\texit(2);\n' | plant vmm/report/planted.c
finds "a library that exits" prints vmm/report/planted.c
uproot
each_finds "a library that prints or exits" prints vmm/base c <<'END'
fputs("x", stderr);
puts("x");
putchar('x');
perror("x");
quick_exit(2);
_exit(2);
_Exit(2);
write(1, "x", 1);
write(2, "x", 1);
write(STDOUT_FILENO, "x", 1);
dprintf(STDERR_FILENO, "x");
END
printf 'static inline void say(void)\n{\n\tfputs("x", stdout);\n}\n' | plant vmm/base/planted.h
finds "a header that prints" prints vmm/base/planted.h
uproot
printf '/* stderr, exit() */\nconst char *s = "stderr: \\"exit(2)\\"", *t = "puts(stdout)";\n' | plant vmm/base/planted.c
passes "strings and comments print nothing" prints vmm/base/planted.c
uproot
if command -v clang-format >/dev/null; then
	printf 'int  planted;\n' | plant vmm/base/planted.c
	finds "what clang-format would change" format vmm/base/planted.c
	uproot
fi
# tidy, with a program in the place of clang-tidy: STATUS FORMAT.
mkdir bin
tidy_is() {
	printf '#!/bin/sh\nshift 3\necho $# >>given\nfor file; do\n\tprintf "%s" "$file" "$file"\ndone\nexit %s\n' "$2" "$1" >bin/clang-tidy
	chmod +x bin/clang-tidy
	rm -f given
	PATH=$folder/bin:$PATH
	lint tidy
}
find vmm -name '*.c' ! -name '*.bpf.c' | sort >sources
tidy_is 0 '%s:10:3: warning: b\n%s:9:1: warning: a\n'
sed -n 's/^lint: tidy: \(.*\):[0-9]*: warning: .*/\1/p' found | uniq >named
[ "$status" = 1 ] && cmp -s sources named && [ "$(grep -c ':9: warning: a$' found)" = "$(wc -l <sources)" ]
result $? "clang-tidy reads every source of the host, and its lines are in their order"
[ "$(sort -n given | tail -n 1)" -le 8 ] && [ "$(wc -l <given)" -gt 8 ]
result $? "a few of them each time, so that several can run at once"
tidy_is 1 '# %s%s\n'
[ "$status" = 1 ] && grep -q '^lint: tidy: failed with status' found
result $? "a clang-tidy that fails without a line is an error"
tidy_is 0 '# %s%s\n'
[ "$status" = 0 ]
result $? "one that finds nothing is none"
lint nonsense
[ "$status" = 2 ]
result $? "a part that is not there is an error"
echo "1..$number"
