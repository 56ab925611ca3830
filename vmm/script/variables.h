/* SPDX-License-Identifier: MIT */
/*
 * variables.h: the variables of a script. A variable begins with its first assignment, in the order of the
 * lines. Private to vmm/script.
 */
#ifndef VMM_SCRIPT_VARIABLES_H
#define VMM_SCRIPT_VARIABLES_H

#include "script/operands.h"

/* Its number, or -1. */
int variable_find(const struct compile *compile, struct word word);

/* The number of the variable that is assigned, a new one if need be; -1 with an error. */
int variable_assign(struct compile *compile, struct word word);

/* The error for a variable that is not set at this point: unknown, mistyped, or set only further down. -1. */
int variable_diagnose(struct compile *compile, struct word word);

#endif
