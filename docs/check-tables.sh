#!/bin/sh
# SPDX-License-Identifier: MIT
# The tables of a document are those of include/kvmap. Usage: check-tables.sh TABLES DOCUMENT
if ! "$1" markdown <"$2" | diff "$2" - >&2; then
	echo "$2: its tables are not those of include/kvmap: run ./dev docs" >&2
	exit 1
fi
