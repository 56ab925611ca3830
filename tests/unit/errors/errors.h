/* SPDX-License-Identifier: MIT */
/*
 * errors.h: compares a whole struct error, since its text alone is not all of it: an errno that does not belong there adds
 * words at the end, and an address is shown by the caller.
 */
#ifndef TESTS_UNIT_ERRORS_H
#define TESTS_UNIT_ERRORS_H

#include "base/error.h"

/* `text`: all of it, without the text of errnum. */
void expect_whole_error(const struct error *error, enum error_kind kind, int errnum, uint64_t address,
			const char *text);

#endif
