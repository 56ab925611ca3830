/* SPDX-License-Identifier: MIT */
/*
 * print.h: the report of `print`.
 */
#ifndef VMM_REPORT_PRINT_H
#define VMM_REPORT_PRINT_H

#include "program/value_tree.h"
#include "report/report.h"

/* The tree has a node at least. */
void report_print(struct report *report, const char *expression, const struct value_tree *tree);

#endif
