#!/bin/sh
# SPDX-License-Identifier: MIT
# The tables of documents are those of include/kvmap. Usage: check-tables.sh TABLES DOCUMENT...
tables=$1
shift
status=0
for document in "$@"; do
	if ! "$tables" markdown <"$document" | diff "$document" - >&2; then
		echo "$document: its tables are not those of include/kvmap: run ./dev docs" >&2
		status=1
	fi
done
exit $status
