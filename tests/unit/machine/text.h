/* SPDX-License-Identifier: MIT */
/*
 * text.h: comparing messages. Criterion's str takes no const.
 */
#ifndef TESTS_UNIT_MACHINE_TEXT_H
#define TESTS_UNIT_MACHINE_TEXT_H

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#define expect_text(actual, expected) cr_expect(eq(str, (char *)(actual), (char *)(expected)))

#endif
