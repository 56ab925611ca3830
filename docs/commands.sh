#!/bin/sh
# SPDX-License-Identifier: MIT
# commands.sh TABLES KVMAP.1.SCD PAGE...: prints kvmap(1) with a line for each command in place of @COMMANDS@, made of
# NAME and SYNOPSIS of the command's page, and with the tables of include/kvmap. TABLES is the program of tables.c.
set -eu
tables=$1
kvmap=$2
shift 2
commands=$(mktemp)
trap 'rm -f "$commands"' EXIT
for page in "$@"; do
	name=$(basename "$page" .1.scd)
	sed -n '/^# SYNOPSIS/,/^# /s/^\*kvmap \(.*\)/*\1/p' "$page" | sed 's/ \[_OPTION_\.\.\.\]//'
	summary=$(sed -n "s/^$name - //p" "$page" | sed 's/^./\U&/')
	printf '\t%s. See *%s*(1).\n\n' "$summary" "$name"
done >"$commands"
sed -e "/^@COMMANDS@\$/{" -e "r $commands" -e 'd' -e '}' "$kvmap" | "$tables" scdoc
