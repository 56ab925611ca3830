/* SPDX-License-Identifier: MIT */
/*
 * calls.h: calls of the system and of libelf that fail, in the room and in the test. calls.c lists them.
 */
#ifndef TESTS_UNIT_VIEW_CALLS_H
#define TESTS_UNIT_VIEW_CALLS_H

#include <stdbool.h>
#include <stddef.h>

/* The n-th call of `name` from now on (1: the next) fails with errno `errnum`, once. pwrite64: with 0, it writes nothing. */
void call_fails(const char *name, unsigned int n, int errnum);

/* `function` is called before the n-th call of `name`, which is then made. */
void call_preceded(const char *name, unsigned int n, void (*function)(void));

/* The call that call_fails() chose was made. */
bool call_failed(void);

/* Each pwrite64() writes at most `size` bytes. */
void writes_are_short(size_t size);

#endif
