/* SPDX-License-Identifier: MIT */
#include "inspect/diff_sums.h"

#include "base/page.h"

static bool mapped_alike(const struct diff_page *one, const struct diff_page *other)
{
	return one->page_size == other->page_size && one->rights == other->rights &&
	       one->pat_index == other->pat_index;
}

bool diff_range_continues(const struct diff_range *last, const struct diff_range *next)
{
	return last->gva + last->size == next->gva && last->changes == next->changes &&
	       mapped_alike(&last->before, &next->before) && mapped_alike(&last->after, &next->after);
}

struct diff_range diff_range_moved(const struct diff_range *range, uint64_t distance)
{
	struct diff_range moved = *range;

	moved.gva += distance;
	return moved;
}

/* Joins the range to the last one or counts it; not its pages. */
static void join(struct diff_sums *sums, const struct diff_range *range)
{
	if (sums->range_count && diff_range_continues(&sums->last, range)) {
		sums->last.size += range->size;
	} else {
		sums->range_count++;
		sums->last = *range;
	}
	if (sums->range_count == 1)
		sums->first = sums->last;
}

void diff_sums_add_range(struct diff_sums *sums, const struct diff_range *range)
{
	uint64_t pages = range->size / PAGE_4K;

	join(sums, range);
	sums->pages += pages;
	for (unsigned int i = 0; i < DIFF_CHANGES; i++)
		sums->by_change[i] += range->changes & 1u << i ? pages : 0;
}

void diff_sums_add(struct diff_sums *sums, const struct diff_sums *below, uint64_t gva)
{
	struct diff_range first = diff_range_moved(&below->first, gva - below->base);

	if (below->range_count)
		join(sums, &first);
	if (below->range_count > 1) {
		sums->range_count += below->range_count - 1;
		sums->last = diff_range_moved(&below->last, gva - below->base);
	}
	sums->pages += below->pages;
	for (unsigned int i = 0; i < DIFF_CHANGES; i++)
		sums->by_change[i] += below->by_change[i];
	for (unsigned int level = 1; level < 6; level++)
		sums->by_level[level] += below->by_level[level];
}

uint64_t diff_sums_entries(const struct diff_sums *sums)
{
	uint64_t count = 0;

	for (unsigned int level = 1; level < 6; level++)
		count += sums->by_level[level];
	return count;
}
