/* SPDX-License-Identifier: MIT */
/*
 * corners_fixture.h: the program of corners.S, names.S and lines.S, opened for each test.
 */
#ifndef TESTS_UNIT_PROGRAM_CORNERS_FIXTURE_H
#define TESTS_UNIT_PROGRAM_CORNERS_FIXTURE_H

#include "program/debug_info.h"

extern struct symbols *symbols;
extern struct debug_info *info;

/* Before a test; after it. */
void corners_open(void);
void corners_close(void);

#endif
