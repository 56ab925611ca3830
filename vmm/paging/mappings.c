/* SPDX-License-Identifier: MIT */
/*
 * mappings.c: which of the guest's memory is where in its virtual addresses.
 */
#include "paging/mappings.h"

#include "base/array.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>

struct collection {
	const struct view *view;
	struct mappings *out;
	bool out_of_memory, too_many;
};

static int add(struct collection *collection, const struct core_mapping *mapping)
{
	struct mappings *out = collection->out;
	struct core_mapping *last = out->count ? &out->items[out->count - 1] : NULL;

	if (last && last->gva + last->size == mapping->gva && last->gpa + last->size == mapping->gpa &&
	    last->flags == mapping->flags) {
		last->size += mapping->size;
		return 0;
	}
	collection->too_many = out->count == MAPPINGS_MAX;
	if (collection->too_many)
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

		if (start >= leaf_end)
			break;
		if (add(collection, &(struct core_mapping){ .gva = leaf->gva + (start - leaf->gpa),
							    .gpa = start,
							    .size = end - start,
							    .flags = flags }))
			return 1;
	}
	return 0;
}

int mappings_collect(const struct view *view, const struct walk_mode *mode, struct mappings *out,
		     struct error *error)
{
	struct collection collection = { .view = view, .out = out };
	const struct walk_visitor visitor = { .context = &collection, .leaf = add_leaf };
	int result;

	*out = (struct mappings){ 0 };
	result = walk_range(view, mode, 0, ~0ull, 0, &visitor);
	if (collection.out_of_memory)
		return error_set(error, ERROR_HOST, ENOMEM, 0, "the guest's mappings");
	if (collection.too_many)
		return error_set(error, ERROR_GUEST, 0, mode->root,
				 "the guest maps more than %u separate pieces of memory: damaged tables? "
				 "(--physical does without them)",
				 MAPPINGS_MAX);
	if (result)
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
