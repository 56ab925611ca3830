/* SPDX-License-Identifier: MIT */
/*
 * frames_reach.c: everything in the tables that leads to one frame.
 */
#include "inspect/frames.h"

#include "base/array.h"
#include "base/page.h"
#include "paging/visited.h"

#include <errno.h>
#include <stdlib.h>

/* How often a table that is mapped several times leads to the frame. */
struct counted {
	uint64_t leaves, tables, writable;
};

/* The tables that are mapped several times; each is counted once. */
struct memo {
	struct visited visited; /* by all scans */
	struct visited places;  /* in `items` */
	ARRAY_OF(struct counted);
};

struct reacher {
	struct memo *memo;
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
	reacher->reaches.writable += reach->is_leaf && reach->rights & RIGHT_W;
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
	if (reacher->reaches.list.count >= reacher->limit)
		return add_reach(reacher, &reach);
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

/* ---- tables that are mapped several times ---- */

static int reach_again(void *context, const struct walk_table *table);

static struct walk_visitor visitor_of(struct reacher *reacher)
{
	return (struct walk_visitor){
		.context = reacher,
		.run = reach_run,
		.table = reach_table,
		.again = reach_again,
		.visited = &reacher->memo->visited,
	};
}

/* Counts what is below a table. 0; -1 if the limit of tables ended it; 1 or WALK_NO_MEMORY: memory is out. */
static int count_below(const struct reacher *reacher, const struct walk_table *table, struct counted *out)
{
	struct memo *memo = reacher->memo;
	struct reacher counter = { memo, reacher->view, reacher->mode, reacher->gpa, .limit = 0 };
	const struct walk_visitor visitor = visitor_of(&counter);
	uint64_t place;
	int stop = 0;

	*out = (struct counted){ 0 };
	switch (visited_add(&memo->places, table, memo->count, &place)) {
	case VISITED_NO_MEMORY: return 1;
	case VISITED_BEFORE: *out = memo->items[place]; return 0;
	default: place = memo->count;
	}
	if (array_push(memo, *out) < 0)
		return 1;
	stop = walk_subtree(reacher->view, reacher->mode, table, 0, &visitor);
	*out = (struct counted){ counter.reaches.leaves, counter.reaches.tables, counter.reaches.writable };
	memo->items[place] = *out;
	return stop;
}

/* Lists what a table leads to as long as the list has room; then only counts it. */
static int reach_again(void *context, const struct walk_table *table)
{
	struct reacher *reacher = context;
	struct counted counted;
	int stop = count_below(reacher, table, &counted);

	if (stop || (!counted.leaves && !counted.tables))
		return stop;
	if (reacher->reaches.list.count < reacher->limit)
		return WALK_ENTER;
	reacher->reaches.leaves += counted.leaves;
	reacher->reaches.tables += counted.tables;
	reacher->reaches.writable += counted.writable;
	return 0;
}

int frames_reach(const struct view *view, const struct walk_mode *mode, uint64_t pfn, size_t limit,
		 struct frame_reaches *out, struct error *error)
{
	struct memo memo = { 0 };
	struct reacher reacher = {
		.memo = &memo,
		.view = view,
		.mode = mode,
		.gpa = pfn * PAGE_4K,
		.limit = limit < FRAME_REACHES_MAX ? limit : FRAME_REACHES_MAX,
	};
	const struct walk_visitor visitor = visitor_of(&reacher);
	int stop = walk_range(view, mode, 0, ~0ull, 0, &visitor);

	free(memo.items);
	visited_destroy(&memo.places);
	visited_destroy(&memo.visited);
	if (stop > 0 || stop == WALK_NO_MEMORY) {
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
