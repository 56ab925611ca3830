/* SPDX-License-Identifier: MIT */
#include "corners_fixture.h"

#include "file.h"

#include <criterion/criterion.h>

struct symbols *symbols;
struct debug_info *info;

void corners_open(void)
{
	struct error error;

	cr_assert_eq(symbols_open(file_named("PROGRAM_CORNERS"), &symbols, &error), 0, "%s", error.text);
	cr_assert_eq(debug_info_open(symbols, &info, &error), 0, "%s", error.text);
}

void corners_close(void)
{
	debug_info_close(info);
	symbols_close(symbols);
}
