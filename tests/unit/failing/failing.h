/* SPDX-License-Identifier: MIT */
/*
 * failing.h: calls of functions of other libraries that fail, in the room and in the test. The linker replaces those that a
 * test program lists (--wrap) and defines with WRAP().
 */
#ifndef TESTS_UNIT_FAILING_H
#define TESTS_UNIT_FAILING_H

#include <stdbool.h>

/* The n-th call of `name` from now on (1: the next) fails with errno `errnum`, once. */
void call_fails(const char *name, unsigned int n, int errnum);

/* The next `times` calls of `name` fail with errnum. */
void calls_fail(const char *name, int errnum, unsigned int times);

/* `function` is called before the n-th call of `name`, which is then made. */
void call_preceded(const char *name, unsigned int n, void (*function)(void));

/* The call that was chosen last was made. */
bool call_failed(void);

/* Whether this call of `name` is to fail; errno is then set. */
bool call_is_failing(const char *name);

/* A function that fails with `result`, or is the real one. */
#define WRAP(type, name, parameters, arguments, result)                                                      \
	type __real_##name parameters;                                                                       \
	type __wrap_##name parameters;                                                                       \
	type __wrap_##name parameters                                                                        \
	{                                                                                                    \
		return call_is_failing(#name) ? (result) : __real_##name arguments;                          \
	}

#endif
