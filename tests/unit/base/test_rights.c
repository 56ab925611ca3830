/* SPDX-License-Identifier: MIT */
#include "base/rights.h"

#include <criterion/criterion.h>

Test(rights, are_printed_as_in_proc_maps_and_u_is_appended)
{
	cr_expect_str_eq(RIGHTS_TEXT(0), "---");
	cr_expect_str_eq(RIGHTS_TEXT(RIGHT_R | RIGHT_W), "rw-");
	cr_expect_str_eq(RIGHTS_TEXT(RIGHT_X), "--x");
	cr_expect_str_eq(RIGHTS_TEXT(RIGHT_R | RIGHT_X | RIGHT_U), "r-xu");
	cr_expect_str_eq(RIGHTS_TEXT(RIGHT_R | RIGHT_W | RIGHT_X | RIGHT_U), "rwxu");
}
