/* SPDX-License-Identifier: MIT */
/*
 * extents.c: where the memory of a stopped VM has data, read once from its files.
 */
#include "view/extents.h"

#include "base/lower_bound.h"

#include <stdlib.h>

int view_learn_data(struct view *view)
{
	struct view_extent extent;

	view_forget_data(view);
	for (uint64_t gpa = 0; view_next_data(view, gpa, UINT64_MAX, &extent.start, &extent.end);
	     gpa = extent.end) {
		if (array_push(&view->extents, extent) < 0) {
			view_forget_data(view);
			return -1;
		}
	}
	view->extents_known = true;
	return 0;
}

void view_forget_data(struct view *view)
{
	free(view->extents.items);
	view->extents.items = NULL;
	view->extents.count = view->extents.capacity = 0;
	view->extents_known = false;
}

/* The first extent that ends above gpa, or NULL. */
static const struct view_extent *extent_from(const struct view *view, uint64_t gpa)
{
	const struct view_extent *items = view->extents.items;
	size_t first = lower_bound(view->extents.count, i, items[i].end <= gpa);

	return first < view->extents.count ? &items[first] : NULL;
}

bool view_is_hole(const struct view *view, uint64_t gpa, uint64_t size)
{
	const struct view_extent *extent = extent_from(view, gpa);

	return view->extents_known && (!extent || (extent->start > gpa && extent->start - gpa >= size));
}

bool extents_next(const struct view *view, uint64_t gpa, uint64_t end, uint64_t *start_out, uint64_t *end_out)
{
	const struct view_extent *extent = extent_from(view, gpa);

	if (!extent || extent->start >= end || gpa >= end)
		return false;
	*start_out = extent->start > gpa ? extent->start : gpa;
	*end_out = extent->end < end ? extent->end : end;
	return true;
}
