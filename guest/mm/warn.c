/* SPDX-License-Identifier: MIT */
/*
 * warn.c: the latest refusal of each CPU.
 */
#include "mm/warn.h"

#include "mm/direct_map.h"
#include "mm/explain.h"
#include "mm/interrupt.h"
#include "mm/roots.h"
#include "mm/shortage.h"

/* By CPU number. */
static struct refusal newest[NR_CPUS];

static struct refusal *newest_here(void)
{
	return &newest[this_cpu_cache() - cpu_caches];
}

static void area_of_range(struct refusal *refusal)
{
	struct vmalloc_address what;

	vmalloc_explain(refusal->addr, false, &what);
	refusal->area = what.start;
	refusal->area_size = what.size;
	refusal->area_caller = what.caller;
}

/* Searches the head of the buddy block that a frame belongs to. */
static void area_of_buddy_block(struct refusal *refusal, u32 pfn)
{
	for (u32 order = 0; order <= MAX_ORDER; order++) {
		u32 head = ALIGN_DOWN(pfn, 1u << order);
		const struct page *page = pfn_to_page(head);

		if (READ_ONCE(page->owner) != PAGE_KMALLOC || page->order < order)
			continue;
		refusal->area = (unsigned long)__va((u64)head << PAGE_SHIFT);
		refusal->area_size = PAGE_SIZE << page->order;
		return;
	}
}

static void area_of_object(struct refusal *refusal, u32 pfn)
{
	const struct kmem_cache *cache = kmem_caches[pfn_to_page(pfn)->cache];
	u64 slab = (u64)pfn << PAGE_SHIFT, offset = __pa((const void *)refusal->addr) - slab;

	refusal->area = (unsigned long)__va(slab + offset - offset % cache->object_size);
	refusal->area_size = cache->object_size;
}

static void area_find(struct refusal *refusal)
{
	u64 pfn = __pa((const void *)refusal->addr) >> PAGE_SHIFT;

	if (is_vmalloc_addr((const void *)refusal->addr))
		area_of_range(refusal);
	else if (pfn < max_pfn && READ_ONCE(pfn_to_page((u32)pfn)->owner) == PAGE_SLAB)
		area_of_object(refusal, (u32)pfn);
	else if (pfn < max_pfn)
		area_of_buddy_block(refusal, (u32)pfn);
}

void refusal_record(u32 status, unsigned long addr, const void *caller)
{
	struct refusal *refusal = newest_here();

	if (!caller)
		return;
	*refusal = (struct refusal){
		.status = status,
		.in_interrupt = in_interrupt(),
		.caller = caller,
		.addr = addr,
	};
	if (addr)
		area_find(refusal);
}

static bool is_unwarned(u32 status, gfp_t gfp)
{
	return gfp & __GFP_NOWARN && (status == KVMAP_REFUSED_NO_MEMORY || status == KVMAP_REFUSED_NO_SPACE ||
				      status == KVMAP_REFUSED_TOO_LARGE);
}

static void limits_set(u32 status, const struct request *request, struct kvmap_limits *limits)
{
	*limits = (struct kvmap_limits){ .wanted = request->bytes };
	switch (status) {
	case KVMAP_REFUSED_TOO_LARGE:
		limits->which = (u8)request->which;
		limits->limit = request->limit;
		break;
	case KVMAP_REFUSED_NO_MEMORY:
		limits->order = request->contiguous ? (u8)get_order(request->bytes) : 0;
		memory_shortage(request->gfp, limits);
		break;
	case KVMAP_REFUSED_NO_SPACE: limits->limit = vmalloc_largest_free(); break;
	default: break;
	}
}

void refusal_record_request(u32 status, unsigned long addr, const void *caller, const struct request *request)
{
	if (!caller || is_unwarned(status, request->gfp))
		return;
	refusal_record(status, addr, caller);
	limits_set(status, request, &newest_here()->limits);
}

bool refusal_take(struct refusal *out)
{
	struct refusal *refusal = newest_here();

	if (!refusal->status)
		return false;
	*out = *refusal;
	refusal->status = 0;
	return true;
}
