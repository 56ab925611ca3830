# SPDX-License-Identifier: MIT
# explain.awk: the sections "## VN: ..." of docs/invariants.md, up to a line "---", as rows of C for `kvmap explain`
# (vmm/report/explain.h): paragraphs and items of lists in one line each, samples line by line.

function row(kind, text) {
	gsub(/\\/, "\\\\", text)
	gsub(/"/, "\\\"", text)
	printf "\t{ %d, %s, \"%s\" },\n", number, kind, text
}

# Without the marks of Markdown: `code`, *emphasis*, **strong**, [text](link).
function plain(text,    c) {
	while (match(text, /\[[^]]*\]\([^)]*\)/)) {
		c = substr(text, RSTART + 1, RLENGTH - 2)
		sub(/\]\(.*/, "", c)
		text = substr(text, 1, RSTART - 1) c substr(text, RSTART + RLENGTH)
	}
	gsub(/\*\*/, "", text)
	while (match(text, /(^|[^0-9a-z])\*[^* ][^*]*\*/)) {
		c = substr(text, RSTART, RLENGTH)
		sub(/\*/, "", c)
		sub(/\*$/, "", c)
		text = substr(text, 1, RSTART - 1) c substr(text, RSTART + RLENGTH)
	}
	gsub(/`/, "", text)
	return text
}

function flush() {
	if (paragraph != "")
		row(kind, plain(paragraph))
	paragraph = ""
	kind = "EXPLANATION_PARAGRAPH"
}

BEGIN {
	print "#include \"report/explain.h\"\n"
	print "const struct explanation explanations[] = {"
	kind = "EXPLANATION_PARAGRAPH"
}
/^---$/ && number { exit }
/^## V[0-9]+: / {
	flush()
	number = substr($2, 2) + 0
	next
}
!number { next }
/^$/ { flush(); next }
/^    / && paragraph == "" { row("EXPLANATION_SAMPLE", substr($0, 5)); next }
/^- / { flush(); kind = "EXPLANATION_ITEM"; paragraph = substr($0, 3); next }
{
	sub(/^ +/, "")
	paragraph = paragraph == "" ? $0 : paragraph " " $0
}
END {
	flush()
	print "\t{ 0, EXPLANATION_PARAGRAPH, \"\" },\n};"
}
