/* SPDX-License-Identifier: MIT */
/*
 * clock.h: the host's monotonic clock.
 */
#ifndef VMM_BASE_CLOCK_H
#define VMM_BASE_CLOCK_H

#include <stdint.h>

/* Nanoseconds of CLOCK_MONOTONIC. */
uint64_t clock_monotonic_ns(void);

#endif
