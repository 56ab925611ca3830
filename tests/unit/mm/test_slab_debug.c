/* SPDX-License-Identifier: MIT */
/*
 * test_slab_debug.c: what kmalloc() and kfree() find with slab_debug.
 */
#include "sim.h"

#include <criterion/criterion.h>
#include <string.h>

static const unsigned long class_sizes[] = { 8, 16, 32, 64, 96, 128, 192, 256, 512, 1024, 2048, 4096, 8192 };

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
