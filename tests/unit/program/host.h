/* SPDX-License-Identifier: MIT */
/*
 * host.h: calls of the C library and of libdwfl that fail as they do on no healthy host. The test program is
 * linked with --wrap for each of them.
 */
#ifndef TESTS_UNIT_PROGRAM_HOST_H
#define TESTS_UNIT_PROGRAM_HOST_H

#include <stdbool.h>

enum host_call { HOST_NONE, HOST_FSTAT, HOST_MMAP, HOST_ATTACH_STATE };

/* The next such call fails, with EIO. */
void host_fail(enum host_call call);

/* The call that host_fail() chose was made, and has failed. */
bool host_failed(void);

#endif
