/* SPDX-License-Identifier: MIT */
/*
 * owners.c: V4. Every frame of RAM has exactly one owner, and its struct page names this owner.
 *
 * The claims are sorted by frame. Two claims that overlap are two owners of a frame, a gap between claims is
 * a frame without an owner; both are findings. Without findings, the claims add up to all of RAM.
 */
#include "verify/check.h"

#include "base/lower_bound.h"

#include <inttypes.h>

/* The owner that the first struct page of a claim of this kind must name. */
static unsigned int expected_owner(enum owner_kind kind)
{
	switch (kind) {
	case OWNER_FREE: return PAGE_FREE;
	case OWNER_TABLE: return PAGE_TABLE;
	case OWNER_AREA:
	case OWNER_LAZY: return PAGE_VMALLOC;
	case OWNER_SLAB: return PAGE_SLAB;
	case OWNER_HELD: return PAGE_HELD;
	case OWNER_PCP: return PAGE_PCP;
	case OWNER_KMALLOC: return PAGE_KMALLOC;
	default: return PAGE_NONE;
	}
}

static void where_owner(struct finding *finding, const struct check *check, const struct keyed *owner)
{
	enum owner_kind kind = OWNER_KIND(owner->tag);

	if (kind == OWNER_AREA || kind == OWNER_LAZY)
		finding_where_area(finding, check,
				   &check->facts->claims->areas.items[OWNER_INDEX(owner->tag)]);
	else
		finding_where(finding, "frame 0x%" PRIx64 " in %s", owner->key, owner_kind_name(kind));
}

/*
 * Whether there is RAM in [start, end): then *first_out is its first frame and *count_out its number of
 * frames.
 */
static bool ram_in(const struct facts *facts, uint64_t start, uint64_t end, uint64_t *first_out,
		   uint64_t *count_out)
{
	uint64_t first = 0, count = 0;

	for (unsigned int i = 0; i < facts->owners.memory_count; i++) {
		uint64_t from = start > facts->owners.memory[i].start ? start : facts->owners.memory[i].start;
		uint64_t to = end < facts->owners.memory[i].end ? end : facts->owners.memory[i].end;

		if (from >= to)
			continue;
		if (!count)
			first = from;
		count += to - from;
	}
	if (count) {
		*first_out = first;
		*count_out = count;
	}
	return count != 0;
}

/*
 * The group of frames without an owner that say that they are an area's: the area that has their address, or else
 * what is mapped there without a gap, in one table. 0: none.
 */
static uint64_t group_of_lost(const struct facts *facts, const struct claim_page *page)
{
	const struct claim_area *area = claims_area_at(facts->claims, page->vaddr);
	const struct leaf *leaf = facts_leaf_at(facts, page->vaddr);

	if (area)
		return group_of_area(area);
	if (!leaf || leaf->level != 1)
		return 0;
	while (leaf > facts->leaves.items && leaf[-1].level == 1 &&
	       leaf[-1].gva + KVMAP_PAGE_SIZE == leaf->gva &&
	       group_of_table(leaf[-1].gva, KVMAP_PAGE_SIZE) == group_of_table(leaf->gva, KVMAP_PAGE_SIZE))
		leaf--;
	return leaf->gva | 1;
}

/* Reports the RAM in [start, end), which has no claim, and of which `page` is what the first struct page says. */
static void report_lost(struct check *check, uint64_t start, uint64_t end, const struct claim_page *page,
			uint64_t group)
{
	struct finding_pages pages = { .cause = "no owner", .group = group };
	struct finding *finding;
	uint64_t first, count;

	if (start >= end || !ram_in(check->facts, start, end, &first, &count))
		return;
	pages.start = first << KVMAP_PAGE_SHIFT;
	pages.size = count << KVMAP_PAGE_SHIFT;
	pages.count = count;
	/* Frames side by side of two areas have two causes. */
	pages.variant = (page ? page->owner : PAGE_NONE) | (unsigned int)(group >> KVMAP_PAGE_SHIFT) << 8;
	pages.object = (struct finding_object){ OBJECT_PHYSICAL, pages.start, pages.start + pages.size };
	finding = finding_new_pages(check, pages.start, &pages);
	finding_claimed(finding, "one owner for every frame of RAM");
	finding_found(finding, "none; its struct page says: %s", page_owner_name(page));
	finding_where(finding, "frame 0x%" PRIx64 ", on no list and in no chain", first);
}

/*
 * Reports the frames of [start, end), which no claim has, each with those after it that say the same, or nothing, as
 * all frames of a block but the first do.
 */
static void check_gap(struct check *check, uint64_t start, uint64_t end)
{
	const struct claims *claims = check->facts->claims;
	const struct claim_page *pages = claims->pages.items, *says = NULL;
	size_t i = lower_bound(claims->pages.count, at, pages[at].pfn < start);
	uint64_t group = 0;

	if (check_lacks(check, PART_AREAS | PART_STRUCT_PAGES | PART_OWNERS))
		return;
	for (; i < claims->pages.count && pages[i].pfn < end; i++) {
		uint64_t of = pages[i].owner == PAGE_VMALLOC ? group_of_lost(check->facts, &pages[i]) : 0;

		if (pages[i].owner == PAGE_NONE || (says && says->owner == pages[i].owner && of == group))
			continue;
		report_lost(check, start, pages[i].pfn, says, group);
		start = pages[i].pfn;
		says = &pages[i];
		group = of;
	}
	report_lost(check, start, end, says, group);
}

/* Frames of one area, or of the slabs of one cache; 0: others. */
static uint64_t group_of_owner(const struct keyed *owner)
{
	enum owner_kind kind = OWNER_KIND(owner->tag);

	return kind == OWNER_AREA || kind == OWNER_LAZY || kind == OWNER_SLAB ? 1ull << 32 | owner->tag : 0;
}

static void check_two_owners(struct check *check, const struct keyed *one, const struct keyed *other)
{
	const uint64_t gpa = other->key << KVMAP_PAGE_SHIFT;
	const struct finding_pages pages = { gpa,
					     KVMAP_PAGE_SIZE,
					     "two owners",
					     OWNER_KIND(one->tag) << 8 | OWNER_KIND(other->tag),
					     .group = group_of_owner(one) ^ group_of_owner(other) << 1,
					     .object = frame_object(gpa) };
	struct finding *finding = finding_new_pages(check, gpa, &pages);

	finding_claimed(finding, "one owner for frame 0x%" PRIx64, other->key);
	finding_found(finding, "%s and %s", owner_kind_name(OWNER_KIND(one->tag)),
		      owner_kind_name(OWNER_KIND(other->tag)));
	where_owner(finding, check, OWNER_KIND(one->tag) == OWNER_AREA ? one : other);
}

static void check_place(struct check *check, const struct keyed *owner)
{
	uint64_t frames = owner_frames(owner), first, count;
	const struct facts *facts = check->facts;
	struct finding *finding;

	if ((ram_in(facts, owner->key, owner->key + frames, &first, &count) && count == frames) ||
	    check_lacks(check, PART_OWNERS))
		return;
	finding = finding_new_frame(check, owner->key << KVMAP_PAGE_SHIFT);
	finding_claimed(finding, "%s of %" PRIu64 " frames", owner_kind_name(OWNER_KIND(owner->tag)), frames);
	finding_found(finding, "not all of it is RAM");
	where_owner(finding, check, owner);
}

/* Checks order and alignment of an allocated buddy block, whose only claim is its struct page. */
static void check_allocated(struct check *check, const struct keyed *owner)
{
	unsigned int order = claims_page(check->facts->claims, owner->key)->order;
	const char *wrong = NULL;
	struct finding *finding;

	if (order > MAX_ORDER)
		wrong = "an order that no block has";
	else if (owner->key & ((1ull << order) - 1))
		wrong = "not aligned to its size";
	if (!wrong)
		return;
	finding = finding_new_frame(check, owner->key << KVMAP_PAGE_SHIFT);
	finding_claimed(finding, "allocated block of order %u", order);
	finding_found(finding, "%s", wrong);
	finding_where(finding, "frame 0x%" PRIx64, owner->key);
}

/* A zone must lie below the limit of its type, on which GFP_DMA and GFP_DMA32 allocations rely. */
static void check_zone_type(struct check *check, uint32_t number)
{
	static const uint64_t limits[ZONE_TYPES] = { ZONE_DMA_END_PFN, ZONE_DMA32_END_PFN, UINT64_MAX };
	const struct claim_zone *zone = &check->facts->claims->zones[number];
	struct finding *finding;

	if (zone->kind < ZONE_TYPES && zone->end_pfn <= limits[zone->kind])
		return;
	finding = finding_new_structure(check, zone->start_pfn << KVMAP_PAGE_SHIFT, number);
	finding_claimed(finding, "zone %" PRIu32 " is of type %" PRIu32, number, zone->kind);
	finding_found(finding, "it ends at frame 0x%" PRIx64, zone->end_pfn);
	finding_where(finding, "zones[%" PRIu32 "]", number);
}

/* A zone must lie in the memory of its NUMA node. */
static void check_zone_node(struct check *check, uint32_t number)
{
	const struct claims *claims = check->facts->claims;
	const struct claim_zone *zone = &claims->zones[number];
	uint64_t end = claims->max_pfn << KVMAP_PAGE_SHIFT, first = 0, behind = 0;
	struct finding *finding;

	if (zone->numa_node < claims->numa_node_count) {
		first = KVMAP_NODE_START(zone->numa_node, claims->numa_node_count, end);
		behind = zone->numa_node + 1 < claims->numa_node_count
				 ? KVMAP_NODE_START(zone->numa_node + 1, claims->numa_node_count, end)
				 : UINT64_MAX;
	}
	if (zone->start_pfn >= first >> KVMAP_PAGE_SHIFT && zone->end_pfn <= behind >> KVMAP_PAGE_SHIFT)
		return;
	finding = finding_new_structure(check, zone->start_pfn << KVMAP_PAGE_SHIFT, number);
	finding_claimed(finding, "zone %" PRIu32 " is of node %" PRIu32 " of %" PRIu32, number,
			zone->numa_node, claims->numa_node_count);
	finding_found(finding, "frames 0x%" PRIx64 " to 0x%" PRIx64, zone->start_pfn, zone->end_pfn);
	finding_where(finding, "zones[%" PRIu32 "]", number);
}

/* Checks the struct page of the first frame of a claim; NULL: all zero. */
static void check_head(struct check *check, const struct keyed *owner, const struct claim_page *page)
{
	enum owner_kind kind = OWNER_KIND(owner->tag);
	uint64_t gpa = owner->key << KVMAP_PAGE_SHIFT;
	unsigned int says = page ? page->owner : PAGE_NONE;
	const struct claim_buddy_block *block = NULL;
	const struct claim_cache *cache = NULL;
	struct finding *finding;

	if (kind == OWNER_FREE)
		block = &check->facts->claims->free_buddy_blocks.items[OWNER_INDEX(owner->tag)];
	if (kind == OWNER_SLAB)
		cache = &check->facts->claims->caches[OWNER_INDEX(owner->tag)];
	if (says == expected_owner(kind) && (!block || page->order == block->order) &&
	    (!cache || (page->order == cache->order && page->cache == cache->index)))
		return;
	if (kind == OWNER_RESERVED && says == PAGE_TABLE)
		return; /* a page table made during boot, in memblock memory */
	if ((kind == OWNER_AREA || kind == OWNER_LAZY) && says == PAGE_NONE &&
	    claims_in_area_buddy_block(check->facts->claims, owner->key))
		return;
	finding = finding_new_pages(
		check, gpa,
		&(struct finding_pages){ gpa, KVMAP_PAGE_SIZE, "head", (unsigned int)kind << 8 | says,
					 .group = group_of_owner(owner), .object = frame_object(gpa) });
	if (block)
		finding_claimed(finding, "on the free list of order %" PRIu32, block->order);
	else if (cache)
		finding_claimed(finding, "a slab of order %" PRIu32 " of cache %" PRIu32, cache->order,
				cache->index);
	else
		finding_claimed(finding, "in %s", owner_kind_name(kind));
	finding_found(finding, "its struct page says: %s, order %u, cache %u", page_owner_name(page),
		      page ? page->order : 0, page ? page->cache : 0);
	where_owner(finding, check, owner);
}

/* Checks the struct page of another frame of a claim. */
static void check_tail(struct check *check, const struct keyed *owner, const struct claim_page *page)
{
	enum owner_kind kind = OWNER_KIND(owner->tag);
	struct finding *finding;

	if (page->owner == PAGE_NONE && kind != OWNER_FRESH)
		return; /* other fields may be left from earlier owners */
	if (page->owner == PAGE_TABLE && kind == OWNER_RESERVED)
		return;
	finding = finding_new_pages(
		check, page->pfn << KVMAP_PAGE_SHIFT,
		&(struct finding_pages){ page->pfn << KVMAP_PAGE_SHIFT, KVMAP_PAGE_SIZE, "tail",
					 (unsigned int)kind << 8 | page->owner,
					 .group = group_of_owner(owner),
					 .object = frame_object(page->pfn << KVMAP_PAGE_SHIFT) });
	finding_claimed(finding, "inside %s from frame 0x%" PRIx64, owner_kind_name(kind), owner->key);
	if (page->owner == PAGE_NONE)
		finding_found(finding, "its struct page was written");
	else
		finding_found(finding, "its struct page says: %s", page_owner_name(page));
	finding_where(finding, "frame 0x%" PRIx64, page->pfn);
}

/*
 * Checks the struct pages of a claim. *next is a cursor into claims->pages; owners must come in order of pfn.
 */
static void check_pages(struct check *check, const struct keyed *owner, size_t *next)
{
	const struct claims *claims = check->facts->claims;
	const struct claim_page *head = NULL;
	uint64_t frames = owner_frames(owner);
	size_t i;

	if (check_lacks(check, PART_STRUCT_PAGES))
		return;
	while (*next < claims->pages.count && claims->pages.items[*next].pfn < owner->key)
		++*next;
	i = *next;
	if (i < claims->pages.count && claims->pages.items[i].pfn == owner->key)
		head = &claims->pages.items[i++];
	check_head(check, owner, head);
	for (; i < claims->pages.count && claims->pages.items[i].pfn - owner->key < frames; i++)
		check_tail(check, owner, &claims->pages.items[i]);
}

/* Reports page-table pages that no entry points to: they are leaked. Damaged tables are left to V6. */
static void check_tables_in_use(struct check *check)
{
	const struct facts *facts = check->facts;

	for (size_t i = 0; i < facts->claims->pages.count && !facts->cut_short; i++) {
		const struct claim_page *page = &facts->claims->pages.items[i];
		uint64_t gpa = page->pfn << KVMAP_PAGE_SHIFT;
		struct finding *finding;

		if (page->owner != PAGE_TABLE || facts_table(facts, gpa, KVMAP_PAGE_SIZE))
			continue;
		finding = finding_new_pages(check, gpa,
					    &(struct finding_pages){ gpa, KVMAP_PAGE_SIZE, "leaked table", 0,
								     .object = frame_object(gpa) });
		finding_claimed(finding, "frame 0x%" PRIx64 " is a page table", page->pfn);
		finding_found(finding, "no entry leads to it");
		finding_where(finding, "frame 0x%" PRIx64, page->pfn);
	}
}

/* Reports RAM that the guest claims and the machine does not have. */
static void check_memory(struct check *check)
{
	const struct facts *facts = check->facts;

	for (unsigned int i = 0; i < facts->owners.memory_count; i++) {
		uint64_t gpa = facts->owners.memory[i].start << KVMAP_PAGE_SHIFT;
		uint64_t frames = facts->owners.memory[i].end - facts->owners.memory[i].start;
		struct finding *finding;

		check->result->checked += frames;
		if (view_covers(facts->view, gpa, frames << KVMAP_PAGE_SHIFT))
			continue;
		finding = finding_new(check, gpa);
		finding_claimed(finding, "0x%" PRIx64 " frames of RAM", frames);
		finding_found(finding, "the machine has no such memory");
		finding_where(finding, "memblock.memory");
	}
}

static bool is_allocated(const struct claim_page *page)
{
	return page->owner == PAGE_KMALLOC;
}

/* The block whose weight is the difference of the two sums, or NULL. */
static const struct claim_page *block_weighing(const struct claims *claims, uint64_t weight)
{
	for (size_t i = 0; i < claims->pages.count; i++) {
		const struct claim_page *page = &claims->pages.items[i];

		if (is_allocated(page) && BUDDY_BLOCK_WEIGHT(page->order, page->pfn) == weight)
			return page;
	}
	return NULL;
}

/*
 * Allocated buddy blocks are on no list. Compares the sum of the weights of all blocks that struct pages name
 * as allocated with the sum that the guest keeps.
 */
static void check_blocks_sum(struct check *check)
{
	const struct claims *claims = check->facts->claims;
	const struct claim_page *page;
	struct finding *finding;
	uint64_t sum = 0;

	if (check_lacks(check, PART_STRUCT_PAGES))
		return;
	for (size_t i = 0; i < claims->pages.count; i++)
		if (is_allocated(&claims->pages.items[i]))
			sum += BUDDY_BLOCK_WEIGHT(claims->pages.items[i].order, claims->pages.items[i].pfn);
	if (sum == claims->buddy_blocks_sum)
		return;
	page = block_weighing(claims, sum - claims->buddy_blocks_sum);
	finding = page ? finding_new_frame(check, page->pfn << KVMAP_PAGE_SHIFT) : finding_new(check, 0);
	finding_claimed(finding,
			"the blocks that alloc_pages() has allocated, and no other (sum 0x%" PRIx64 ")",
			claims->buddy_blocks_sum);
	if (page)
		finding_found(finding, "frame 0x%" PRIx64 " is not one of them", page->pfn);
	else
		finding_found(finding, "struct pages that say so come to 0x%" PRIx64, sum);
	finding_where(finding, page ? "a block of order %u" : "mem_map", page ? page->order : 0);
}

void check_owners(struct check *check)
{
	const struct keyed_array *owners = &check->facts->owners.list;
	const struct keyed *last = NULL; /* of the claims before, the one with the highest end */
	uint64_t end = 0;
	size_t next_page = 0;

	check_memory(check);
	for (uint32_t i = 0; i < check->facts->claims->zone_count; i++) {
		check_zone_type(check, i);
		check_zone_node(check, i);
	}
	for (size_t i = 0; i < owners->count; i++) {
		const struct keyed *owner = &owners->items[i];

		if (last && owner->key < end)
			check_two_owners(check, last, owner);
		else
			check_gap(check, end, owner->key);
		check_place(check, owner);
		if (OWNER_KIND(owner->tag) == OWNER_FREE)
			check_free_block(check, owner);
		if (i)
			check_buddies(check, owner - 1, owner);
		if (OWNER_KIND(owner->tag) == OWNER_KMALLOC)
			check_allocated(check, owner);
		check_pages(check, owner, &next_page);
		if (!last || owner->key + owner_frames(owner) > end) {
			end = owner->key + owner_frames(owner);
			last = owner;
		}
	}
	check_gap(check, end, UINT64_MAX);
	check_placement(check);
	check_requested_objects(check);
	check_tables_in_use(check);
	check_blocks_sum(check);
	check_fresh(check);
}
