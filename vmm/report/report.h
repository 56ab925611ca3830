/* SPDX-License-Identifier: MIT */
/*
 * report.h: where a report goes. A report is text for people, or JSON lines for tools (json-c). Each command
 * has a header of its own here. Strings of guests and files are escaped here, for the terminal and for JSON.
 *
 * JSON: one object a line, each with "schema": "kvmap/1", "type" and "seq"; addresses are hex strings. The
 * last line of `run` and `verify` is the verdict.
 */
#ifndef VMM_REPORT_REPORT_H
#define VMM_REPORT_REPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum report_format { REPORT_TEXT, REPORT_JSON };

struct report {
	FILE *stream;
	enum report_format format;
	bool colour;          /* only for a terminal, and not with NO_COLOR */
	unsigned int columns; /* of a line of text; 0: 100 */
	uint64_t *seq; /* JSON: number of the next line, which reports to one stream share; text: unused */
};

#endif
