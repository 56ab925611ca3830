/* SPDX-License-Identifier: MIT */
/*
 * reader.c: checked access to guest addresses, and the list of damages.
 */
#include "claims/reader.h"

#include "base/page.h"
#include "view/extents.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Bounds the memory that a hostile guest can cost; more damages would not help to find the first cause. */
#define DAMAGES_LISTED 256

static const uint8_t zeros[PAGE_4K];

/* A page that was never used is not read: the host's kernel would allocate it. */
static const uint8_t *used_bytes(const struct view *view, uint64_t gpa, const uint8_t *bytes)
{
	return view_is_hole(view, gpa, PAGE_4K) ? zeros : bytes;
}

/* The bytes of gva's 4K page in a 2M page. view->by_page: requests no other page of it from the view. */
static const uint8_t *bytes_in(const struct reader *reader, const struct reader_page *large, uint64_t gva)
{
	uint64_t offset = gva & (PAGE_2M - PAGE_4K);

	return reader->view->tracks_access
		       ? view_bytes(reader->view, large->gpa + offset, PAGE_4K)
		       : used_bytes(reader->view, large->gpa + offset, large->bytes + offset);
}

/* The bytes of gva's 4K page, or NULL. */
static const uint8_t *page_bytes(struct reader *reader, uint64_t gva)
{
	struct reader_page *large = &reader->large[gva / PAGE_2M % READER_LARGE];
	struct reader_page *small = &reader->small[gva / PAGE_4K % READER_SMALL];
	const struct view_region *region;
	const uint8_t *bytes;
	struct walk walk;
	uint64_t gpa;

	if (small->tag == gva / PAGE_4K + 1)
		return small->bytes;
	if (large->tag == gva / PAGE_2M + 1)
		return bytes_in(reader, large, gva);
	walk_translate(reader->view, reader->mode, gva, &walk);
	if (walk.stop != WALK_MAPPED)
		return NULL;
	if (walk.page_size >= PAGE_2M) {
		gpa = page_round_down(walk.gpa, PAGE_2M);
		region = view_region(reader->view, gpa, PAGE_2M);
		if (region) {
			*large = (struct reader_page){ gva / PAGE_2M + 1, gpa,
						       region->bytes + (gpa - region->gpa) };
			return bytes_in(reader, large, gva);
		}
	}
	gpa = page_round_down(walk.gpa, PAGE_4K);
	bytes = view_bytes(reader->view, gpa, PAGE_4K);
	if (bytes)
		bytes = used_bytes(reader->view, gpa, bytes);
	if (bytes)
		*small = (struct reader_page){ gva / PAGE_4K + 1, gpa, bytes };
	return bytes;
}

bool reader_copy(struct reader *reader, uint64_t gva, void *out, uint64_t size)
{
	uint8_t *to = out;

	while (size) {
		const uint8_t *bytes = page_bytes(reader, gva);
		uint64_t offset = gva % PAGE_4K;
		uint64_t part = size < PAGE_4K - offset ? size : PAGE_4K - offset;

		if (!bytes)
			return false;
		memcpy(to, bytes + offset, part);
		to += part;
		size -= part;
		gva += part; /* may wrap to 0, a page like any other */
	}
	return true;
}

bool reader_is_unused(struct reader *reader, uint64_t gva, uint64_t size)
{
	uint64_t pages = (gva % PAGE_4K + size + PAGE_4K - 1) / PAGE_4K;

	for (gva = page_round_down(gva, PAGE_4K); pages--; gva += PAGE_4K)
		if (page_bytes(reader, gva) != zeros)
			return false;
	return true;
}

bool reader_structure(struct reader *reader, enum claim_type structure, uint64_t gva, uint8_t *out)
{
	return reader_copy(reader, gva, out, layout_size(reader->layout, structure));
}

/* The parts that cannot be read without a root. */
static unsigned int root_parts(enum claim_root root)
{
	switch (root) {
	case ROOT_vmap_area_root:
	case ROOT_vmap_highest: return PART_AREAS;
	case ROOT_free_vmap_area_root: return PART_FREE_RANGES;
	case ROOT_max_pfn:
	case ROOT_mem_map: return PART_STRUCT_PAGES;
	case ROOT_memblock:
	case ROOT_nr_zones:
	case ROOT_held_pages:
	case ROOT_nr_kmem_caches: return PART_OWNERS;
	default: return 0;
	}
}

bool reader_root_copy(struct reader *reader, enum claim_root root, const char *invariant, void *out,
		      uint64_t size)
{
	const struct claim_root_location *location = &reader->layout->roots[root];

	if (size <= location->size && reader_copy(reader, location->gva, out, size))
		return true;
	reader_cut(reader, root_parts(root), invariant, location->gva, 0, "%s: not mapped",
		   layout_root_name(root));
	return false;
}

uint64_t reader_root(struct reader *reader, enum claim_root root, const char *invariant)
{
	uint64_t size = reader->layout->roots[root].size;
	uint8_t copy[8];

	return reader_root_copy(reader, root, invariant, copy, size) ? layout_number(copy, (uint32_t)size)
								     : 0;
}

void reader_damage(struct reader *reader, const char *invariant, uint64_t address, uint64_t value,
		   const char *format, ...)
{
	struct claim_damage damage = {
		.invariant = invariant, .address = address, .value = value, .follows = reader->follows
	};
	va_list arguments;

	if (reader->out->damages.count >= DAMAGES_LISTED)
		return;
	damage.follows &= reader->out->damages.count < DAMAGES_LISTED - 1;
	if (reader->out->damages.count == DAMAGES_LISTED - 1)
		format = "more damages are not listed";
	va_start(arguments, format);
	vsnprintf(damage.what, sizeof(damage.what), format, arguments);
	va_end(arguments);
	(void)reader_push(reader, &reader->out->damages, damage);
}
