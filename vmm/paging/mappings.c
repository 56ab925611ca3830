/* SPDX-License-Identifier: MIT */
/*
 * mappings.c: which of the guest's memory is where in its virtual addresses.
 */
#include "paging/mappings.h"

#include "base/array.h"
#include "base/lower_bound.h"
#include "base/page.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>

/* Kernels are in the top 2 GiB of the virtual addresses, since compilers address variables by 32 bits there. */
#define IMAGE_START (~0ull << 31)

/* Tables that are read once more, because they are mapped once more. */
#define REPEATED_TABLES_MAX 128

struct collection {
	const struct view *view;
	struct mappings *out;
	unsigned int repeats_left;
	bool out_of_memory;
};

/* 0 or enum collect_stop. */
static int add(struct collection *collection, const struct core_mapping *mapping)
{
	struct mappings *out = collection->out;
	struct core_mapping *last = out->count ? &out->items[out->count - 1] : NULL;

	if (last && last->gva + last->size == mapping->gva && last->gpa + last->size == mapping->gpa &&
	    last->flags == mapping->flags) {
		last->size += mapping->size;
		return 0;
	}
	if (out->count == MAPPINGS_MAX)
		return 1;
	collection->out_of_memory = array_push(out, *mapping) < 0;
	return collection->out_of_memory;
}

/* The parts of a leaf that are memory. */
static int add_leaf(void *context, const struct walk_leaf *leaf)
{
	struct collection *collection = context;
	const struct view *view = collection->view;
	uint64_t leaf_end = leaf->gpa + leaf->size;
	unsigned int flags = PF_R | (leaf->rights & RIGHT_W ? PF_W : 0) | (leaf->rights & RIGHT_X ? PF_X : 0);

	for (unsigned int i = view_region_from(view, leaf->gpa); i < view->region_count; i++) {
		const struct view_region *region = &view->regions[i];
		uint64_t start = region->gpa > leaf->gpa ? region->gpa : leaf->gpa;
		uint64_t region_end = region->gpa + region->size;
		uint64_t end = region_end < leaf_end ? region_end : leaf_end;
		int stop;

		if (start >= leaf_end)
			break;
		stop = add(collection, &(struct core_mapping){ .gva = leaf->gva + (start - leaf->gpa),
							       .gpa = start,
							       .size = end - start,
							       .flags = flags });
		if (stop)
			return stop;
	}
	return 0;
}

static int add_run(void *context, const struct walk_run *run)
{
	int stop = 0;

	for (unsigned int i = 0; i < run->count && !stop; i++) {
		const struct walk_leaf leaf = walk_run_leaf(run, i);

		stop = add_leaf(context, &leaf);
	}
	return stop;
}

/* A table that is mapped again is read again a number of times; each time costs up to 512 pieces. */
static int skip_table(void *context, const struct walk_table *table)
{
	struct collection *collection = context;
	struct mappings *out = collection->out;

	if (collection->repeats_left) {
		collection->repeats_left--;
		return WALK_ENTER;
	}
	if (!out->repeated || table->gva < out->repeated_gva)
		out->repeated_gva = table->gva;
	out->repeated += PAGE_TABLE_ENTRIES * page_level_size(table->level);
	return 0;
}

static int by_gva(const void *a, const void *b)
{
	uint64_t first = ((const struct core_mapping *)a)->gva,
		 second = ((const struct core_mapping *)b)->gva;

	return first < second ? -1 : first > second;
}

int mappings_collect(const struct view *view, const struct walk_mode *mode, bool image_only,
		     struct mappings *out, struct error *error)
{
	struct collection collection = { .view = view, .out = out, .repeats_left = REPEATED_TABLES_MAX };
	const struct walk_visitor visitor = { .context = &collection, .run = add_run, .again = skip_table };
	int stop;

	*out = (struct mappings){ 0 };
	stop = walk_range(view, mode, IMAGE_START, ~0ull, 0, &visitor);
	if (!image_only && !stop)
		stop = walk_range(view, mode, 0, IMAGE_START - 1, 0, &visitor);
	out->cut_short = stop != 0;
	if (collection.out_of_memory || stop == WALK_NO_MEMORY)
		return error_set(error, ERROR_HOST, ENOMEM, 0, "the guest's mappings");
	if (out->count)
		qsort(out->items, out->count, sizeof(out->items[0]), by_gva);
	return 0;
}

bool mappings_cover(const struct mappings *mappings, uint64_t gva, uint64_t size)
{
	const struct core_mapping *items = mappings->items;
	size_t i = lower_bound(mappings->count, k, items[k].gva + (items[k].size - 1) < gva);

	for (; i < mappings->count && items[i].gva <= gva; i++) {
		uint64_t left = items[i].size - (gva - items[i].gva);

		if (left >= size)
			return true;
		gva += left;
		size -= left;
	}
	return false;
}

void mappings_destroy(struct mappings *mappings)
{
	free(mappings->items);
	*mappings = (struct mappings){ 0 };
}
