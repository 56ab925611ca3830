/* SPDX-License-Identifier: MIT */
/*
 * test_krealloc.c: resizing what kmalloc() returned.
 */
#include "sim.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <string.h>

Test(krealloc, it_keeps_the_contents_and_moves_only_when_it_must)
{
	unsigned char *bytes, *moved;

	sim_boot(KVMAP_POLICY_STRICT);
	bytes = krealloc(NULL, 40, GFP_KERNEL);
	cr_assert_eq(krealloc(bytes, 63, GFP_KERNEL), bytes);
	bytes = krealloc(bytes, 64, GFP_KERNEL); /* the record of its size has no room any more */
	for (u32 i = 0; i < 64; i++)
		bytes[i] = (unsigned char)i;
	cr_assert_eq(krealloc(bytes, 64, GFP_KERNEL), bytes);
	moved = krealloc(bytes, 100000, GFP_KERNEL | __GFP_ZERO);
	cr_assert_neq(moved, bytes);
	for (u32 i = 0; i < 64; i++)
		cr_assert_eq(moved[i], i);
	for (u32 i = 64; i < 100000; i++)
		cr_assert_eq(moved[i], 0);
	cr_assert_null(krealloc(moved, ~0ul, GFP_KERNEL));
	cr_assert_eq(kmalloc_status(), KVMAP_REFUSED_TOO_LARGE);
	cr_assert_eq(moved[63], 63);
	cr_assert_null(krealloc(moved + 1, 10, GFP_KERNEL));
	cr_assert_eq(kmalloc_status(), KVMAP_REFUSED_NOT_AN_AREA);
	cr_assert_null(krealloc(moved, 0, GFP_KERNEL));
	cr_assert_eq(ksize(moved), 0);
	cr_assert_eq(vm_stat_sum(NR_KMALLOC_PAGES), 0);
	check_machine();
}

/* Whether bytes [from, to) are `value`. */
static bool are(const unsigned char *bytes, unsigned long from, unsigned long to, unsigned char value)
{
	while (from < to && bytes[from] == value)
		from++;
	return from >= to;
}

ParameterizedTestParameters(krealloc, it_zeroes_all_that_is_gained)
{
	static bool debug[] = { false, true };

	return cr_make_param_array(bool, debug, ARRAY_SIZE(debug));
}

/* From and to each size: in place, to another class, to a block; from memory that was used before. */
ParameterizedTest(const bool *debug, krealloc, it_zeroes_all_that_is_gained)
{
	static const unsigned long sizes[] = { 1,     7,     8,     9,      72,         96,     100,
					       128,   192,   193,   256,    300,        1000,   1024,
					       4095,  4096,  4097,  8000,   8191,       8192,   8193,
					       16384, 20000, 32768, 100000, 2200 << 10, 4 << 20 };

	slab_debug = *debug;
	if (slab_debug)
		kmalloc_disable_fast_path();
	sim_boot(KVMAP_POLICY_STRICT);
	for (u32 from = 0; from < ARRAY_SIZE(sizes); from++)
		for (u32 to = 0; to < ARRAY_SIZE(sizes); to++) {
			unsigned long old = sizes[from], new = sizes[to], least = old < new ? old : new;
			unsigned char *bytes = kmalloc(old, GFP_KERNEL);

			memset(bytes, 0xaa, old);
			kfree(bytes);
			bytes = kmalloc(old, GFP_KERNEL);
			memset(bytes, 0x55, old);
			bytes = krealloc(bytes, new, GFP_KERNEL | __GFP_ZERO);
			cr_assert(are(bytes, 0, least, 0x55), "%lu to %lu: contents", old, new);
			cr_assert(are(bytes, least, new, 0), "%lu to %lu: not zero", old, new);
			bytes = krealloc(bytes, old, GFP_KERNEL | __GFP_ZERO); /* and back */
			cr_assert(are(bytes, 0, least, 0x55), "%lu, %lu and back: contents", old, new);
			cr_assert(are(bytes, least, old, 0), "%lu, %lu and back: not zero", old, new);
			kfree(bytes);
			cr_assert_eq(kmalloc_damage().status, KVMAP_OK);
		}
	check_machine();
}
