/* SPDX-License-Identifier: MIT */
/*
 * test_kmalloc.c: the contract of kmalloc() and its family.
 */
#include "sim.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdlib.h>
#include <string.h>

static const unsigned long class_sizes[] = { 8, 16, 32, 64, 96, 128, 192, 256, 512, 1024, 2048, 4096, 8192 };

Test(kmalloc, every_size_up_to_8K_gets_the_smallest_class_that_holds_it)
{
	u32 class = 0;

	sim_boot(KVMAP_POLICY_STRICT);
	for (unsigned long size = 1; size <= KMALLOC_MAX_CACHE_SIZE; size++) {
		void *object = kmalloc(size, GFP_KERNEL);

		if (size > class_sizes[class])
			class ++;
		cr_assert_eq(ksize(object), class_sizes[class], "%lu bytes got %lu", size, ksize(object));
		if ((class_sizes[class] & (class_sizes[class] - 1)) == 0)
			cr_assert_eq(__pa(object) % class_sizes[class], 0, "%lu is not aligned", size);
		memset(object, 0xaa, size);
		kfree(object);
	}
	cr_assert_eq(kmalloc_status(), KVMAP_OK);
	check_machine();
}

Test(kmalloc, larger_sizes_get_blocks_of_whole_frames_up_to_4M)
{
	static const unsigned long sizes[][2] = { { 8193, 16384 },      { 16384, 16384 },
						  { 16385, 32768 },     { 1000000, 1 << 20 },
						  { 1 << 20, 1 << 20 }, { 2 << 20, 2 << 20 } };

	sim_boot(KVMAP_POLICY_STRICT);
	for (u32 i = 0; i < ARRAY_SIZE(sizes); i++) {
		void *block = kmalloc(sizes[i][0], GFP_KERNEL);

		cr_assert_eq(ksize(block), sizes[i][1]);
		cr_assert_eq(__pa(block) % sizes[i][1], 0);
		cr_assert_eq(vm_stat_sum(NR_KMALLOC_PAGES), sizes[i][1] / PAGE_SIZE);
		memset(block, 0xaa, sizes[i][1]);
		check_machine();
		kfree(block);
		cr_assert_eq(ksize(block), 0);
	}
	cr_assert_eq(kmalloc_status(), KVMAP_OK);
	cr_assert_eq(vm_stat_sum(NR_KMALLOC_PAGES), 0);
	cr_assert_null(kmalloc(KMALLOC_MAX_SIZE + 1, GFP_KERNEL));
	cr_assert_eq(kmalloc_status(), KVMAP_REFUSED_TOO_LARGE);
	check_machine();
}

Test(kmalloc, what_cannot_be_is_refused)
{
	sim_boot(KVMAP_POLICY_STRICT);
	cr_assert_null(kmalloc(0, GFP_KERNEL));
	cr_assert_eq(kmalloc_status(), KVMAP_REFUSED_ZERO_SIZE);
	cr_assert_null(kmalloc(~0ul, GFP_KERNEL));
	cr_assert_eq(kmalloc_status(), KVMAP_REFUSED_TOO_LARGE);
	cr_assert_null(kmalloc(8, GFP_KERNEL | __GFP_NOFAIL));
	cr_assert_eq(kmalloc_status(), KVMAP_REFUSED_NOFAIL);
	cr_assert_null(kmalloc_node(8, GFP_KERNEL | __GFP_THISNODE, 1));
	cr_assert_eq(kmalloc_status(), KVMAP_REFUSED_NO_MEMORY);
	kfree(kmalloc_node(4 * PAGE_SIZE, GFP_KERNEL, 1));
	cr_assert_eq(kmalloc_status(), KVMAP_OK, "a node that does not exist is a preference");
	cr_assert_null(kcalloc(1ul << 33, 1ul << 31, GFP_KERNEL));
	cr_assert_eq(kmalloc_status(), KVMAP_REFUSED_TOO_LARGE);
	cr_assert_null(kcalloc((1ul << 61) + 1, 8, GFP_KERNEL), "8 bytes, if one does not look");
	cr_assert_eq(kmalloc_status(), KVMAP_REFUSED_TOO_LARGE);
	cr_assert_eq(kmalloc_status(), KVMAP_OK, "told once");
	check_machine();
}

static void assert_kfree_refused(const void *object, u32 status)
{
	struct snapshot before, after;

	snapshot_take(&before);
	kfree(object);
	snapshot_take(&after);
	cr_assert_eq(kmalloc_status(), status, "%p", object);
	cr_assert_eq(memcmp(&before, &after, sizeof(after)), 0, "%p: something changed", object);
	check_machine();
}

Test(kmalloc, kfree_refuses_every_pointer_that_is_not_the_start_of_what_it_gave)
{
	char *object, *block;

	sim_boot(KVMAP_POLICY_STRICT);
	for (u32 i = 0; i < ARRAY_SIZE(class_sizes); i++) {
		object = kmalloc(class_sizes[i], GFP_KERNEL);
		for (unsigned long offset = 1; offset < class_sizes[i] && offset < PAGE_SIZE; offset++) {
			kfree(object + offset);
			cr_assert_eq(kmalloc_status(), KVMAP_REFUSED_INTERIOR, "%lu in %lu", offset,
				     class_sizes[i]);
		}
	}
	assert_kfree_refused(object + PAGE_SIZE, KVMAP_REFUSED_NOT_AN_AREA); /* the second frame of 8K */

	object = kmalloc(96, GFP_KERNEL);
	object = __va(ALIGN_DOWN(__pa(object), PAGE_SIZE) + 42 * 96); /* after the last object of a slab */
	assert_kfree_refused(object, KVMAP_REFUSED_INTERIOR);

	block = kmalloc(16384, GFP_KERNEL);
	assert_kfree_refused(block + 8, KVMAP_REFUSED_INTERIOR);
	assert_kfree_refused(block + PAGE_SIZE, KVMAP_REFUSED_NOT_AN_AREA);
	assert_kfree_refused((void *)KVMAP_VMALLOC_START, KVMAP_REFUSED_NOT_AN_AREA);
	assert_kfree_refused(__va(0x200000), KVMAP_REFUSED_NOT_AN_AREA); /* the image */
	kfree(NULL);
	cr_assert_eq(kmalloc_status(), KVMAP_OK);
}

Test(kmalloc, what_is_freed_twice_at_once_is_refused)
{
	void *object, *block;

	sim_boot(KVMAP_POLICY_STRICT);
	block = kmalloc(1 << 20, GFP_KERNEL);
	for (u32 i = 0; i < ARRAY_SIZE(class_sizes); i++) {
		object = kmalloc(class_sizes[i], GFP_KERNEL);
		kfree(object);
		assert_kfree_refused(object, KVMAP_REFUSED_DOUBLE_FREE);
	}
	kfree(block);
	kfree(block);
	cr_assert(KVMAP_STATUS_IS_REFUSED(kmalloc_status()));
	check_machine();
}

Test(kmalloc, zeroed_memory_is_zero_also_when_it_was_used_before)
{
	static const unsigned long sizes[] = { 8, 64, 192, 8192, 65536 };

	sim_boot(KVMAP_POLICY_STRICT);
	for (u32 i = 0; i < ARRAY_SIZE(sizes); i++) {
		unsigned char *bytes = kmalloc(sizes[i], GFP_KERNEL);

		memset(bytes, 0xaa, sizes[i]);
		kfree(bytes);
		bytes = i % 2 ? kzalloc(sizes[i], GFP_KERNEL) : kcalloc(sizes[i] / 8, 8, GFP_KERNEL);
		for (unsigned long at = 0; at < ksize(bytes); at++)
			cr_assert_eq(bytes[at], 0, "%lu of %lu", at, sizes[i]);
	}
}

Test(kmalloc, memory_below_a_limit_comes_in_whole_frames)
{
	void *object;

	sim_boot(KVMAP_POLICY_STRICT);
	object = kmalloc(64, GFP_KERNEL | GFP_DMA);
	cr_assert_lt(__pa(object), 16ul << 20);
	cr_assert_eq(ksize(object), PAGE_SIZE);
	check_machine();
	kfree(object);
	cr_assert_eq(vm_stat_sum(NR_KMALLOC_PAGES), 0);
}

#define SLOTS      500
#define OPERATIONS 300000

struct slot {
	u64 *words;
	unsigned long size;
	u64 stamp;
};

static struct slot slots[SLOTS];
static u64 state;

static u64 pick(u64 below)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (state >> 33) % below;
}

static void allocate(struct slot *slot, u64 stamp)
{
	bool zero = pick(4) == 0;

	slot->size = 8 + pick(8ul << pick(pick(40) ? 11 : 17));
	slot->words = kmalloc(slot->size, zero ? GFP_KERNEL | __GFP_ZERO : GFP_KERNEL);
	if (!slot->words) {
		cr_assert_eq(kmalloc_status(), KVMAP_REFUSED_NO_MEMORY);
		return;
	}
	cr_assert_geq(ksize(slot->words), slot->size);
	for (unsigned long i = 0; i < slot->size / 8; i++) {
		cr_assert(!zero || !slot->words[i]);
		slot->words[i] = stamp + i;
	}
	slot->stamp = stamp;
}

static void release(struct slot *slot)
{
	for (unsigned long i = 0; i < slot->size / 8; i++)
		cr_assert_eq(slot->words[i], slot->stamp + i, "another object's contents");
	kfree(slot->words);
	cr_assert_eq(kmalloc_status(), KVMAP_OK);
	slot->words = NULL;
}

ParameterizedTestParameters(kmalloc, random_sequences_keep_contents_and_lose_nothing)
{
	static bool debug[] = { false, true };

	return cr_make_param_array(bool, debug, ARRAY_SIZE(debug));
}

ParameterizedTest(const bool *debug, kmalloc, random_sequences_keep_contents_and_lose_nothing)
{
	u64 total;

	slab_debug = *debug;
	if (slab_debug)
		kmalloc_disable_fast_path();
	state = 11 + *debug;
	sim_boot(KVMAP_POLICY_STRICT);
	total = frames_free_count() + vm_stat_sum(NR_SLAB_PAGES);
	for (u64 i = 0; i < (*debug ? OPERATIONS / 20 : OPERATIONS); i++) {
		struct slot *slot = &slots[pick(SLOTS)];

		slot->words ? release(slot) : allocate(slot, i << 32);
		if (pick(100) == 0)
			vfree(vmalloc(1 + pick(40 * PAGE_SIZE)));
		if (i % 1000 == 0)
			check_machine();
	}
	for (u32 i = 0; i < SLOTS; i++)
		if (slots[i].words)
			release(&slots[i]);
	vmalloc_purge();
	check_machine();
	cr_assert_eq(kmalloc_damage().address, 0);
	cr_assert_eq(vm_stat_sum(NR_KMALLOC_PAGES), 0);
	for (u32 i = 1; i <= KMALLOC_CLASSES; i++)
		cr_assert(!kmem_caches[i] || objects_in_use(kmem_caches[i]) == 0);
	cr_assert_eq(frames_free_count() + vm_stat_sum(NR_SLAB_PAGES) + vm_stat_sum(NR_PAGETABLE_PAGES),
		     total);
}

/* ---- freeing slabs ---- */

#define OBJECTS 3000

static struct kmem_cache *cache_of(const void *object)
{
	return kmem_caches[pfn_to_page((u32)(__pa(object) >> PAGE_SHIFT))->cache];
}

/* Allocates and frees 3000 objects, the first one last; returns their cache. */
static struct kmem_cache *come_and_go_objects(unsigned long size)
{
	static void *objects[OBJECTS];
	struct kmem_cache *cache;

	for (u32 i = 0; i < OBJECTS; i++)
		cr_assert_not_null(objects[i] = kmalloc(size, GFP_KERNEL));
	cache = cache_of(objects[0]);
	check_machine();
	for (u32 i = OBJECTS; i--;)
		kfree(objects[i]);
	check_machine();
	return cache;
}

Test(kmalloc, empty_slabs_go_back_but_for_a_few)
{
	struct kmem_cache *cache;

	sim_boot(KVMAP_POLICY_STRICT);
	for (u32 turn = 0; turn < 3; turn++) {
		u64 before = vm_stat_sum(NR_SLAB_PAGES);

		cache = come_and_go_objects(64);
		cr_assert_leq(cache->nr_empty, 4);
		cr_assert_leq(cache->nr_slabs, 4 + 128 / 64 + 1, "what the CPU keeps lies in a few");
		cr_assert_leq(vm_stat_sum(NR_SLAB_PAGES), before + cache->nr_slabs);
	}
	cache = come_and_go_objects(8);
	cr_assert_leq(cache->nr_slabs, 6);
	cr_assert_eq(objects_in_use(cache), 0);
}

Test(kmalloc, a_slab_with_an_object_in_use_stays)
{
	char *kept;

	sim_boot(KVMAP_POLICY_STRICT);
	kept = kmalloc(64, GFP_KERNEL);
	memset(kept, 0x5c, 64);
	come_and_go_objects(64);
	kmem_drain_cpu(this_cpu_cache());
	check_machine();
	cr_assert_eq(cache_of(kept)->nr_slabs, 1);
	cr_assert_eq(objects_in_use(cache_of(kept)), 1);
	for (u32 i = 0; i < 64; i++)
		cr_assert_eq(kept[i], 0x5c);
	kfree(kept);
	cr_assert_eq(kmalloc_status(), KVMAP_OK);
}

Test(kmalloc, before_an_allocation_fails_every_empty_slab_goes_back)
{
	static const unsigned long sizes[] = { 8, 64, 96, 1024, 8192 };
	u64 slabs = 0, got = 0;

	sim_boot(KVMAP_POLICY_STRICT);
	for (u32 i = 0; i < 5; i++) {
		void *object = kmalloc(sizes[i], GFP_KERNEL);

		slabs += 1u << cache_of(object)->order;
		kfree(object);
	}
	sim_leave_free(0);
	cr_assert_null(alloc_pages(GFP_NOWAIT, 0), "who must not wait gets none of them");
	while (alloc_pages(GFP_KERNEL, 0))
		got++;
	cr_assert_eq(got, slabs);
	check_machine();
}

Test(kmalloc, what_is_looked_at_without_a_lock_keeps_its_slabs)
{
	static void *areas[200];
	u32 slabs;

	sim_boot(KVMAP_POLICY_STRICT);
	for (u32 i = 0; i < 200; i++)
		areas[i] = vmalloc((40 + i % 7) * 100);
	for (u32 i = 0; i < 200; i++)
		vfree(areas[i]);
	vmalloc_purge();
	slabs = vmap_area_cache.nr_slabs;
	kmem_drain_cpu(this_cpu_cache());
	cr_assert_eq(vmap_area_cache.nr_slabs, slabs);
	check_machine();
}
