/* SPDX-License-Identifier: MIT */
/*
 * calls.h: calls of the system and of libelf. calls.c lists those that failing.h makes fail; pwrite64() that fails with errno 0
 * writes nothing.
 */
#ifndef TESTS_UNIT_VIEW_CALLS_H
#define TESTS_UNIT_VIEW_CALLS_H

#include <stddef.h>

/* Each pwrite64() writes at most `size` bytes. */
void writes_are_short(size_t size);

#endif
