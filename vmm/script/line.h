/* SPDX-License-Identifier: MIT */
/*
 * line.h: one line of a script, statement by statement. Private to vmm/script.
 */
#ifndef VMM_SCRIPT_LINE_H
#define VMM_SCRIPT_LINE_H

#include "script/compile.h"

/* Compiles compile->now, whose `at` is its first byte. 0, or -1 with the error made. */
int line_compile(struct compile *compile);

/*
 * Where the code of a line ends and its comment or its trailing blanks begin. *quote_out (may be NULL) is the
 * opening quote of a string that does not end within the line, else NULL.
 */
const char *line_code_end(const char *line, size_t length, const char **quote_out);

#endif
