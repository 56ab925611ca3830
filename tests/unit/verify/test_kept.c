/* SPDX-License-Identifier: MIT */
/* V8, V13: lists of CPUs and caches, their counters and bounds; objects in use. */
#include "base/array.h"
#include "world.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(kept, .init = world_init, .fini = world_destroy);

static struct claim_count *add_count(enum claim_count_kind kind, uint64_t number, uint64_t bound)
{
	struct claim_count count = {
		.kind = kind, .cpu = 3, .index = 1, .claimed = number, .counted = number, .bound = bound
	};

	cr_assert_eq(array_push(&w.claims.counts, count), 0);
	return &w.claims.counts.items[w.claims.counts.count - 1];
}

static const struct {
	enum claim_count_kind kind;
	const char *where;
	unsigned int part;
} kinds[] = {
	{ COUNT_PCP, "cpu_caches[3].pcp.nr", PART_OWNERS },
	{ COUNT_PCP_ZERO, "cpu_caches[3].pcp_zero.nr", PART_OWNERS },
	{ COUNT_CACHED, "cpu_caches[3].cached[1].nr", PART_CACHED },
	{ COUNT_CACHED_BLOCKS, "cpu_caches[3].cached_blocks.nr", PART_CACHED },
	{ COUNT_LAZY_AREAS, "cpu_caches[3].lazy.areas", PART_AREAS },
	{ COUNT_LAZY_PAGES, "cpu_caches[3].lazy.pages", PART_AREAS },
	{ COUNT_OBJECTS, "cpu_caches[3].objects: list of cache kmalloc-64", PART_OBJECTS },
	{ COUNT_EMPTY_SLABS, "cache kmalloc-64: nr_empty", PART_OBJECTS },
};

Test(kept, each_counter_of_a_list_that_is_off_by_one_is_found)
{
	strcpy(w.claims.caches[1].name, "kmalloc-64");
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct claim_count *count = add_count(kinds[i].kind, 4, 8);

		expect_findings("");
		count->claimed++;
		expect_findings("V13");
		cr_expect_eq(w.verdict.results[13].findings, 1);
		cr_expect_str_eq(w.verdict.findings.items[0].where, kinds[i].where);
		w.claims.counts.count = 0;
	}
}

Test(kept, a_list_that_could_not_be_read_is_not_compared)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct claim_damage damage = { "V8", 0xffff888000001000, 0x41, "a list" };

		add_count(kinds[i].kind, 4, 8)->claimed++;
		w.claims.damages.count = 0;
		cr_assert_eq(array_push(&w.claims.damages, damage), 0);
		w.claims.unread = kinds[i].part;
		expect_findings("V8");
		cr_expect_eq(w.verdict.results[13].seen, NOT_SEEN);
		w.claims.counts.count = 0;
	}
}

Test(kept, what_exceeds_its_bound_is_found)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct claim_count *count = add_count(kinds[i].kind, 8, 8);

		expect_findings("");
		count->claimed = count->counted = 9;
		expect_findings("V13");
		cr_expect_str_eq(w.verdict.findings.items[0].claimed, "at most 8");
		w.claims.counts.count = 0;
	}
}

/* ---- lists of cached ranges ---- */

/* A cached range of one page in place of the start of the second free range. */
static void make_cached(uint32_t pages)
{
	struct claim_cached_range range = { AREA_END, AREA_AFTER(AREA_END, 1), 0xffff888000123400 };
	struct claim_cached_entry entry = { range.vmap_area, pages };

	cr_assert_eq(array_push(&w.claims.cached_ranges, range), 0);
	cr_assert_eq(array_push(&w.claims.cached_entries, entry), 0);
	w.claims.free_tree.items[1].va_start = range.va_end;
	w.claims.free_tree.items[0].subtree_max_size = w.claims.free_tree.items[1].subtree_max_size =
		KVMAP_VMALLOC_END - range.va_end;
}

static void expect_cached(const char *found)
{
	expect_findings("V8");
	cr_expect_str_eq(w.verdict.findings.items[0].found, found);
}

Test(kept, a_cached_range_is_on_one_list)
{
	struct claim_cached_entry again;

	make_cached(1);
	expect_findings("");
	again = w.claims.cached_entries.items[0];
	cr_assert_eq(array_push(&w.claims.cached_entries, again), 0);
	expect_cached("on several");
	w.claims.cached_entries.count = 0;
	expect_cached("on no list");
	w.claims.unread = PART_CACHED;
	expect_findings("");
}

Test(kept, a_cached_range_is_on_the_list_of_its_size)
{
	make_cached(2);
	expect_cached("on the list of another size");
}

Test(kept, a_range_that_is_not_cached_is_on_no_list)
{
	make_cached(1);
	w.claims.cached_ranges.items[0].vmap_area = 0;
	expect_cached("ranges on a list that are not cached");
}

/* ---- objects in use ---- */

Test(kept, an_object_that_nobody_has_is_found_by_its_address)
{
	w.claims.kmalloc_sum -= world_object(1, 30);
	expect_findings("V13");
	cr_expect_eq(w.verdict.findings.items[0].address, world_object(1, 30));
}

Test(kept, a_free_object_that_was_not_given_back_is_found_by_its_address)
{
	w.claims.kmalloc_sum += world_object(0, 3);
	expect_findings("V13");
	cr_expect_eq(w.verdict.findings.items[0].address, world_object(0, 3));
}

Test(kept, objects_that_differ_in_number_are_found)
{
	w.claims.kmalloc_sum += world_object(0, 3) + world_object(0, 5);
	expect_findings("V13");
	w.claims.unread = PART_OBJECTS;
	expect_findings("");
}

/* Makes the caches those of vmap_area and vm_struct, with as many objects in use as these. */
static void name_caches(uint64_t vmap_areas, uint64_t vm_structs)
{
	strcpy(w.claims.caches[0].name, "vmap_area");
	strcpy(w.claims.caches[1].name, "vm_struct");
	w.claims.caches[0].free_objects = w.claims.caches[0].free_claimed = 32 - vmap_areas;
	w.claims.caches[1].free_objects = w.claims.caches[1].free_claimed = 32 - vm_structs;
	w.claims.caches[0].index = page_of(SLAB_0)->cache = KMALLOC_CLASSES + 1;
	w.claims.caches[1].index = page_of(SLAB_1)->cache = KMALLOC_CLASSES + 2;
	w.claims.kmalloc_sum = 0;
	for (size_t i = 0; i < w.claims.busy_tree.count; i++)
		w.claims.busy_tree.items[i].vm = 0xffff888000101000 + i * 64;
}

Test(kept, the_descriptors_in_use_are_those_that_the_trees_lead_to)
{
	name_caches(5, 3);
	expect_findings("");
	name_caches(6, 3);
	expect_findings("V13");
	cr_expect_str_eq(w.verdict.findings.items[0].where, "cache vmap_area");
	name_caches(5, 2);
	expect_findings("V13");
	cr_expect_str_eq(w.verdict.findings.items[0].where, "cache vm_struct");
}

Test(kept, a_vm_struct_of_two_areas_counts_once)
{
	name_caches(5, 3);
	w.claims.busy_tree.items[2].vm = w.claims.busy_tree.items[0].vm;
	expect_findings("V13");
	w.claims.unread = PART_FREE_RANGES;
	expect_findings("");
}
