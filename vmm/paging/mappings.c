/* SPDX-License-Identifier: MIT */
/*
 * mappings.c: which of the guest's memory is where in its virtual addresses.
 */
#include "paging/mappings.h"

#include "base/array.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>

enum collect_stop { COLLECT_NO_MEMORY = 1, COLLECT_FULL = 2 };

struct collection {
	const struct view *view;
	struct mappings *out;
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
		return COLLECT_FULL;
	return array_push(out, *mapping) < 0 ? COLLECT_NO_MEMORY : 0;
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

int mappings_collect(const struct view *view, const struct walk_mode *mode, struct mappings *out,
		     struct error *error)
{
	struct collection collection = { .view = view, .out = out };
	const struct walk_visitor visitor = { .context = &collection, .leaf = add_leaf };
	int stop;

	*out = (struct mappings){ 0 };
	stop = walk_range(view, mode, 0, ~0ull, 0, &visitor);
	if (stop == COLLECT_NO_MEMORY)
		return error_set(error, ERROR_HOST, ENOMEM, 0, "the guest's mappings");
	if (stop == COLLECT_FULL)
		return error_set(error, ERROR_GUEST, 0, mode->root,
				 "the guest maps more than %u separate pieces of memory: damaged tables? "
				 "(--physical does without them)",
				 MAPPINGS_MAX);
	if (stop)
		return error_set(error, ERROR_GUEST, 0, mode->root,
				 "the guest's tables are more than its memory can hold, so they are damaged "
				 "(--physical does without them)");
	return 0;
}

void mappings_destroy(struct mappings *mappings)
{
	free(mappings->items);
	*mappings = (struct mappings){ 0 };
}
