# SPDX-License-Identifier: MIT
# scdoc.awk: the sections "## VN: ..." of docs/invariants.md, up to a line "---", as sections of scdoc.

# A paragraph or an item of a list, in one line: special characters escaped, `code` and **strong** bold, *emphasis*
# underlined, links without their target.
function inline(text,    out, c, i, code, strong, emphasis) {
	while (match(text, /\[[^]]*\]\([^)]*\)/)) {
		c = substr(text, RSTART + 1, RLENGTH - 2)
		sub(/\]\(.*/, "", c)
		text = substr(text, 1, RSTART - 1) c substr(text, RSTART + RLENGTH)
	}
	for (i = 1; i <= length(text); i++) {
		c = substr(text, i, 1)
		if (c == "`") {
			code = !code
			out = out "*"
		} else if (!code && c == "*" && substr(text, i + 1, 1) == "*") {
			strong = !strong
			out = out "*"
			i++
		} else if (!code && c == "*") {
			emphasis = !emphasis
			out = out "_"
		} else {
			out = out (index("\\_*#~<>+", c) ? "\\" c : c)
		}
	}
	return out
}

function flush() {
	if (paragraph != "")
		print prefix inline(paragraph) (prefix == "" ? "\n" : "")
	else if (sample != "")
		print "```\n" sample "```\n"
	paragraph = sample = prefix = ""
}

/^---$/ && started { flush(); exit }
/^## V[0-9]+: / {
	flush()
	print "## " inline(substr($0, 4)) "\n"
	started = 1
	next
}
!started { next }
/^$/ {
	was_item = prefix != ""
	flush()
	if (was_item)
		print ""
	next
}
/^    / && paragraph == "" {
	sub(/^    /, "")
	gsub(/\\/, "\\\\")
	sample = sample $0 "\n"
	next
}
/^- / {
	if (prefix == "" && paragraph != "") {
		flush()
	}
	flush()
	prefix = "- "
	paragraph = substr($0, 3)
	next
}
{
	sub(/^ +/, "")
	paragraph = paragraph == "" ? $0 : paragraph " " $0
}
