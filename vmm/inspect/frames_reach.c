/* SPDX-License-Identifier: MIT */
/*
 * frames_reach.c: everything in the tables that leads to one frame.
 */
#include "inspect/frames.h"

#include "base/array.h"
#include "base/page.h"

#include <errno.h>
#include <stdlib.h>

struct reacher {
	const struct view *view;
	const struct walk_mode *mode;
	uint64_t gpa; /* of the frame */
	size_t limit;
	struct frame_reaches reaches;
};

/* Nonzero ends the walk: memory is out. */
static int add_reach(struct reacher *reacher, const struct frame_reach *reach)
{
	*(reach->is_leaf ? &reacher->reaches.leaves : &reacher->reaches.tables) += 1;
	if (reacher->reaches.list.count >= reacher->limit)
		return 0;
	return array_push(&reacher->reaches.list, *reach) < 0;
}

static int reach_run(void *context, const struct walk_run *run)
{
	struct reacher *reacher = context;
	uint64_t wanted = page_round_down(reacher->gpa, run->size), offset = reacher->gpa - wanted;

	for (unsigned int i = 0; i < run->count; i++) {
		struct frame_reach reach = {
			.gva = run->gva + i * run->size + offset,
			.entry = run->entries[i],
			.table = run->table,
			.index = page_level_index(run->gva + i * run->size, run->level),
			.level = run->level,
			.rights = run->rights,
			.is_leaf = true,
		};

		if (walk_leaf_gpa(run->entries[i], run->size) == wanted && add_reach(reacher, &reach))
			return 1;
	}
	return 0;
}

/* The entry above the table, from one walk more. */
static int reach_table(void *context, uint64_t gpa, unsigned int level, uint64_t gva)
{
	struct reacher *reacher = context;
	struct frame_reach reach = { .gva = gva };
	struct walk walk;

	if (gpa != reacher->gpa)
		return 0;
	walk_translate(reacher->view, reacher->mode, gva, &walk);
	for (unsigned int i = 0; i < walk.level_count; i++) {
		if (walk.levels[i].level != level + 1)
			continue;
		reach.entry = walk.levels[i].entry;
		reach.table = walk.levels[i].table;
		reach.index = walk.levels[i].index;
		reach.level = walk.levels[i].level;
	}
	return add_reach(reacher, &reach);
}

int frames_reach(const struct view *view, const struct walk_mode *mode, uint64_t pfn, size_t limit,
		 struct frame_reaches *out, struct error *error)
{
	struct reacher reacher = {
		.view = view,
		.mode = mode,
		.gpa = pfn * PAGE_4K,
		.limit = limit < FRAME_REACHES_MAX ? limit : FRAME_REACHES_MAX,
	};
	const struct walk_visitor visitor = { .context = &reacher, .run = reach_run, .table = reach_table };
	int stop = walk_range(view, mode, 0, ~0ull, 0, &visitor);

	if (stop > 0) {
		frame_reaches_destroy(&reacher.reaches);
		return error_set(error, ERROR_HOST, ENOMEM, 0, "the list of what leads to frame 0x%llx",
				 (unsigned long long)pfn);
	}
	reacher.reaches.cut_short = stop < 0;
	*out = reacher.reaches;
	return 0;
}

void frame_reaches_destroy(struct frame_reaches *reaches)
{
	free(reaches->list.items);
	*reaches = (struct frame_reaches){ 0 };
}
