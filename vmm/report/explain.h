/* SPDX-License-Identifier: MIT */
/*
 * explain.h: the report of `explain`.
 */
#ifndef VMM_REPORT_EXPLAIN_H
#define VMM_REPORT_EXPLAIN_H

#include "report/report.h"

enum explanation_kind { EXPLANATION_PARAGRAPH, EXPLANATION_ITEM, EXPLANATION_SAMPLE };

/* A part of docs/invariants.md. */
struct explanation {
	unsigned int invariant; /* 1 and so on; 0: the end of the rows */
	enum explanation_kind kind;
	const char *text; /* one line */
};

/* All of them, from docs/explain.awk at build time. Not of this room: the program has them. */
extern const struct explanation explanations[];

/* Prints the rows of the invariant. rows NULL: its rule alone. */
void report_explain(struct report *report, unsigned int invariant, const struct explanation *rows);

#endif
