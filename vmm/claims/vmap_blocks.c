/* SPDX-License-Identifier: MIT */
/*
 * vmap_blocks.c: the vmap blocks of vm_map_ram(). Each mapping in one is an area, live or lazily freed; what
 * is left between them is a cached range.
 */
#include "claims/reader.h"

#include "base/page.h"

#define PAGES(count) ((count)*PAGE_4K)

struct vmap_block {
	uint64_t gva; /* of the vmap_block */
	uint64_t va_start;
	uint32_t used, nr, dirty;          /* as claimed */
	uint32_t mappings, slots_unmapped; /* as read */
	uint64_t unmapped;                 /* flush generation when its range was last unmapped */
};

static void cached_range_add(struct reader *reader, uint64_t start, uint64_t end)
{
	struct claim_cached_range range = { .va_start = start, .va_end = end };

	if (start < end)
		(void)reader_push(reader, &reader->out->cached_ranges, range);
}

/* Reads the mapping at a slot. Returns the slot after it, or VMAP_BLOCK_SLOTS + 1 and a damage. */
static uint32_t map_take(struct reader *reader, struct vmap_block *block,
			 const struct vmap_area_fields *fields, uint32_t slot)
{
	const struct claims_layout *layout = reader->layout;
	uint64_t gva = block->gva + layout_size(layout, TYPE_vmap_block) +
		       (uint64_t)slot * layout_size(layout, TYPE_vmap_block_map);
	struct claim_area area = { .flags = VM_MAP | VM_MAP_RAM, .vmap_area = fields->area.vmap_area };
	uint8_t copy[CLAIM_STRUCTURE_MAX];
	uint64_t pages, state;

	if (!reader_structure(reader, TYPE_vmap_block_map, gva, copy)) {
		reader_cut(reader, PART_AREAS, "V8", block->gva, gva, "vmap_block.maps: not in RAM");
		return VMAP_BLOCK_SLOTS + 1;
	}
	pages = layout_value(layout, MEMBER_vmap_block_map_nr_pages, copy);
	state = layout_value(layout, MEMBER_vmap_block_map_state, copy);
	if (!pages || pages > VMAP_BLOCK_PAGES_MAX || VMAP_SLOTS(pages) > block->used - slot) {
		reader_cut(reader, PART_AREAS, "V8", gva, pages,
			   "vmap_block_map.nr_pages: 0, or more than fit into the block");
		return VMAP_BLOCK_SLOTS + 1;
	}
	if (state != VMAP_LIVE && state != VMAP_LAZY)
		reader_damage(reader, "V8", gva, state, "vmap_block_map.state: unknown");
	area.state = state == VMAP_LIVE ? AREA_LIVE : AREA_LAZY;
	area.addr = area.va_start = block->va_start + slot * PAGES(2);
	area.size = PAGES(pages + KVMAP_GUARD_PAGES);
	area.va_end = area.va_start + area.size;
	area.requested_size = PAGES(pages);
	area.nr_pages = (uint32_t)pages;
	area.caller = layout_value(layout, MEMBER_vmap_block_map_caller, copy);
	area.frames_sum = layout_value(layout, MEMBER_vmap_block_map_frames_sum, copy);
	if (area.state == AREA_LIVE) {
		area.allocated = layout_value(layout, MEMBER_vmap_block_map_allocated, copy);
		area.unmapped = block->unmapped;
	} else {
		area.unmapped = layout_value(layout, MEMBER_vmap_block_map_unmapped, copy);
	}
	slot += VMAP_SLOTS((uint32_t)pages);
	cached_range_add(reader, area.va_end, block->va_start + slot * PAGES(2));
	block->mappings++;
	if (area.state == AREA_LIVE) {
		(void)reader_push(reader, &reader->out->areas, area);
	} else {
		block->slots_unmapped += VMAP_SLOTS(area.nr_pages);
		reader->out->unpurged++;
		(void)reader_push(reader, &reader->unmapped, area);
	}
	return slot;
}

/* Compares the counters with what was read. Unused slots count as dirty once no CPU maps in the block. */
static void counts_check(struct reader *reader, const struct vmap_block *block)
{
	uint32_t rest = VMAP_BLOCK_DIRTY - block->used;

	if (block->nr != block->mappings)
		reader_damage(reader, "V13", block->gva, block->nr,
			      "vmap_block.nr: not the number of mappings");
	if (block->dirty != block->slots_unmapped && block->dirty != block->slots_unmapped + rest)
		reader_damage(reader, "V13", block->gva, block->dirty,
			      "vmap_block.dirty: not the number of unmapped slots");
}

void vmap_block_take(struct reader *reader, const struct vmap_area_fields *fields)
{
	const struct claims_layout *layout = reader->layout;
	struct vmap_block block = { .gva = fields->vmap_block, .unmapped = fields->area.unmapped };
	uint8_t copy[CLAIM_STRUCTURE_MAX];
	uint32_t slot = 0;

	if (fields->vmap_block % 8 || !reader_structure(reader, TYPE_vmap_block, fields->vmap_block, copy)) {
		reader_cut(reader, PART_AREAS, "V8", fields->area.vmap_area, fields->vmap_block,
			   "vmap_area.vmap_block: does not point to a vmap_block in RAM");
		return;
	}
	block.va_start = layout_value(layout, MEMBER_vmap_block_va_start, copy);
	block.dirty = (uint32_t)layout_value(layout, MEMBER_vmap_block_dirty, copy);
	block.used = (uint32_t)layout_value(layout, MEMBER_vmap_block_used, copy);
	block.nr = (uint32_t)layout_value(layout, MEMBER_vmap_block_nr, copy);
	if (block.va_start != fields->area.va_start || block.va_start % VMAP_BLOCK_SIZE ||
	    fields->area.va_end - block.va_start != VMAP_BLOCK_SIZE || block.used > VMAP_BLOCK_SLOTS ||
	    layout_value(layout, MEMBER_vmap_block_va, copy) != fields->area.vmap_area) {
		reader_cut(reader, PART_AREAS, "V8", fields->area.vmap_area, fields->vmap_block,
			   "vmap_block: does not belong to its vmap_area");
		return;
	}
	while (slot < block.used && !reader->out_of_memory)
		slot = map_take(reader, &block, fields, slot);
	if (slot > block.used)
		return; /* damaged */
	counts_check(reader, &block);
	cached_range_add(reader, block.va_start + slot * PAGES(2), fields->area.va_end);
}
