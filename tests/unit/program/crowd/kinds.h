/* SPDX-License-Identifier: MIT */
/* kinds.h: what kinds.c and whole.c share; `whole` is whole in whole.c only. */
#ifndef TESTS_UNIT_PROGRAM_CROWD_KINDS_H
#define TESTS_UNIT_PROGRAM_CROWD_KINDS_H

struct whole;
extern struct whole *whole_pointer;

#endif
