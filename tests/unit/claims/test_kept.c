/* SPDX-License-Identifier: MIT */
/* Lists of cached and lazily freed ranges, with their numbers and bounds; the sum of kmalloc()'s objects. */
#include "world.h"

#include "kvmap/boot.h"

#include <criterion/criterion.h>

static struct world world;
static struct claims claims;

static void begin(void)
{
	world_create(&world);
}

static void end(void)
{
	claims_destroy(&claims);
	world_destroy(&world);
}

TestSuite(kept, .init = begin, .fini = end);

static const struct claim_count *count_of(enum claim_count_kind kind, uint32_t index)
{
	for (size_t i = 0; i < claims.counts.count; i++)
		if (claims.counts.items[i].kind == kind && claims.counts.items[i].index == index)
			return &claims.counts.items[i];
	return NULL;
}

/* C becomes a cached range of three pages of CPU 2, whose counter says four. */
Test(kept, cached_ranges_are_read_with_the_list_that_they_are_on)
{
	const struct claim_count *count;
	struct cpu_cache *cpu;

	cpu = world_cpu(&world, 2);
	cpu->cached[3] = (struct vmap_cached){ (void *)world_range_gva(RANGE_C), 4 };
	world_range(&world, RANGE_C)->state = VMAP_CACHED;
	world_range(&world, RANGE_C)->next = NULL;
	world_read(&world, &claims);
	cr_assert_eq(claims.cached_entries.count, 1);
	cr_expect_eq(claims.cached_entries.items[0].vmap_area, world_range_gva(RANGE_C));
	cr_expect_eq(claims.cached_entries.items[0].pages, 3);
	cr_expect_eq(claims.cached_ranges.items[0].vmap_area, world_range_gva(RANGE_C));
	count = count_of(COUNT_CACHED, 3);
	cr_assert_not_null(count);
	cr_expect_eq(count->cpu, 2);
	cr_expect_eq(count->claimed, 4);
	cr_expect_eq(count->counted, 1);
	cr_expect_eq(count->bound, VMAP_CACHED_MAX);
	world_range(&world, RANGE_C)->next = (void *)world_range_gva(RANGE_C);
	claims_destroy(&claims);
	world_read(&world, &claims);
	cr_expect(claims.unread & PART_CACHED);
}

/* D of two pages waits for a flush. */
Test(kept, the_numbers_of_a_list_that_waits_for_a_flush_are_counted)
{
	const struct claim_count *areas, *pages;

	world_cpu(&world, 0)->lazy =
		(struct vmap_lazy){ .purge_list = (void *)world_range_gva(RANGE_D), .areas = 1, .pages = 7 };
	world_range(&world, RANGE_D)->lead = 1;
	world_read(&world, &claims);
	areas = count_of(COUNT_LAZY_AREAS, 0);
	pages = count_of(COUNT_LAZY_PAGES, 0);
	cr_assert(areas && pages);
	cr_expect_eq(areas->claimed, 1);
	cr_expect_eq(areas->counted, 1);
	cr_expect_eq(areas->bound, LAZY_MAX_AREAS - 1);
	cr_expect_eq(pages->claimed, 7);
	cr_expect_eq(pages->counted, 3);
	cr_expect_eq(pages->bound, LAZY_MAX_PAGES - 1);
	claims_destroy(&claims);
	*world_root(&world, "vmalloc_policy", uint32_t) = KVMAP_POLICY_EAGER;
	world_read(&world, &claims);
	cr_expect_eq(count_of(COUNT_LAZY_AREAS, 0)->bound, 0);
}

Test(kept, the_sum_of_the_objects_of_kmalloc_is_that_of_all_CPUs)
{
	world_cpu(&world, 0)->kmalloc_sum = 5;
	world_cpu(&world, 3)->kmalloc_sum = 0 - 3ull;
	world_read(&world, &claims);
	cr_expect_eq(claims.kmalloc_sum, 2);
	cr_expect_eq(claims.busy_tree.items[1].vm,
		     KVMAP_DIRECT_BASE + WORLD_VMS + RANGE_B * sizeof(struct vm_struct));
}
