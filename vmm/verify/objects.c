/* SPDX-License-Identifier: MIT */
/*
 * objects.c: V13, of objects in use: in a slab, and on no free list. In the caches vmap_area and vm_struct they are the
 * nodes of the two trees and their vm_structs; those of kmalloc() add up to the sum that each CPU keeps.
 */
#include "verify/check.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const struct claim_cache *cache_named(const struct claims *claims, const char *name)
{
	for (uint32_t i = 0; i < claims->cache_count; i++)
		if (!strcmp(claims->caches[i].name, name))
			return &claims->caches[i];
	return NULL;
}

static void compare_in_use(struct check *check, const char *name, uint64_t reachable)
{
	const struct claim_cache *cache = cache_named(check->facts->claims, name);
	uint64_t in_use = cache ? claim_cache_objects(cache) - cache->free_objects : 0;
	struct finding *finding;

	if (!cache)
		return;
	check->result->checked++;
	if (in_use == reachable)
		return;
	finding = finding_new(check, 0);
	finding_claimed(finding, "%" PRIu64 " objects of cache %s in use", in_use, name);
	finding_found(finding, "%" PRIu64 " can be reached", reachable);
	finding_where(finding, "cache %s", name);
}

/* The vm_structs that the busy tree leads to, each once; UINT64_MAX when memory is out. */
static uint64_t count_vm_structs(const struct claims *claims)
{
	struct keyed_array found = { 0 };
	uint64_t count = 0;
	bool failed = false;

	for (size_t i = 0; i < claims->busy_tree.count && !failed; i++) {
		struct keyed item = { .key = claims->busy_tree.items[i].vm };

		failed = item.key && array_push(&found, item) < 0;
	}
	failed = failed || keyed_sort(&found) < 0;
	for (size_t i = 0; i < found.count; i++)
		count += !i || found.items[i].key != found.items[i - 1].key;
	free(found.items);
	return failed ? UINT64_MAX : count;
}

static void check_descriptors(struct check *check)
{
	const struct claims *claims = check->facts->claims;
	uint64_t vm_structs;

	if (check_lacks(check, PART_AREAS | PART_FREE_RANGES | PART_OWNERS | PART_OBJECTS))
		return;
	vm_structs = count_vm_structs(claims);
	if (vm_structs == UINT64_MAX) {
		check->no_memory = true;
		return;
	}
	compare_in_use(check, "vmap_area", claims->busy_tree.count + claims->free_tree.count);
	compare_in_use(check, "vm_struct", vm_structs);
}

/* The sum of the addresses of all objects in the cache's slabs. */
static uint64_t sum_of_slabs(const struct claims *claims, const struct claim_cache *cache)
{
	uint64_t objects = cache->object_size ? claim_slab_bytes(cache) / cache->object_size : 0, sum = 0;

	for (size_t i = 0; i < cache->frame_count && objects; i++) {
		uint64_t pfn = claims->frames.items[cache->first_frame + i];

		sum += objects * (KVMAP_DIRECT_BASE + (pfn << KVMAP_PAGE_SHIFT)) +
		       cache->object_size * (objects * (objects - 1) / 2);
	}
	return sum;
}

/* Whether there is an object of kmalloc() at the address. */
static const struct claim_cache *cache_of_object(const struct claims *claims, uint64_t gva)
{
	for (uint32_t i = 0; i < claims->cache_count; i++) {
		const struct claim_cache *cache = &claims->caches[i];

		for (size_t slab = 0; claim_is_kmalloc(cache) && slab < cache->frame_count; slab++) {
			uint64_t pfn = claims->frames.items[cache->first_frame + slab];
			uint64_t offset = gva - (KVMAP_DIRECT_BASE + (pfn << KVMAP_PAGE_SHIFT));

			if (offset < claim_slab_bytes(cache) && offset % cache->object_size == 0)
				return cache;
		}
	}
	return NULL;
}

static void check_kmalloc(struct check *check)
{
	const struct claims *claims = check->facts->claims;
	const struct claim_cache *lost, *twice;
	uint64_t sum = 0, objects = 0;
	struct finding *finding;

	if (check_lacks(check, PART_OWNERS | PART_OBJECTS))
		return;
	for (uint32_t i = 0; i < claims->cache_count; i++) {
		const struct claim_cache *cache = &claims->caches[i];

		if (!claim_is_kmalloc(cache))
			continue;
		sum += sum_of_slabs(claims, cache) - cache->free_sum;
		objects += claim_cache_objects(cache) - cache->free_objects;
	}
	check->result->checked++;
	if (sum == claims->kmalloc_sum)
		return;
	lost = cache_of_object(claims, sum - claims->kmalloc_sum);
	twice = cache_of_object(claims, claims->kmalloc_sum - sum);
	finding = finding_new(check, lost    ? sum - claims->kmalloc_sum
				     : twice ? claims->kmalloc_sum - sum
					     : 0);
	finding_claimed(finding, "the objects in use are those that kmalloc() gave and kfree() did not take");
	if (lost)
		finding_found(finding, "this one is on no free list, and is not one of them");
	else if (twice)
		finding_found(finding, "this one is one of them, and on a free list");
	else
		finding_found(finding,
			      "%" PRIu64 " objects on no free list, and others (sum 0x%" PRIx64
			      ", claimed 0x%" PRIx64 ")",
			      objects, sum, claims->kmalloc_sum);
	finding_where(finding, "cache %s", lost ? lost->name : twice ? twice->name : "kmalloc");
}

void check_objects_in_use(struct check *check)
{
	check_descriptors(check);
	check_kmalloc(check);
}
