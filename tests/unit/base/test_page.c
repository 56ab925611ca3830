/* SPDX-License-Identifier: MIT */
#include "base/page.h"

#include <criterion/criterion.h>

Test(page, sizes_by_level_are_those_of_the_manual)
{
	cr_expect_eq(page_level_size(1), 0x1000);
	cr_expect_eq(page_level_size(2), 0x200000);
	cr_expect_eq(page_level_size(3), 0x40000000);
	cr_expect_eq(page_level_shift(5), 48, "what a 4-level linear address has");
	cr_expect_eq(page_level_shift(6), 57, "what a 5-level linear address has");
}

Test(page, an_address_has_an_index_at_each_level)
{
	uint64_t gva = 0xffffc90040203000;

	cr_expect_eq(page_level_index(gva, 1), 3);
	cr_expect_eq(page_level_index(gva, 2), 1);
	cr_expect_eq(page_level_index(gva, 3), 1);
	cr_expect_eq(page_level_index(gva, 4), 402);
}

Test(page, rounding_keeps_multiples_and_wraps_at_the_top)
{
	cr_expect_eq(page_round_down(0x1fff, PAGE_4K), 0x1000);
	cr_expect_eq(page_round_down(0x2000, PAGE_4K), 0x2000);
	cr_expect_eq(page_round_up(0, PAGE_2M), 0);
	cr_expect_eq(page_round_up(1, PAGE_2M), 0x200000);
	cr_expect_eq(page_round_up(0x200000, PAGE_2M), 0x200000);
	cr_expect_eq(page_round_up(~0ull, PAGE_4K), 0);
}

Test(page, sizes_are_named_by_the_largest_unit_that_fits)
{
	cr_expect_str_eq(page_size_name(PAGE_4K), "4K");
	cr_expect_str_eq(page_size_name(PAGE_2M), "2M");
	cr_expect_str_eq(page_size_name(PAGE_1G), "1G");
}
