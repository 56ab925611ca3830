/* SPDX-License-Identifier: MIT */
/*
 * test_slab_debug.c: what kmalloc() and kfree() find with slab_debug.
 */
#include "sim.h"

#include "kvmap/claims.h"
#include "mm/reclaim.h"

#include <criterion/criterion.h>
#include <string.h>

static const unsigned long class_sizes[] = { 8, 16, 32, 64, 96, 128, 192, 256, 512, 1024, 2048, 4096, 8192 };

#define REDZONE 8ul

static struct kmem_cache *cache_of(const void *object)
{
	return kmem_caches[pfn_to_page((u32)(__pa(object) >> PAGE_SHIFT))->cache];
}

Test(slab_debug, a_double_free_is_seen_wherever_the_object_waits)
{
	void *objects[400];

	slab_debug = true;
	kmalloc_disable_fast_path();
	sim_boot(KVMAP_POLICY_STRICT);
	for (u32 size = 8; size <= 64; size *= 8) {
		for (u32 i = 0; i < 400; i++)
			objects[i] = kmalloc(size, GFP_KERNEL);
		for (u32 i = 0; i < 400; i++)
			kfree(objects[i]);
		cr_assert_eq(kmalloc_status(), KVMAP_OK);
		for (u32 i = 0; i < 400; i++) {
			kfree(objects[i]);
			if (cache_of(objects[i])->object_size) /* its slab is still one */
				cr_assert_eq(kmalloc_status(), KVMAP_REFUSED_DOUBLE_FREE, "%u of size %u", i,
					     size);
			else
				cr_assert(KVMAP_STATUS_IS_REFUSED(kmalloc_status()), "%u of size %u", i,
					  size);
		}
	}
	check_machine();
}

Test(slab_debug, a_write_after_the_free_is_seen_at_the_next_allocation)
{
	struct kmalloc_damage damage;
	u64 *words;

	slab_debug = true;
	kmalloc_disable_fast_path();
	sim_boot(KVMAP_POLICY_STRICT);
	words = kmalloc(128, GFP_KERNEL);
	memset(words, 0, 128);
	kfree(words);
	cr_assert_eq(kmalloc(128, GFP_KERNEL), words);
	cr_assert_eq(kmalloc_damage().address, 0, "nobody wrote");
	kfree(words);
	words[5] = 0x1234;
	cr_assert_eq(kmalloc(128, GFP_KERNEL), words);
	damage = kmalloc_damage();
	cr_assert_eq(damage.address, (unsigned long)&words[5]);
	cr_assert_eq(damage.found, 0x1234);
	cr_assert_eq(damage.expected, 0x6b6b6b6b6b6b6b6b);
	cr_assert_eq(kmalloc_damage().address, 0, "told once");
	check_machine();
}

Test(slab_debug, a_write_to_any_word_of_a_free_object_is_seen)
{
	struct kmalloc_damage damage;

	slab_debug = true;
	kmalloc_disable_fast_path();
	sim_boot(KVMAP_POLICY_STRICT);
	for (u32 i = 0; i < ARRAY_SIZE(class_sizes); i++)
		for (unsigned long at = 0; at < class_sizes[i]; at += 8) {
			char *object = kmalloc(class_sizes[i], GFP_KERNEL),
			     *other = kmalloc(class_sizes[i], GFP_KERNEL);

			kfree(other);
			kfree(object);
			*(u64 *)(void *)(object + at) =
				at % 16 ? 0 : 0x42; /* a link that ends the list, or leads nowhere */
			cr_assert_eq(kmalloc(class_sizes[i], GFP_KERNEL), object);
			damage = kmalloc_damage();
			cr_assert_eq(damage.status, KVMAP_FAILED_FREED_WRITTEN, "%lu of %lu", at,
				     class_sizes[i]);
			cr_assert_eq(damage.object, (unsigned long)object);
			cr_assert_eq(damage.address, (unsigned long)object + at);
			other = kmalloc(class_sizes[i], GFP_KERNEL);
			cr_assert_eq(kmalloc_damage().status, KVMAP_OK);
			kfree(object);
			kfree(other);
		}
	check_machine();
}

Test(slab_debug, a_write_beyond_the_size_is_seen)
{
	struct kmalloc_damage damage;

	slab_debug = true;
	kmalloc_disable_fast_path();
	sim_boot(KVMAP_POLICY_STRICT);
	for (unsigned long size = 1; size < KMALLOC_MAX_CACHE_SIZE; size += size < 300 ? 1 : 123) {
		char *bytes = kzalloc(size, GFP_KERNEL);

		if ((size & (size - 1)) == 0)
			cr_assert_eq(__pa(bytes) % size, 0, "%lu is not aligned", size);
		kfree(bytes);
		cr_assert_eq(kmalloc_damage().status, KVMAP_OK);
		bytes = kmalloc(size, GFP_KERNEL);
		bytes[size] = 7;
		kfree(bytes);
		damage = kmalloc_damage();
		cr_assert_eq(damage.status, KVMAP_FAILED_REDZONE_WRITTEN, "%lu", size);
		cr_assert_eq(damage.object, (unsigned long)bytes);
		cr_assert_eq(damage.address, (unsigned long)bytes + size / 8 * 8);
		bytes = kmalloc(size, GFP_KERNEL);
		bytes = krealloc(bytes, size + 1, GFP_KERNEL);
		bytes[size] = 7;
		kfree(bytes);
		cr_assert_eq(kmalloc_damage().status, KVMAP_OK, "%lu: now it has that byte", size);
	}
	check_machine();
}

static void boot(void)
{
	slab_debug = true;
	kmalloc_disable_fast_path();
	sim_boot(KVMAP_POLICY_STRICT);
}

/* An object that is the last of its slab. */
static char *last_object(unsigned long size)
{
	for (;;) {
		char *object = kmalloc(size, GFP_KERNEL);
		const struct kmem_cache *cache = cache_of(object);

		if (__pa(object) % (PAGE_SIZE << cache->order) == cache->last)
			return object;
	}
}

static void expect_damage(u32 status, const char *object, const char *address)
{
	struct kmalloc_damage damage = kmalloc_damage();

	cr_expect_eq(damage.status, status, "%u", damage.status);
	cr_expect_eq(damage.object, (unsigned long)object);
	cr_expect_eq(damage.address, (unsigned long)address);
}

static u64 *record_of(char *object)
{
	return (u64 *)(void *)(object + cache_of(object)->link + KMALLOC_RECORD_OFFSET);
}

Test(slab_debug, a_redzone_follows_the_last_object_of_a_slab)
{
	boot();
	for (u32 i = 0; i < ARRAY_SIZE(class_sizes); i++) {
		unsigned long size = class_sizes[i] - (class_sizes[i] > 32 ? REDZONE : 0);
		char *object = last_object(size);
		struct kmem_cache *cache = cache_of(object);
		char *slab = object - cache->last;

		for (char *at = object + cache->object_size; at < slab + cache->link; at += 8) {
			*(u64 *)(void *)at = size; /* a requested size, or 0, is no disguise */
			kfree(object);
			expect_damage(KVMAP_FAILED_REDZONE_WRITTEN, object, at);
			cr_assert_eq(kmalloc(size, GFP_KERNEL), object);
			expect_damage(KVMAP_OK, NULL, NULL);
		}
		kfree(object);
	}
	check_machine();
}

Test(slab_debug, an_overwritten_record_is_no_double_free)
{
	static const u64 values[] = { 0, 0x42, 8192, ~0ull, KMALLOC_RECORD(0), KMALLOC_RECORD(100000) };

	boot();
	for (u32 i = 0; i < ARRAY_SIZE(values); i++) {
		char *object = kzalloc(100, GFP_KERNEL);

		*record_of(object) = values[i];
		kfree(object);
		cr_expect_eq(kmalloc_status(), KVMAP_OK);
		expect_damage(KVMAP_FAILED_REDZONE_WRITTEN, object, (char *)record_of(object));
		kfree(object);
		cr_expect_eq(kmalloc_status(), KVMAP_REFUSED_DOUBLE_FREE);
		expect_damage(KVMAP_OK, NULL, NULL);
	}
	check_machine();
}

Test(slab_debug, a_double_free_is_seen_though_the_record_was_overwritten)
{
	char *object, *other;

	boot();
	other = kmalloc(100, GFP_KERNEL);
	object = kmalloc(100, GFP_KERNEL);
	kfree(object);
	kfree(other);
	*record_of(object) = KMALLOC_RECORD(100) + 1;
	kfree(object);
	cr_expect_eq(kmalloc_status(), KVMAP_REFUSED_DOUBLE_FREE);
	expect_damage(KVMAP_FAILED_FREED_WRITTEN, object, (char *)record_of(object));
	check_machine();
}

Test(slab_debug, a_free_object_whose_record_is_of_an_allocated_one_was_written)
{
	char *object;

	boot();
	object = kmalloc(100, GFP_KERNEL);
	kfree(object);
	*record_of(object) = KMALLOC_RECORD(100);
	cr_assert_eq(kmalloc(100, GFP_KERNEL), object);
	expect_damage(KVMAP_FAILED_FREED_WRITTEN, object, (char *)record_of(object));
	check_machine();
}

Test(slab_debug, an_overwritten_link_is_not_followed)
{
	char *first, *second, *third;
	void *wrong[6];

	boot();
	first = kmalloc(64, GFP_KERNEL);
	second = kmalloc(64, GFP_KERNEL);
	third = kmalloc(64, GFP_KERNEL);
	wrong[0] = (void *)0x4141414141414141; /* anywhere */
	wrong[1] = NULL;                       /* the end of the list, too early */
	wrong[2] = first;                      /* itself */
	wrong[3] = third;                      /* an allocated object */
	wrong[4] = first + 8;                  /* not the start of an object */
	wrong[5] = first - PAGE_SIZE;          /* another slab */
	for (u32 i = 0; i < ARRAY_SIZE(wrong); i++) {
		u32 slabs = cache_of(first)->nr_slabs;

		kfree(first);
		*kmem_link(first, cache_of(first)->link) = wrong[i];
		second = kmalloc(64, GFP_KERNEL);
		cr_assert_eq(second, first, "the object itself is good");
		expect_damage(KVMAP_FAILED_FREED_WRITTEN, first, first + cache_of(first)->link);
		check_machine();
		first = kmalloc(64, GFP_KERNEL);
		cr_expect_neq(first, second);
		cr_expect_eq(cache_of(first)->nr_slabs, slabs + 1,
			     "the others of the list are not used again");
		expect_damage(KVMAP_OK, NULL, NULL);
		wrong[2] = first;
		third = kmalloc(64, GFP_KERNEL);
		wrong[3] = third;
		wrong[4] = first + 8;
		wrong[5] = first - PAGE_SIZE;
	}
	check_machine();
}

/* A slab of objects of `size` bytes, all of them free. */
static char *free_slab(unsigned long size)
{
	char *object = kmalloc(size, GFP_KERNEL), *slab;

	slab = object - __pa(object) % (PAGE_SIZE << cache_of(object)->order);
	kfree(object);
	expect_damage(KVMAP_OK, NULL, NULL);
	return slab;
}

/* Every word, whatever is written to it; each is one object's. */
Test(slab_debug, a_slab_is_compared_when_it_goes_back)
{
	static const u64 values[] = { 0, 0x42, KMALLOC_RECORD(8) };

	boot();
	for (u32 i = 0; i < ARRAY_SIZE(class_sizes); i++) {
		const struct kmem_cache *cache = cache_of(free_slab(class_sizes[i]));
		u32 step = cache->order > 1 ? 104 : 8; /* 104 meets all kinds of words */

		for (u32 at = 0; at < PAGE_SIZE << cache->order; at += step)
			for (u32 value = 0; value < ARRAY_SIZE(values); value++) {
				char *slab = free_slab(class_sizes[i]);
				struct kmalloc_damage damage;
				u64 *word = (u64 *)(void *)(slab + at), before = *word;

				*word = values[value];
				reclaim_memory();
				cr_assert_eq(cache_of(slab)->object_size, 0, "the slab is still one");
				damage = kmalloc_damage();
				if (before == values[value])
					continue; /* the link that ends the list */
				cr_assert_eq(damage.status, KVMAP_FAILED_FREED_WRITTEN, "%u of a slab of %s",
					     at, cache->name);
				cr_assert_eq(damage.address, (unsigned long)word);
				cr_assert_eq(damage.found, values[value]);
				cr_assert_eq((damage.object - (unsigned long)slab) % cache->object_size, 0);
				cr_assert_leq(damage.object - (unsigned long)slab, cache->last);
			}
	}
	check_machine();
}

/* A free that leaves too many empty slabs gives its own back; the damage is of another object of that slab. */
Test(slab_debug, a_slab_that_a_free_gives_back_is_compared)
{
	char *objects[4 * (EMPTY_SLABS_KEPT + 1)], *written;
	u32 nr = ARRAY_SIZE(objects);

	boot();
	for (u32 i = 0; i < nr; i++)
		objects[i] = kmalloc(1000, GFP_KERNEL);
	cr_assert_eq(cache_of(objects[0])->per_slab, 4);
	written = objects[nr - 4];
	for (u32 i = 0; i < nr; i++) {
		expect_damage(KVMAP_OK, NULL, NULL);
		kfree(objects[i]);
		if (objects[i] == written)
			written[512] = 7;
	}
	cr_assert_eq(cache_of(written)->object_size, 0, "the slab is still one");
	expect_damage(KVMAP_FAILED_FREED_WRITTEN, written, written + 512);
	check_machine();
}

Test(slab_debug, the_slack_of_a_block_is_a_redzone)
{
	static const struct {
		unsigned long size;
		gfp_t gfp;
	} blocks[] = { { 64, GFP_DMA }, { 100, GFP_DMA32 }, { 8193, GFP_KERNEL }, { 20000, GFP_KERNEL } };

	boot();
	for (u32 i = 0; i < ARRAY_SIZE(blocks); i++) {
		unsigned long size = blocks[i].size;
		char *block = kmalloc(size, blocks[i].gfp);

		cr_assert_not_null(block);
		block[size] = 7;
		kfree(block);
		expect_damage(KVMAP_FAILED_REDZONE_WRITTEN, block, block + size / 8 * 8);
		block = kmalloc(size, blocks[i].gfp);
		block = krealloc(block, size + 1, blocks[i].gfp);
		block[size] = 7;
		kfree(block);
		expect_damage(KVMAP_OK, NULL, NULL);
	}
	check_machine();
}

Test(slab_debug, damage_is_reported_to_the_cpu_that_finds_it)
{
	struct kmalloc_damage damage;
	u64 *words;

	slab_debug = true;
	kmalloc_disable_fast_path();
	sim_boot(KVMAP_POLICY_STRICT);
	arch_nr_cpus = 2;
	words = kmalloc(128, GFP_KERNEL);
	words[16] = 7;
	kfree(words);
	sim_cpu_stop();
	sim_cpu_start(1);
	kfree(kmalloc(128, GFP_KERNEL));
	damage = kmalloc_damage();
	cr_assert_eq(damage.status, KVMAP_OK);
	sim_cpu_stop();
	sim_cpu_start(0);
	damage = kmalloc_damage();
	cr_assert_eq(damage.status, KVMAP_FAILED_REDZONE_WRITTEN);
	cr_assert_eq(damage.object, (unsigned long)words);
	check_machine();
}

/* A CPU that waits for a lock cannot be held, and the reclaim would wait for it in vain. */
Test(slab_debug, memory_is_reclaimed_without_the_lock)
{
	u64 holds;

	slab_debug = true;
	kmalloc_disable_fast_path();
	sim_boot(KVMAP_POLICY_STRICT);
	arch_nr_cpus = 2;
	for (unsigned long size = 8; size <= KMALLOC_MAX_CACHE_SIZE; size *= 4) {
		void *object, *last = NULL;

		sim_leave_free(3);
		holds = sim_holds;
		while ((object = kmalloc(size, GFP_KERNEL)))
			last = object;
		cr_assert_gt(sim_holds, holds, "size %lu", size);
		holds = sim_holds;
		cr_assert_null(krealloc(last, 4 * size, GFP_KERNEL));
		cr_assert_gt(sim_holds, holds, "size %lu", size);
		cr_assert_eq(sim_holds_locked, 0, "size %lu", size);
		sim_release_held();
	}
	check_machine();
}
