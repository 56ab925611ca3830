/* SPDX-License-Identifier: MIT */
#include "base/lower_bound.h"

#include <criterion/criterion.h>

static const unsigned int numbers[] = { 2, 3, 3, 3, 5, 8 };

static size_t bound_of(unsigned int key, size_t count)
{
	return lower_bound(count, i, numbers[i] < key);
}

Test(lower_bound, the_first_index_that_is_not_before_is_found)
{
	cr_expect_eq(bound_of(0, 6), 0);
	cr_expect_eq(bound_of(2, 6), 0);
	cr_expect_eq(bound_of(3, 6), 1, "the first of equals");
	cr_expect_eq(bound_of(4, 6), 4);
	cr_expect_eq(bound_of(8, 6), 5);
	cr_expect_eq(bound_of(9, 6), 6, "none");
}

Test(lower_bound, every_count_up_to_all_of_them_is_searched_whole)
{
	cr_expect_eq(bound_of(2, 0), 0);
	for (size_t count = 1; count <= 6; count++)
		for (unsigned int key = 0; key < 10; key++) {
			size_t expected = 0;

			while (expected < count && numbers[expected] < key)
				expected++;
			cr_expect_eq(bound_of(key, count), expected, "%u among %zu", key, count);
		}
}
