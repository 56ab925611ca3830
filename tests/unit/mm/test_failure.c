/* SPDX-License-Identifier: MIT */
/*
 * test_failure.c: memory that runs out at any point of an allocation.
 */
#include "mm/fail_alloc.h"
#include "mm/slab/kmalloc.h"
#include "mm/page/page_alloc.h"
#include "mm/vmalloc/vmap.h"
#include "sim.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>

struct shortage {
	unsigned long pages; /* of the area */
	u64 frames_left;
	bool zero;
};

/*
 * An area of 3 pages needs 3 frames, a slab page and 3 tables; one of 600 pages needs one table more. Every
 * number of free frames from none to one too many.
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
		/* slab pages and tables are kept; the area's frames and its range are not */
		cr_assert_eq(frames_free_count() + vm_stat_sum(NR_SLAB_PAGES) - 1 +
				     vm_stat_sum(NR_PAGETABLE_PAGES),
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

/* ---- each allocation in turn ---- */

static void *made_by_vmap(void)
{
	struct page *pages[20];
	void *frames = kmalloc(PAGE_SIZE * ARRAY_SIZE(pages), GFP_KERNEL), *area;

	if (!frames)
		return NULL;
	for (u32 i = 0; i < ARRAY_SIZE(pages); i++)
		pages[i] = virt_to_page(frames) + i;
	area = vmap(pages, ARRAY_SIZE(pages), 0, PGPROT_READWRITE);
	if (!area) {
		kfree(frames);
		return NULL;
	}
	vunmap(area);
	vm_unmap_aliases();
	kfree(frames);
	return frames;
}

static void *made_by_vmalloc(void)
{
	void *area = vmalloc(5ul << 20);

	vfree(area);
	return area;
}

static void *made_by_vzalloc(void)
{
	void *area = vzalloc(100);

	vfree(area);
	return area;
}

static void *made_by_kmalloc(void)
{
	void *object = kmalloc(3000, GFP_KERNEL);

	kfree(object);
	return object;
}

static void *made_by_krealloc(void)
{
	char *object = kmalloc(100, GFP_KERNEL), *larger;

	if (!object)
		return NULL;
	object[99] = 7;
	larger = krealloc(object, 40000, GFP_KERNEL);
	cr_assert_eq((larger ? larger : object)[99], 7, "the old memory stays where there is no new");
	kfree(larger ? larger : object);
	return larger;
}

static void *(*const makers[])(void) = {
	made_by_vmap, made_by_vmalloc, made_by_vzalloc, made_by_kmalloc, made_by_krealloc,
};

/* More than any of these makes on a new machine. */
#define ALLOCATIONS 14

struct failing {
	u32 maker, nth;
};

static struct failing failing[ARRAY_SIZE(makers) * ALLOCATIONS];

ParameterizedTestParameters(failure, each_allocation_in_turn_is_undone_completely)
{
	for (u32 i = 0; i < ARRAY_SIZE(failing); i++)
		failing[i] = (struct failing){ i / ALLOCATIONS, i % ALLOCATIONS + 1 };
	return cr_make_param_array(struct failing, failing, ARRAY_SIZE(failing));
}

ParameterizedTest(const struct failing *f, failure, each_allocation_in_turn_is_undone_completely)
{
	const void *made;

	sim_boot(KVMAP_POLICY_STRICT);
	kmalloc_disable_fast_path();
	fail_alloc_at(f->nth);
	made = makers[f->maker]();
	/* Nothing is lazily freed that could be reclaimed, so that the failed request is refused. */
	cr_assert_eq(!made, fail_alloc_done, "maker %u, allocation %u", f->maker, f->nth);
	cr_assert(f->nth > 1 || fail_alloc_done);
	cr_assert(f->nth < ALLOCATIONS || !fail_alloc_done, "ALLOCATIONS is too small");
	check_machine();
	fail_alloc_at(0);
	cr_assert_not_null(makers[f->maker](), "it fails but once");
	check_machine();
}
