/* SPDX-License-Identifier: MIT */
/*
 * bugs_lists.c: bugs of free lists, of what CPUs and caches keep, of objects, and of the limits of a request.
 */
#include "bugs_parts.h"

#include "arch/x86_64/pgtable.h"
#include "kvmap/operation.h"
#include "mm/arch.h"
#include "mm/page/buddy.h"
#include "mm/slab/kmalloc.h"
#include "mm/slab/slab.h"
#include "mm/vmalloc/vmap.h"

u32 __wrap_frames_alloc_chain_placed(gfp_t gfp, u32 nr, enum page_owner owner);
u32 __real_frames_alloc_chain_placed(gfp_t gfp, u32 nr, enum page_owner owner);

int __wrap_arch_map_pages(unsigned long va, struct page *const *pages, u32 nr, enum pgprot prot, u32 *table);
int __real_arch_map_pages(unsigned long va, struct page *const *pages, u32 nr, enum pgprot prot, u32 *table);

static bool ignore_zone, ignore_node, swap_next_pages;

/* The last frame of the chain that begins with `first`. */
static struct page *chain_last(u32 first)
{
	struct page *last = pfn_to_page(first);

	while (last->next)
		last = pfn_to_page(last->next);
	return last;
}

/* Half of the frames from each of two nodes. */
static u32 alloc_from_both(gfp_t gfp, u32 nr, enum page_owner owner)
{
	u32 first = __real_frames_alloc_chain_placed(gfp | 1u << GFP_NODE_SHIFT, nr / 2, owner);
	u32 second = __real_frames_alloc_chain_placed(gfp | 2u << GFP_NODE_SHIFT, nr - nr / 2, owner);

	if (!first || !second)
		return 0;
	chain_last(first)->next = second;
	return first;
}

u32 __wrap_frames_alloc_chain_placed(gfp_t gfp, u32 nr, enum page_owner owner)
{
	bool both = ignore_node;

	if (ignore_zone)
		gfp &= ~(gfp_t)(__GFP_DMA | __GFP_DMA32);
	ignore_zone = ignore_node = false;
	return both ? alloc_from_both(gfp, nr, owner) : __real_frames_alloc_chain_placed(gfp, nr, owner);
}

/* The first two pages of the next mapping are swapped. */
int __wrap_arch_map_pages(unsigned long va, struct page *const *pages, u32 nr, enum pgprot prot, u32 *table)
{
	struct page *swapped[2];

	if (!swap_next_pages || nr != ARRAY_SIZE(swapped))
		return __real_arch_map_pages(va, pages, nr, prot, table);
	swap_next_pages = false;
	swapped[0] = pages[1];
	swapped[1] = pages[0];
	return __real_arch_map_pages(va, swapped, nr, prot, table);
}

/* Gives back a block of two frames as two blocks. */
u32 unmerged_buddies(void)
{
	struct zone *zone;
	u32 pfn = frames_alloc(1, PAGE_HELD);

	if (!pfn)
		return KVMAP_REFUSED_NO_MEMORY;
	zone = zone_of(pfn);
	pfn_to_page(pfn)->head = PAGE_NONE;
	buddy_return(zone, pfn, 1);
	buddy_return(zone, pfn + 1, 1);
	frames_count_free(zone, 2);
	return KVMAP_OK;
}

/* Gives back a range, and does not merge it with the free range after it. */
u32 touching_ranges(void)
{
	u32 status;
	struct vmap_area *first = vmap_free_take(2 * PAGE_SIZE, &status), *second;

	second = first ? vmap_free_take(2 * PAGE_SIZE, &status) : NULL;
	if (!second)
		return status;
	/* With a page between them they do not merge. */
	first->va_end -= PAGE_SIZE;
	vmap_free_put(first);
	vmap_free_put(second);
	first->va_end += PAGE_SIZE;
	first->subtree_max_size += PAGE_SIZE;
	return first->rb_node.rb_left || first->rb_node.rb_right ? KVMAP_REFUSED_NOT_AN_AREA : KVMAP_OK;
}

/* The first page of an area is uncached, and its frame is cached in the direct map. */
u32 memory_type(void)
{
	volatile u64 *pte = pte_of(live_area(0)->va_start);

	*pte |= 1u << 4; /* PCD */
	return KVMAP_OK;
}

/* An area has a page more than was requested. */
u32 pages_short(void)
{
	live_area(0)->vm->requested_size -= PAGE_SIZE;
	return KVMAP_OK;
}

/* The next request's zones are ignored. */
u32 zone_ignored(void)
{
	ignore_zone = true;
	return KVMAP_OK;
}

/* The next request with a zone or node gets frames of two nodes. */
u32 node_ignored(void)
{
	ignore_node = true;
	return KVMAP_OK;
}

/* Takes a free object of kmalloc() off this CPU's list, and loses it. */
u32 lost_object(void)
{
	for (u32 i = 1; i <= KMALLOC_CLASSES; i++)
		if (kmem_list_take(&this_cpu_cache()->objects[i], 0))
			return KVMAP_OK;
	return KVMAP_REFUSED_NOT_AN_AREA;
}

u32 lost_vm_struct(void)
{
	return kmem_cache_alloc(&vm_struct_cache) ? KVMAP_OK : KVMAP_REFUSED_NO_MEMORY;
}

/* Takes a cached range of one page off its list, and loses it. */
u32 lost_range(void)
{
	return vmap_cached_take(1) ? KVMAP_OK : KVMAP_REFUSED_NOT_AN_AREA;
}

u32 cached_off(void)
{
	this_cpu_cache()->cached[1].nr++;
	return KVMAP_OK;
}

u32 empty_off(void)
{
	for (u32 i = 1; i <= KMALLOC_CLASSES; i++)
		if (kmem_caches[i]) {
			kmem_caches[i]->nr_empty++;
			return KVMAP_OK;
		}
	return KVMAP_REFUSED_NOT_AN_AREA;
}

u32 lazy_off(void)
{
	this_cpu_cache()->lazy.pages++;
	return KVMAP_OK;
}

u32 pages_swapped(void)
{
	swap_next_pages = true;
	return KVMAP_OK;
}

/* A byte that the script's area has gained with zeros is not zero. */
u32 zeros_left_out(void)
{
	const struct vmap_area *va = live_area(0);

	((u8 *)va->vm->addr)[va->vm->requested_size - 1] = 0xaa;
	return KVMAP_OK;
}

/* A CPU keeps more frames than it may. */
u32 hoarded_frames(void)
{
	struct per_cpu_pages *pcp = &this_cpu_cache()->pcp;

	while (pcp->nr <= PCP_HIGH) {
		u32 pfn = frames_alloc_chain(PCP_HIGH, PAGE_PCP);

		if (!pfn)
			return KVMAP_REFUSED_NO_MEMORY;
		chain_last(pfn)->next = pcp->first;
		pcp->first = pfn;
		pcp->nr += PCP_HIGH;
	}
	return KVMAP_OK;
}
