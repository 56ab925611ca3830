/* SPDX-License-Identifier: MIT */
/*
 * descriptors.h: counts the open file descriptors and the mappings of the test, to see that code releases
 * them.
 */
#ifndef TESTS_UNIT_DESCRIPTORS_H
#define TESTS_UNIT_DESCRIPTORS_H

/* A count to compare with another one: it includes the same few entries of /proc/self/fd each time. */
unsigned int open_descriptors(void);

/* The number of mappings of the address space (/proc/self/maps). Allocations may add some. */
unsigned int open_mappings(void);

#endif
