/* SPDX-License-Identifier: MIT */
/*
 * fail_call.h: system calls of the room that fail, and its clock. The linker replaces those that fail_call.c lists.
 */
#ifndef TESTS_UNIT_CONTROL_FAIL_CALL_H
#define TESTS_UNIT_CONTROL_FAIL_CALL_H

#include <stddef.h>
#include <stdint.h>

/* The next `times` calls of the function fail with errnum. */
void fail_call(const char *name, int errnum, unsigned int times);

/* The clock has this time until the next call; 0: it runs. */
void set_clock_ns(uint64_t ns);

/* The timeout of the last poll() of another thread, in ms; -2: none yet. */
int last_poll_timeout(void);

/* The size of the stack of the last thread. */
size_t last_stack_size(void);

#endif
