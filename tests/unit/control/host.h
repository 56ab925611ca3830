/* SPDX-License-Identifier: MIT */
/*
 * host.h: the clock of the room, and what it gave to the system. host.c lists the system calls that failing.h makes fail.
 */
#ifndef TESTS_UNIT_CONTROL_HOST_H
#define TESTS_UNIT_CONTROL_HOST_H

#include <stddef.h>
#include <stdint.h>

/* The clock has this time until the next call; 0: it runs. */
void set_clock_ns(uint64_t ns);

/* The timeout of the last poll() of another thread, in ms; -2: none yet. */
int last_poll_timeout(void);

/* The size of the stack of the last thread. */
size_t last_stack_size(void);

#endif
