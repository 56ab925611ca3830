/* SPDX-License-Identifier: MIT */
/*
 * diff_tables.c: walks two sets of page tables in step and compares them.
 *
 * At each level a side is a table, part of a larger page, or nothing. The walk descends while at least one
 * side is a table; where neither is, it compares the mappings. There is no recursion; a table that is its own
 * ancestor is a table at each level. Each side enters at most twice as many tables as its memory can hold. Two
 * tables below which nothing differs are compared once, however often they are mapped.
 */
#include "inspect/diff.h"
#include "base/page.h"
#include "base/array.h"
#include "inspect/pair_set.h"
#include "paging/pte.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum what { IS_NOTHING, IS_PAGE, IS_TABLE };

/* One side at one level. */
struct half {
	enum what what;
	struct diff_page page; /* IS_PAGE: mapping of the first byte of the place */
	uint64_t table;        /* IS_TABLE: its GPA */
	unsigned int rights;   /* IS_TABLE: effective permissions of the levels above */
	const uint8_t
		*bytes; /* IS_TABLE: the table in the view; the guest may change it: read `entries` instead */
	uint64_t entries[PAGE_TABLE_ENTRIES];
};

/* The address range that one table of the current path translates, on both sides. */
struct place {
	uint64_t linear;      /* first address, without the sign extension (48 or 57 bits) */
	unsigned int next;    /* index of the next entry to compare */
	uint64_t differences; /* found before it */
	struct half half[2];
};

struct differ {
	const struct diff_side *side[2];
	uint64_t tables_left[2];
	bool alike; /* both modes decode an entry the same way */
	bool list_entries, no_memory;
	uint64_t differences; /* entries and ranges */
	struct pair_set same; /* tables without a difference below */
	struct diff_tables out;
	struct place places[6]; /* by level; [0]: the pages of a level 1 table */
};

const char *diff_change_name(enum diff_change change)
{
	static const char *const names[DIFF_CHANGES] = {
		[DIFF_MAPPED] = "mapped", [DIFF_UNMAPPED] = "unmapped", [DIFF_FRAMES] = "frames",
		[DIFF_RIGHTS] = "rights", [DIFF_SIZE] = "page size",    [DIFF_TYPE] = "memory type",
	};

	return names[change];
}

/* Opens the table of `level` at `gpa`. A table outside memory counts as nothing. */
static void open_table(struct differ *differ, unsigned int s, unsigned int level, uint64_t gpa,
		       unsigned int rights)
{
	struct half *half = &differ->places[level].half[s];

	half->bytes = view_bytes(differ->side[s]->view, gpa, PAGE_4K);
	half->what = IS_NOTHING;
	if (!half->bytes)
		return;
	half->what = IS_TABLE;
	half->table = gpa;
	half->rights = rights;
}

/* Fills in side s of the place one level below: the child at entry `index` of the place at `level`. */
static void open_child(struct differ *differ, unsigned int s, unsigned int level, unsigned int index)
{
	const struct half *parent = &differ->places[level].half[s];
	const struct walk_mode *mode = differ->side[s]->mode;
	struct half *child = &differ->places[level - 1].half[s];
	uint64_t size = page_level_size(level), entry;
	bool is_page;

	child->what = IS_NOTHING;
	if (parent->what == IS_PAGE) {
		child->what = IS_PAGE;
		child->page = parent->page;
		child->page.gpa += index * size;
	}
	if (parent->what != IS_TABLE || !(parent->entries[index] & PTE_P))
		return;
	entry = parent->entries[index];
	is_page = entry_is_page(mode, level, entry);
	if (entry & entry_reserved(mode, level, is_page))
		return;
	if (!is_page) {
		open_table(differ, s, level - 1, entry & PTE_ADDRESS, entry_rights(entry, parent->rights));
		return;
	}
	child->what = IS_PAGE;
	child->page = (struct diff_page){
		.gpa = walk_leaf_gpa(entry, size),
		.page_size = size,
		.rights = entry_rights(entry, parent->rights),
		.pat_index = entry_pat_index(level, entry),
	};
}

/* ---- comparison ---- */

static unsigned int page_changes(const struct diff_page *before, const struct diff_page *after)
{
	unsigned int changes = 0;

	if (!before->page_size || !after->page_size)
		return !before->page_size == !after->page_size ? 0
		       : after->page_size                      ? 1u << DIFF_MAPPED
							       : 1u << DIFF_UNMAPPED;
	changes |= before->gpa != after->gpa ? 1u << DIFF_FRAMES : 0;
	changes |= before->rights != after->rights ? 1u << DIFF_RIGHTS : 0;
	changes |= before->page_size != after->page_size ? 1u << DIFF_SIZE : 0;
	changes |= before->pat_index != after->pat_index ? 1u << DIFF_TYPE : 0;
	return changes;
}

static bool mapped_alike(const struct diff_page *one, const struct diff_page *other)
{
	return one->page_size == other->page_size && one->rights == other->rights &&
	       one->pat_index == other->pat_index;
}

static void add_range(struct differ *differ, const struct diff_range *range)
{
	struct diff_tables *out = &differ->out;
	struct diff_range *last = out->ranges.count ? &out->ranges.items[out->ranges.count - 1] : NULL;

	differ->differences++;
	out->pages += range->size / PAGE_4K;
	for (unsigned int i = 0; i < DIFF_CHANGES; i++)
		out->by_change[i] += range->changes & 1u << i ? range->size / PAGE_4K : 0;
	if (last && last->gva + last->size == range->gva && last->changes == range->changes &&
	    mapped_alike(&last->before, &range->before) && mapped_alike(&last->after, &range->after)) {
		last->size += range->size;
		return;
	}
	out->range_count++;
	if (out->ranges.count < DIFF_LISTED_MAX && array_push(&out->ranges, *range) < 0)
		differ->no_memory = true;
}

/* Compares the mappings of [linear, linear + size), where neither side is a table. */
static void compare_pages(struct differ *differ, uint64_t linear, uint64_t size, const struct half *half)
{
	static const struct diff_page nothing;
	struct diff_range range = {
		.gva = linear_extend(differ->side[0]->mode, linear),
		.size = size,
		.before = half[0].what == IS_PAGE ? half[0].page : nothing,
		.after = half[1].what == IS_PAGE ? half[1].page : nothing,
	};

	range.changes = page_changes(&range.before, &range.after);
	if (range.changes)
		add_range(differ, &range);
}

static void compare_entries(struct differ *differ, unsigned int level, unsigned int index)
{
	const struct place *place = &differ->places[level];
	struct diff_entry entry = {
		.gva = linear_extend(differ->side[0]->mode,
				     place->linear + ((uint64_t)index << page_level_shift(level))),
		.level = level,
		.index = index,
	};

	if (place->half[0].what == IS_TABLE) {
		entry.before = place->half[0].entries[index];
		entry.table_before = place->half[0].table;
	}
	if (place->half[1].what == IS_TABLE) {
		entry.after = place->half[1].entries[index];
		entry.table_after = place->half[1].table;
	}
	if (!((entry.before ^ entry.after) & ~(PTE_A | PTE_D)) || !((entry.before | entry.after) & PTE_P))
		return;
	differ->differences++;
	differ->out.by_level[level]++;
	if (differ->list_entries && differ->out.entries.count < DIFF_LISTED_MAX &&
	    array_push(&differ->out.entries, entry) < 0)
		differ->no_memory = true;
}

/* ---- the walk ---- */

/*
 * True for two level 1 tables with the same bytes and the same permissions above them: their mappings are
 * equal.
 */
static bool same_leaves(const struct differ *differ, unsigned int level, const struct half *half)
{
	return differ->alike && level == 1 && half[0].what == IS_TABLE && half[1].what == IS_TABLE &&
	       half[0].rights == half[1].rights && !memcmp(half[0].bytes, half[1].bytes, PAGE_4K);
}

/* Both tables of a place; zeros if one side has none. */
static struct pair pair_of(const struct place *place, unsigned int level)
{
	const struct half *half = place->half;

	if (half[0].what != IS_TABLE || half[1].what != IS_TABLE)
		return (struct pair){ 0 };
	return (struct pair){ half[0].table | level << 4 | half[0].rights,
			      half[1].table | level << 4 | half[1].rights };
}

/* Nothing differs below the two tables of the place. */
static void take_same(struct differ *differ, unsigned int level)
{
	if (pair_set_add(&differ->same, pair_of(&differ->places[level], level)) < 0)
		differ->no_memory = true;
}

/* Counts the tables of the place as entered; false at a side's limit. */
static bool pay(struct differ *differ, const struct place *place)
{
	for (unsigned int s = 0; s < 2; s++) {
		if (place->half[s].what != IS_TABLE)
			continue;
		if (!differ->tables_left[s]) {
			differ->out.cut_short = true;
			return false;
		}
		differ->tables_left[s]--;
	}
	return true;
}

/*
 * Copies the open tables of the place at `level` and starts at its first entry. False if the tables are
 * equal.
 */
static bool enter(struct differ *differ, unsigned int level, uint64_t linear)
{
	struct place *place = &differ->places[level];

	if (pair_set_has(&differ->same, pair_of(place, level)) || !pay(differ, place))
		return false;
	if (same_leaves(differ, level, place->half)) {
		take_same(differ, level);
		return false;
	}
	for (unsigned int s = 0; s < 2; s++)
		if (place->half[s].what == IS_TABLE)
			memcpy(place->half[s].entries, place->half[s].bytes, PAGE_4K);
	place->linear = linear;
	place->next = 0;
	place->differences = differ->differences;
	return true;
}

/*
 * Compares the next entry of the place at *level and descends if a child is a table; at the end goes one
 * level up.
 */
static void step(struct differ *differ, unsigned int *level)
{
	struct place *place = &differ->places[*level], *below = place - 1;
	uint64_t linear;
	unsigned int index;

	if (place->next == PAGE_TABLE_ENTRIES) {
		if (place->differences == differ->differences)
			take_same(differ, *level);
		++*level;
		return;
	}
	index = place->next++;
	if (place->half[0].what == IS_TABLE && place->half[1].what == IS_TABLE &&
	    place->half[0].entries[index] == 0 && place->half[1].entries[index] == 0)
		return;
	linear = place->linear + ((uint64_t)index << page_level_shift(*level));
	compare_entries(differ, *level, index);
	for (unsigned int s = 0; s < 2; s++)
		open_child(differ, s, *level, index);
	if (below->half[0].what != IS_TABLE && below->half[1].what != IS_TABLE)
		compare_pages(differ, linear, page_level_size(*level), below->half);
	else if (enter(differ, *level - 1, linear))
		--*level;
}

int diff_tables(const struct diff_side *before, const struct diff_side *after, bool entries,
		struct diff_tables *out, struct error *error)
{
	struct differ differ = { .side = { before, after }, .list_entries = entries };
	unsigned int top = before->mode->levels, level = top;

	if (after->mode->levels != top)
		return error_set(
			error, ERROR_INPUT, 0, 0,
			"the page tables of one have %u levels, those of the other %u: they cannot be "
			"compared",
			top, after->mode->levels);
	differ.alike = before->mode->nx == after->mode->nx &&
		       before->mode->physical_bits == after->mode->physical_bits;
	for (unsigned int s = 0; s < 2; s++) {
		differ.tables_left[s] = walk_tables_limit(differ.side[s]->view);
		open_table(&differ, s, top, differ.side[s]->mode->root, RIGHTS_ALL);
	}
	if (!enter(&differ, top, 0))
		level = top + 1;
	while (level <= top && !differ.no_memory && !differ.out.cut_short)
		step(&differ, &level);
	pair_set_destroy(&differ.same);
	if (differ.no_memory) {
		diff_tables_destroy(&differ.out);
		return error_set(error, ERROR_HOST, ENOMEM, 0, "the differences of two guests");
	}
	*out = differ.out;
	return 0;
}

void diff_tables_destroy(struct diff_tables *tables)
{
	free(tables->ranges.items);
	free(tables->entries.items);
	*tables = (struct diff_tables){ 0 };
}
