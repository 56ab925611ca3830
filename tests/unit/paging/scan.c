/* SPDX-License-Identifier: MIT */
#include "scan.h"

#include <criterion/criterion.h>
#include <stddef.h>
#include <string.h>

struct tables t;
struct seen seen;

void scan_start(void)
{
	tables_init(&t, 4);
}

void scan_end(void)
{
	tables_destroy(&t);
}

int see_leaf(void *context, const struct walk_leaf *leaf)
{
	struct seen *s = context;

	if (s->leaf_count < KEPT)
		s->leaves[s->leaf_count] = *leaf;
	s->leaf_count++;
	return s->end_after && s->leaf_count == (uint64_t)s->end_after ? 42 : 0;
}

static int see_run(void *context, const struct walk_run *run)
{
	struct seen *s = context;

	cr_assert(run->count >= 1 && run->count <= 512);
	s->run_leaves += run->count;
	return 0;
}

int see_table(void *context, uint64_t gpa, unsigned int level, uint64_t gva)
{
	struct seen *s = context;

	if (s->table_count < KEPT) {
		s->tables[s->table_count].gpa = gpa;
		s->tables[s->table_count].gva = gva;
		s->tables[s->table_count].level = level;
	}
	s->table_count++;
	s->tables_by_level[level]++;
	return 0;
}

static int see_damage(void *context, const struct walk_leaf *entry, enum walk_stop stop)
{
	struct seen *s = context;

	if (s->damage_count < KEPT) {
		s->damage[s->damage_count] = *entry;
		s->stops[s->damage_count] = stop;
	}
	s->damage_count++;
	return 0;
}

int scan_limited(uint64_t start, uint64_t end, uint64_t limit)
{
	struct walk_visitor visitor = {
		.context = &seen, .leaf = see_leaf, .run = see_run, .table = see_table, .damage = see_damage
	};

	memset(&seen, 0, offsetof(struct seen, end_after));
	return walk_range(&t.view, &t.mode, start, end, limit, &visitor);
}

int scan(uint64_t start, uint64_t end)
{
	return scan_limited(start, end, 0);
}

void expect_entry(const struct walk_leaf *found, struct walk_leaf wanted)
{
	cr_expect(
		found->gva == wanted.gva && found->gpa == wanted.gpa && found->size == wanted.size &&
			found->rights == wanted.rights && found->level == wanted.level &&
			found->entry == wanted.entry && found->table == wanted.table,
		"expected 0x%lx -> 0x%lx (0x%lx), rights %u, level %u, entry 0x%lx of 0x%lx; found 0x%lx -> "
		"0x%lx (0x%lx), rights %u, level %u, entry 0x%lx of 0x%lx",
		wanted.gva, wanted.gpa, wanted.size, wanted.rights, wanted.level, wanted.entry, wanted.table,
		found->gva, found->gpa, found->size, found->rights, found->level, found->entry, found->table);
}

void compare_with_single_walks(void)
{
	struct walk walk;

	for (uint64_t i = 0; i < seen.leaf_count && i < KEPT; i++) {
		const struct walk_leaf *leaf = &seen.leaves[i];

		walk_translate(&t.view, &t.mode, leaf->gva, &walk);
		cr_assert(walk.stop == WALK_MAPPED && walk.gpa == leaf->gpa && walk.page_size == leaf->size &&
				  walk.rights == leaf->rights &&
				  walk.levels[walk.level_count - 1].entry == leaf->entry &&
				  walk.levels[walk.level_count - 1].table == leaf->table,
			  "0x%lx", leaf->gva);
	}
	for (uint64_t i = 0; i < seen.damage_count && i < KEPT; i++) {
		walk_translate(&t.view, &t.mode, seen.damage[i].gva, &walk);
		cr_assert_eq(walk.stop, seen.stops[i]);
		cr_assert_eq(walk.levels[walk.level_count - 1].level, seen.damage[i].level);
	}
}
