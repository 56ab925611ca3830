/* SPDX-License-Identifier: MIT */
/*
 * test_failure.c: memory that ends at any point of an allocation.
 */
#include "sim.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>

struct shortage {
	unsigned long pages; /* of the area */
	u64 frames_left;
	bool zero;
};

/*
 * An area of 3 pages is made of 3 frames, a slab page and 3 tables; one of 600 has a table more. Every number
 * of frames from none to one too many.
 */
#define SMALL_NEEDS (3 + 1 + 3)
#define LARGE_NEEDS (600 + 1 + 4)

static struct shortage shortages[3 * 10];

ParameterizedTestParameters(failure, memory_that_ends_anywhere_in_an_allocation_is_undone_completely)
{
	size_t count = 0;

	for (u64 left = 0; left < 10; left++) {
		shortages[count++] = (struct shortage){ 3, left, false };
		shortages[count++] = (struct shortage){ 3, left, true };
		shortages[count++] = (struct shortage){ 600, LARGE_NEEDS - 9 + left, false };
	}
	return cr_make_param_array(struct shortage, shortages, count);
}

ParameterizedTest(const struct shortage *s, failure,
		  memory_that_ends_anywhere_in_an_allocation_is_undone_completely)
{
	unsigned long size = s->pages * PAGE_SIZE;
	u64 needs = s->pages == 3 ? SMALL_NEEDS : LARGE_NEEDS;
	void *a;

	sim_boot(KVMAP_POLICY_STRICT);
	sim_leave_free(s->frames_left);
	a = s->zero ? vzalloc(size) : vmalloc(size);
	cr_assert_eq(a != NULL, s->frames_left >= needs, "%lu pages with %lu frames left: %p", s->pages,
		     s->frames_left, a);
	cr_assert_eq(vmalloc_status(), a ? KVMAP_OK : KVMAP_REFUSED_NO_MEMORY);
	check_machine();
	if (!a) {
		/* slab pages and tables stay; the frames of the area and its range do not */
		cr_assert_eq(frames_free_count() + vm_stat[NR_SLAB_PAGES] - 1 + vm_stat[NR_PAGETABLE_PAGES],
			     s->frames_left);
		cr_assert_eq(vmap_highest, 0);
	}
	sim_release_held();
	check_machine();
	cr_assert_not_null(vmalloc(size));
	check_machine();
}

Test(failure, small_areas_until_memory_is_out_and_back_again)
{
	static void *areas[SIM_RAM_END / PAGE_SIZE];
	u64 nr, round, first = 0;

	sim_boot(KVMAP_POLICY_STRICT);
	for (round = 0; round < 3; round++) {
		for (nr = 0; (areas[nr] = vmalloc(1)); nr++)
			;
		cr_assert_eq(vmalloc_status(), KVMAP_REFUSED_NO_MEMORY);
		cr_assert_leq(frames_free_count(), 1);
		check_machine();
		if (!first)
			first = nr;
		cr_assert_eq(nr, first, "round %lu found room for %lu areas, the first for %lu", round, nr,
			     first);
		while (nr--)
			vfree(areas[nr]);
		vmalloc_purge();
		check_machine();
	}
}
