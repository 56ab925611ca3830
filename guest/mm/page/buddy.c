/* SPDX-License-Identifier: MIT */
/*
 * buddy.c: free buddy blocks of 2^order frames, aligned to their size. Two free buddies are always merged.
 */
#include "mm/page/buddy.h"

struct zone *zone_of(u32 pfn)
{
	struct zone *zone = zone_highest();

	while (!zone_holds(zone, pfn))
		zone--;
	return zone;
}

static inline void list_add(struct zone *zone, u32 pfn, unsigned int order)
{
	struct free_area *area = &zone->free_area[order];
	struct page *page = pfn_to_page(pfn);
	u32 first = area->first;

	WRITE_ONCE(page->head, PAGE_FREE | order << PAGE_ORDER_SHIFT);
	page->next = first;
	page->prev = 0;
	if (first)
		pfn_to_page(first)->prev = pfn;
	area->first = pfn;
	area->nr_free++;
}

/* Clears owner and links of the struct page, as those of a tail must be. */
static inline void list_remove(struct zone *zone, struct page *page, unsigned int order)
{
	struct free_area *area = &zone->free_area[order];
	u32 next = page->next, prev = page->prev;

	if (prev)
		pfn_to_page(prev)->next = next;
	else
		area->first = next;
	if (next)
		pfn_to_page(next)->prev = prev;
	area->nr_free--;
	WRITE_ONCE(page->head, PAGE_NONE);
	page->next = 0;
	page->prev = 0;
}

void buddy_free(struct zone *zone, u32 pfn, unsigned int order)
{
	struct page *pages = mem_map;

	lockdep_assert_held(&zone->lock);
	while (order < MAX_ORDER) {
		u32 buddy = pfn ^ 1u << order;
		struct page *page = &pages[buddy];

		/* Outside the zone there may be no struct page. A fresh or reserved buddy has no owner. */
		if (!zone_holds(zone, buddy) || READ_ONCE(page->owner) != PAGE_FREE || page->order != order)
			break;
		list_remove(zone, page, order);
		pfn &= buddy;
		order++;
	}
	list_add(zone, pfn, order);
}

/* Order of the largest block that begins at pfn and has at most nr frames. */
static inline unsigned int run_order(u32 pfn, u32 nr)
{
	unsigned int order = (unsigned int)__builtin_ctz(pfn | 1u << MAX_ORDER);
	unsigned int fits = 31 - (unsigned int)__builtin_clz(nr);

	return order < fits ? order : fits;
}

void buddy_free_run(struct zone *zone, u32 pfn, u32 nr)
{
	while (nr) {
		unsigned int order = run_order(pfn, nr);

		buddy_free(zone, pfn, order);
		pfn += 1u << order;
		nr -= 1u << order;
	}
}

void zone_free_blocks(const struct zone *zone, u32 nr_free[MAX_ORDER + 1])
{
	u32 pfn = READ_ONCE(zone->fresh_start);

	for (unsigned int order = 0; order <= MAX_ORDER; order++)
		nr_free[order] = READ_ONCE(zone->free_area[order].nr_free);
	while (pfn < zone->fresh_end) {
		unsigned int order = run_order(pfn, zone->fresh_end - pfn);

		nr_free[order]++;
		pfn += 1u << order;
	}
}

void buddy_expand(struct zone *zone, u32 pfn, unsigned int order, unsigned int found)
{
	lockdep_assert_held(&zone->lock);
	for (; order < found; order++)
		list_add(zone, pfn + (1u << order), order);
}

void buddy_return(struct zone *zone, u32 pfn, u32 nr)
{
	while (nr) {
		unsigned int order = run_order(pfn, nr);

		list_add(zone, pfn, order);
		pfn += 1u << order;
		nr -= 1u << order;
	}
}

u32 buddy_take(struct zone *zone, unsigned int order, unsigned int *order_out)
{
	lockdep_assert_held(&zone->lock);
	for (; order <= MAX_ORDER; order++) {
		u32 pfn = zone->free_area[order].first;

		if (pfn) {
			list_remove(zone, pfn_to_page(pfn), order);
			*order_out = order;
			return pfn;
		}
	}
	return 0;
}
