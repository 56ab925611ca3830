/* SPDX-License-Identifier: MIT */
/*
 * debug_sections.h: whether libelf can decompress the debug sections of a program. If one cannot be read, none is used:
 * lines and names by the others would be wrong.
 */
#ifndef VMM_PROGRAM_DEBUG_SECTIONS_H
#define VMM_PROGRAM_DEBUG_SECTIONS_H

#include "program/program_file.h"

/* ERROR_INPUT if there is a compressed section that is damaged, or whose compression libelf does not know. */
int debug_sections_check(const struct program_file *file, struct error *error);

/* The same, where debug information is wanted but not needed: keeps the error for debug_sections_error(). */
int debug_sections_want(const struct program_file *file);

/* The first error that debug_sections_want() met in this process; NULL: none. */
const struct error *debug_sections_error(void);

#endif
