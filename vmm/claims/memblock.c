/* SPDX-License-Identifier: MIT */
/*
 * memblock.c: RAM by the boot information, and the regions of it that the page allocator never owns.
 */
#include "claims/reader.h"

#include "base/page.h"

struct region_list {
	const char *name;
	enum claim_type count, array; /* members of struct memblock */
	struct claim_region *out;
	uint32_t *out_count;
};

/* A region that wraps or is not whole pages is a damage and is left out. */
static void region_take(struct reader *reader, const struct region_list *list, const uint8_t *copy)
{
	const struct claims_layout *layout = reader->layout;
	uint64_t address = layout->roots[ROOT_memblock].gva;
	struct claim_region region = {
		.base = layout_value(layout, MEMBER_memblock_region_base, copy),
		.size = layout_value(layout, MEMBER_memblock_region_size, copy),
		.kind = (uint32_t)layout_value(layout, MEMBER_memblock_region_kind, copy),
	};
	const struct claim_region *before = *list->out_count ? &list->out[*list->out_count - 1] : NULL;

	if (!region.size)
		return;
	if ((region.base | region.size) % PAGE_4K || region.size > UINT64_MAX - region.base) {
		reader_cut(reader, PART_OWNERS, "V4", address, region.base,
			   "memblock.%s: region is not whole pages, or wraps", list->name);
		return;
	}
	if (before && region.base < before->base + before->size)
		reader_damage(reader, "V4", address, region.base,
			      "memblock.%s: not sorted, or regions overlap", list->name);
	list->out[(*list->out_count)++] = region;
}

static void list_read(struct reader *reader, const struct region_list *list, const uint8_t *copy)
{
	const struct claims_layout *layout = reader->layout;
	uint32_t most = layout_elements(layout, TYPE_memblock_region, layout->types[list->array].size);
	uint64_t count = layout_value(layout, list->count, copy);

	if (count > most) {
		reader_cut(reader, PART_OWNERS, "V4", layout->roots[ROOT_memblock].gva, count,
			   "memblock.%s: more regions than fit into the array", list->name);
		count = most;
	}
	copy += layout->types[list->array].offset;
	for (uint64_t i = 0; i < count; i++)
		region_take(reader, list, copy + i * layout_size(layout, TYPE_memblock_region));
}

void read_memblock(struct reader *reader)
{
	struct claims *out = reader->out;
	uint8_t copy[CLAIM_STRUCTURE_MAX];
	const struct region_list memory = {
		"memory", MEMBER_memblock_nr_memory, MEMBER_memblock_memory, out->memory, &out->memory_count,
	};
	const struct region_list reserved = {
		"reserved",    MEMBER_memblock_nr_reserved, MEMBER_memblock_reserved,
		out->reserved, &out->reserved_count,
	};

	if (!reader_root_copy(reader, ROOT_memblock, "V4", copy, layout_size(reader->layout, TYPE_memblock)))
		return;
	list_read(reader, &memory, copy);
	list_read(reader, &reserved, copy);
}
