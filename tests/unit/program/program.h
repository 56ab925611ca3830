/* SPDX-License-Identifier: MIT */
/* program.h: what the files of the tests' program share. */
#ifndef TESTS_UNIT_SYMBOLS_PROGRAM_H
#define TESTS_UNIT_SYMBOLS_PROGRAM_H

int other_twin(void);

#endif
