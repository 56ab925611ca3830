/* SPDX-License-Identifier: MIT */
/*
 * pages.c: mem_map. Holes of sparse memory are skipped: a struct page there is all zero.
 */
#include "claims/reader.h"

#include "base/page.h"

#include <string.h>

/* Progress through mem_map. */
struct sweep {
	struct reader *reader;
	uint64_t next_pfn;   /* all pfns below it have been read */
	uint64_t bytes_left; /* limit on the mapped bytes of mem_map: the size of RAM */
};

static void page_take(struct sweep *sweep, uint64_t pfn, const uint8_t *copy)
{
	const struct claims_layout *layout = sweep->reader->layout;
	struct claim_page page = {
		.pfn = pfn,
		.owner = (uint8_t)layout_value(layout, MEMBER_page_owner, copy),
		.order = (uint8_t)layout_value(layout, MEMBER_page_order, copy),
		.cache = (uint16_t)layout_value(layout, MEMBER_page_cache, copy),
		.next = (uint32_t)layout_value(layout, MEMBER_page_next, copy),
		.unmapped = layout_value(layout, MEMBER_page_unmapped, copy),
		.allocated = layout_value(layout, MEMBER_page_allocated, copy),
	};
	uint64_t vpn = layout_value(layout, MEMBER_page_vpn, copy);

	/* Members of unions. */
	if (page.owner == PAGE_FREE || page.owner == PAGE_SLAB)
		page.prev = (uint32_t)layout_value(layout, MEMBER_page_prev, copy);
	if (page.owner == PAGE_KMALLOC)
		page.requested = (uint32_t)layout_value(layout, MEMBER_page_requested, copy);
	if (page.owner != PAGE_SLAB && vpn)
		page.vaddr = KVMAP_VMALLOC_START + (vpn - 1) * KVMAP_PAGE_SIZE;
	(void)reader_push(sweep->reader, &sweep->reader->out->pages, page);
}

/* Reads the struct pages that overlap [gva, gva + size). */
static void sweep_stretch(struct sweep *sweep, uint64_t gva, uint64_t size)
{
	static const uint8_t zeros[CLAIM_STRUCTURE_MAX];
	struct reader *reader = sweep->reader;
	uint32_t struct_page = layout_size(reader->layout, TYPE_page);
	uint64_t pfn = (gva - reader->mem_map) / struct_page;
	uint64_t end = (gva - reader->mem_map + size + struct_page - 1) / struct_page;
	uint8_t copy[CLAIM_STRUCTURE_MAX];

	if (pfn < sweep->next_pfn)
		pfn = sweep->next_pfn;
	if (end > reader->frame_limit)
		end = reader->frame_limit;
	for (; pfn < end && !reader->out_of_memory; pfn++)
		if (reader_struct_page(reader, pfn, copy) && memcmp(copy, zeros, struct_page) != 0)
			page_take(sweep, pfn, copy);
	sweep->next_pfn = pfn;
}

/* Reads the part of mem_map that one leaf maps. */
static void sweep_leaf(struct sweep *sweep, uint64_t gva, uint64_t gpa, uint64_t size)
{
	const struct view *view = sweep->reader->view;
	uint64_t at = gpa, start, end;

	if (!view_region(view, gpa, size))
		reader_damage(sweep->reader, "V4", gva, gpa, "mem_map: mapped outside RAM");
	while (view_next_data(view, at, gpa + size, &start, &end)) {
		sweep_stretch(sweep, gva + (start - gpa), end - start);
		at = end;
	}
}

/* Bytes from gva to the end of the range that the last struct_page of the walk translates. */
static uint64_t walk_span_left(const struct walk *walk)
{
	uint64_t span;

	if (walk->stop == WALK_MAPPED)
		span = walk->page_size;
	else if (!walk->level_count)
		return UINT64_MAX;
	else
		span = page_level_size(walk->levels[walk->level_count - 1].level);
	return span - (walk->gva & (span - 1));
}

static void sweep_all(struct sweep *sweep, uint64_t size)
{
	struct reader *reader = sweep->reader;
	uint64_t gva = reader->mem_map, span;
	struct walk walk;

	for (bool hole = false; size && !reader->out_of_memory; gva += span, size -= span) {
		walk_translate(reader->view, reader->mode, gva, &walk);
		span = walk_span_left(&walk);
		if (span > size)
			span = size;
		if (walk.stop == WALK_MAPPED) {
			if (span > sweep->bytes_left) {
				reader_damage(reader, "V4", gva, walk.gpa, "mem_map: larger than RAM");
				return;
			}
			sweep->bytes_left -= span;
			sweep_leaf(sweep, gva, walk.gpa, span);
		} else if (!hole) {
			reader_damage(reader, "V4", gva, 0, "mem_map: %s", walk_stop_text(walk.stop));
		}
		hole = walk.stop != WALK_MAPPED;
	}
}

/* max_pfn as claimed, at most the end of the view. */
static uint64_t max_pfn_read(struct reader *reader)
{
	uint64_t claimed = reader_root(reader, ROOT_max_pfn, "V4");
	const struct view *view = reader->view;
	const struct view_region *last = view->region_count ? &view->regions[view->region_count - 1] : NULL;
	uint64_t possible = last ? (last->gpa + last->size) / PAGE_4K : 0;

	if (possible > UINT32_MAX)
		possible = UINT32_MAX; /* pfns are 32-bit in the guest */
	if (claimed <= possible)
		return claimed;
	reader_damage(reader, "V4", reader->layout->roots[ROOT_max_pfn].gva, claimed,
		      "max_pfn: beyond RAM, which ends at frame %llu", (unsigned long long)possible);
	return possible;
}

void read_mem_map(struct reader *reader)
{
	uint64_t address = reader->layout->roots[ROOT_mem_map].gva;
	struct sweep sweep = { .reader = reader, .bytes_left = view_size(reader->view) };
	uint64_t size;

	reader->out->max_pfn = max_pfn_read(reader);
	reader->mem_map = reader_root(reader, ROOT_mem_map, "V4");
	reader->frame_limit = reader->out->max_pfn;
	reader->frames_left = 2 * reader->frame_limit;
	size = reader->frame_limit * layout_size(reader->layout, TYPE_page);
	if (size > UINT64_MAX - reader->mem_map) {
		reader_damage(reader, "V4", address, reader->mem_map,
			      "mem_map: wraps around the address space");
		reader->frame_limit = 0;
		return;
	}
	sweep_all(&sweep, size);
}
