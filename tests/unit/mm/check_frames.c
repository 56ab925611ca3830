/* SPDX-License-Identifier: MIT */
/*
 * check_frames.c: every page frame has one owner, and the counters agree.
 */
#include "check.h"

#include <criterion/criterion.h>
#include <string.h>

void own(struct census *census, u64 pfn, u8 owner)
{
	cr_assert(pfn && pfn < FRAMES, "frame %#lx does not exist", pfn);
	cr_assert_eq(census->owner[pfn], 0, "frame %#lx belongs to %u and %u", pfn, census->owner[pfn],
		     owner);
	census->owner[pfn] = owner;
	census->nr[owner]++;
}

void own_chain(struct census *census, u32 pfn, u64 nr, u8 owner, bool blocks)
{
	for (; nr; nr--) {
		own(census, pfn, owner);
		cr_assert_eq(pfn_to_page(pfn)->owner, owner, "owner in struct page of %#x", pfn);
		cr_assert(pfn_to_page(pfn)->order == 0 || (blocks && pfn_to_page(pfn)->order == 9));
		for (u32 i = 1; i < 1u << pfn_to_page(pfn)->order; i++, nr--) {
			own(census, pfn + i, owner);
			cr_assert_eq(pfn_to_page(pfn + i)->owner, PAGE_NONE, "tail %#x", pfn + i);
		}
		/* The first frame of an area keeps `area` until it is a page table or a slab. */
		cr_assert((u64)pfn_to_page(pfn)->area * 16 < max_pfn << PAGE_SHIFT);
		pfn = pfn_to_page(pfn)->next;
	}
	cr_assert_eq(pfn, 0, "a chain longer than its count");
}

static void check_buddy_blocks(struct census *census, const struct zone *zone, u32 order)
{
	u32 pfn, prev = 0, nr = 0;

	for (pfn = zone->free_area[order].first; pfn; prev = pfn, pfn = pfn_to_page(pfn)->next) {
		u32 i, buddy = pfn ^ 1u << order;

		cr_assert_eq(pfn % (1u << order), 0, "block %#x of order %u is not aligned", pfn, order);
		cr_assert(pfn >= zone->start_pfn && pfn + (1u << order) <= zone->end_pfn,
			  "block outside its zone");
		cr_assert_eq(pfn_to_page(pfn)->owner, PAGE_FREE);
		cr_assert_eq(pfn_to_page(pfn)->order, order);
		cr_assert_eq(pfn_to_page(pfn)->prev, prev);
		cr_assert(order == MAX_ORDER || buddy >= max_pfn || pfn_to_page(buddy)->owner != PAGE_FREE ||
				  pfn_to_page(buddy)->order != order,
			  "buddies %#x and %#x of order %u are both free", pfn, buddy, order);
		own(census, pfn, PAGE_FREE);
		for (i = 1; i < 1u << order; i++) {
			const struct page *tail = pfn_to_page(pfn + i);

			own(census, pfn + i, PAGE_FREE);
			cr_assert(!tail->owner && !tail->order && !tail->next && !tail->prev, "tail %#x",
				  pfn + i);
		}
		nr++;
	}
	cr_assert_eq(nr, zone->free_area[order].nr_free);
}

/* The per-CPU lists of page frames; those of pcp_zero contain zeros. */
void check_pcp(struct census *census)
{
	for (u32 cpu = 0; cpu < NR_CPUS; cpu++) {
		const struct cpu_cache *cache = &cpu_caches[cpu];

		own_chain(census, cache->pcp.first, cache->pcp.nr, PAGE_PCP, false);
		own_chain(census, cache->pcp_zero.first, cache->pcp_zero.nr, PAGE_PCP, false);
		for (u32 pfn = cache->pcp_zero.first; pfn; pfn = pfn_to_page(pfn)->next)
			for (u32 word = 0; word < PAGE_SIZE / sizeof(u64); word++)
				cr_assert_eq(((u64 *)__va((u64)pfn << PAGE_SHIFT))[word], 0,
					     "frame %#x is not zero", pfn);
	}
}

/* Buddy blocks of alloc_pages() and kmalloc(): their struct pages are the only record of them. */
void check_allocated(struct census *census)
{
	u32 pfn, i;

	for (pfn = 1; pfn < max_pfn; pfn++) {
		const struct page *page = pfn_to_page(pfn);

		if (page->owner != PAGE_KMALLOC)
			continue;
		cr_assert_eq(pfn % (1u << page->order), 0, "%#x of order %u is not aligned", pfn,
			     page->order);
		own(census, pfn, PAGE_KMALLOC);
		for (i = 1; i < 1u << page->order; i++) {
			own(census, pfn + i, PAGE_KMALLOC);
			cr_assert_eq(page[i].owner, PAGE_NONE, "tail %#x", pfn + i);
		}
	}
}

void check_zones(struct census *census)
{
	static const struct page nobody;
	u32 z, order, pfn;

	for (z = 0; z < nr_zones; z++) {
		u64 before = census->nr[PAGE_FREE];

		for (order = 0; order <= MAX_ORDER; order++)
			check_buddy_blocks(census, &zones[z], order);
		for (pfn = zones[z].fresh_start; pfn < zones[z].fresh_end; pfn++) {
			own(census, pfn, PAGE_FREE);
			cr_assert_eq(memcmp(pfn_to_page(pfn), &nobody, sizeof(nobody)), 0, "fresh %#x", pfn);
			cr_assert_eq(*(u64 *)__va((u64)pfn << PAGE_SHIFT), 0, "fresh frame %#x is not zero",
				     pfn);
		}
		cr_assert_eq(zones[z].free_pages, census->nr[PAGE_FREE] - before);
	}
}

/* Owns the slabs of a chain; returns their number. empty: NULL for the list of full slabs. */
static u32 own_slabs(struct census *census, const struct kmem_cache *cache, u32 pfn, u32 *empty)
{
	u32 slabs = 0;

	for (u32 prev = 0; pfn; prev = pfn, pfn = pfn_to_page(pfn)->next, slabs++) {
		const struct page *page = pfn_to_page(pfn);

		cr_assert_eq(page->owner, PAGE_SLAB);
		cr_assert_eq(page->order, cache->order);
		cr_assert_eq(page->cache, cache->index);
		cr_assert_eq(page->prev, prev);
		cr_assert_leq(page->nr_objects, cache->per_slab);
		cr_assert_eq(page->nr_objects == 0, empty == NULL, "on the wrong list");
		if (empty)
			*empty += page->nr_objects == cache->per_slab;
		for (u32 i = 0; i < 1u << cache->order; i++)
			own(census, pfn + i, PAGE_SLAB);
	}
	return slabs;
}

static void own_cache(struct census *census, const struct kmem_cache *cache)
{
	u32 empty = 0;

	cr_assert_eq(own_slabs(census, cache, cache->partial, &empty), cache->nr_partial);
	cr_assert_eq(own_slabs(census, cache, cache->full, NULL), cache->nr_slabs - cache->nr_partial);
	cr_assert_eq(cache->nr_empty, empty);
}

/* Checks that a list holds objects of the cache, and counts them. */
static u64 count_list(const struct kmem_cache *cache, const struct kmem_list *list)
{
	void *object;
	u64 nr = 0;

	for (object = list->free; object; object = *kmem_link(object, cache->link), nr++) {
		u64 gpa = __pa(object), slab = ALIGN_DOWN(gpa, PAGE_SIZE << cache->order);

		cr_assert_eq(pfn_to_page((u32)(slab >> PAGE_SHIFT))->cache, cache->index);
		cr_assert_eq((gpa - slab) % cache->object_size, 0, "%s: no object at %#lx", cache->name, gpa);
		cr_assert_lt((gpa - slab) / cache->object_size, cache->per_slab);
	}
	cr_assert_eq(nr, list->nr, "%s: %lu in the list, %u counted", cache->name, nr, list->nr);
	return nr;
}

u64 objects_in_use(const struct kmem_cache *cache)
{
	u64 listed = 0;
	u32 cpu;

	for (u32 pfn = cache->partial; pfn; pfn = pfn_to_page(pfn)->next) {
		const struct page *page = pfn_to_page(pfn);
		char *slab = __va((u64)pfn << PAGE_SHIFT);
		struct kmem_list list = { page->freelist ? slab + (page->freelist - 1) * 8 : NULL,
					  page->nr_objects, 0 };

		listed += count_list(cache, &list);
		cr_assert_eq(__pa(list.free) >> PAGE_SHIFT >> cache->order << cache->order, pfn);
	}

	for (cpu = 0; cpu < NR_CPUS && cache->index; cpu++)
		listed += count_list(cache, &cpu_caches[cpu].objects[cache->index]);
	return (u64)cache->nr_slabs * cache->per_slab - listed;
}

void check_caches(struct census *census, u64 busy)
{
	u32 i;

	for (i = 1; i <= nr_kmem_caches; i++) {
		if (!kmem_caches[i])
			continue;
		cr_assert_eq(kmem_caches[i]->index, i);
		own_cache(census, kmem_caches[i]);
		objects_in_use(kmem_caches[i]);
	}
	cr_assert_eq(objects_in_use(&vmap_area_cache), busy + census->free_ranges);
	cr_assert_eq(objects_in_use(&vm_struct_cache), busy - census->vmap_blocks);
	cr_assert_eq(objects_in_use(&vmap_block_cache), census->vmap_blocks);
}

void check_all_owned(const struct census *census)
{
	u32 m, r;
	u64 pfn;

	for (m = 0; m < memblock.nr_memory; m++) {
		u64 end = (memblock.memory[m].base + memblock.memory[m].size) >> PAGE_SHIFT;

		for (pfn = memblock.memory[m].base >> PAGE_SHIFT; pfn < end; pfn++) {
			bool reserved = false;

			for (r = 0; r < memblock.nr_reserved; r++)
				reserved |= (pfn << PAGE_SHIFT) - memblock.reserved[r].base <
					    memblock.reserved[r].size;
			cr_assert_eq(census->owner[pfn] == 0, reserved, "frame %#lx: owner %u, reserved %d",
				     pfn, census->owner[pfn], reserved);
		}
	}
}
