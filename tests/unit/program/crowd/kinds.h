/* SPDX-License-Identifier: MIT */
/* kinds.h: shared by kinds.c, which only declares `struct whole`, and whole.c, which defines it. */
#ifndef TESTS_UNIT_PROGRAM_CROWD_KINDS_H
#define TESTS_UNIT_PROGRAM_CROWD_KINDS_H

struct whole;
extern struct whole *whole_pointer;

#endif
