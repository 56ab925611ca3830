/* SPDX-License-Identifier: MIT */
/*
 * descriptors.h: counts the open file descriptors of the test, to see that code closes what it opens.
 */
#ifndef TESTS_UNIT_DESCRIPTORS_H
#define TESTS_UNIT_DESCRIPTORS_H

/* A count to compare with another one: it includes the same few entries of /proc/self/fd each time. */
unsigned int open_descriptors(void);

#endif
