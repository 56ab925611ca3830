/* SPDX-License-Identifier: MIT */
/*
 * no_memory.h: allocations of a room that fail. For test programs linked with no_memory.c and its link_args; those of the
 * C library and of other shared libraries are not touched.
 */
#ifndef TESTS_UNIT_NO_MEMORY_H
#define TESTS_UNIT_NO_MEMORY_H

#include <stdbool.h>

/* The n-th allocation from now on fails, once; 1: the next. 0: none. */
void no_memory_at(unsigned int n);

/* The one that no_memory_at() chose has failed. */
bool no_memory_failed(void);

#endif
