/* SPDX-License-Identifier: MIT */
/*
 * diff_tables.c: walks two sets of page tables in step and compares them.
 *
 * At each level a side is a table, part of a larger page, or nothing. The walk descends while at least one
 * side is a table; where neither is, it compares the mappings. There is no recursion; a table that is its own
 * ancestor is a table at each level.
 *
 * A pair of tables is compared once per level and rights. Differences below it are counted wherever it is mapped, and
 * listed where it is mapped first. The comparison enters at most twice as many tables of a side as its memory can hold;
 * what is left then is not compared, and listed as that.
 */
#include "inspect/diff.h"
#include "base/page.h"
#include "base/array.h"
#include "inspect/diff_sums.h"
#include "inspect/pair_map.h"
#include "paging/pte.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Pairs with differences whose counts are kept. */
#define KNOWN_MAX (1u << 20)

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

/* 5 levels, the pages below, and the whole. */
#define PLACE_COUNT 7

/* The address range that one table of the current path translates, on both sides. */
struct place {
	uint64_t linear;       /* first address, without the sign extension (48 or 57 bits) */
	unsigned int next;     /* index of the next entry to compare */
	struct diff_sums sums; /* of the entries before it */
	bool incomplete;       /* something below was not compared */
	struct half half[2];
};

struct differ {
	const struct diff_side *side[2];
	uint64_t tables_left[2];
	bool alike; /* both modes decode an entry the same way */
	bool list_entries, no_memory;
	struct pair_map known;           /* index into `sums` by pairs that were compared */
	ARRAY_OF(struct diff_sums) sums; /* [0]: nothing differs */
	struct diff_tables out;          /* the lists */
	struct place
		places[PLACE_COUNT]; /* by level; [0]: the pages of a level 1 table; above the top: all */
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

/* Lists a range, which lies above all listed ones. `again`: of a known pair; it is listed only as part of the last. */
static void list_range(struct differ *differ, const struct diff_range *range, bool again)
{
	struct diff_tables *out = &differ->out;
	struct diff_range *last = out->ranges.count ? &out->ranges.items[out->ranges.count - 1] : NULL;

	if (last && diff_range_continues(last, range)) {
		last->size += range->size;
		return;
	}
	if (!again && out->ranges.count < DIFF_LISTED_MAX && array_push(&out->ranges, *range) < 0)
		differ->no_memory = true;
}

/* Compares the mappings of an entry of the place at `level`, where neither side has a table. */
static void compare_pages(struct differ *differ, unsigned int level, uint64_t linear)
{
	static const struct diff_page nothing;
	const struct half *half = differ->places[level - 1].half;
	struct diff_range range = {
		.gva = linear_extend(differ->side[0]->mode, linear),
		.size = page_level_size(level),
		.before = half[0].what == IS_PAGE ? half[0].page : nothing,
		.after = half[1].what == IS_PAGE ? half[1].page : nothing,
	};

	range.changes = page_changes(&range.before, &range.after);
	if (!range.changes)
		return;
	diff_sums_add_range(&differ->places[level].sums, &range);
	list_range(differ, &range, false);
}

static void compare_entries(struct differ *differ, unsigned int level, unsigned int index)
{
	struct place *place = &differ->places[level];
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
	if (!((entry.before ^ entry.after) & ~PTE_STATUS) || !((entry.before | entry.after) & PTE_P))
		return;
	place->sums.by_level[level]++;
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

/*
 * One half of a pair: all that the comparison below depends on. A page that is compared with a table is larger than
 * 4K, so that the low 21 bits of its address are free.
 */
static uint64_t half_key(const struct half *half, unsigned int level)
{
	const struct diff_page *page = &half->page;

	switch (half->what) {
	case IS_TABLE: return half->table | 0x100 | level << 4 | half->rights;
	case IS_PAGE:
		return page->gpa | (uint64_t)(page->page_size == PAGE_1G) << 15 | page->pat_index << 12 |
		       0x200 | level << 4 | page->rights;
	default: return 0x300 | level << 4;
	}
}

static struct pair pair_of(const struct place *place, unsigned int level)
{
	return (struct pair){ half_key(&place->half[0], level), half_key(&place->half[1], level) };
}

/* Keeps what differs below the pair of the place. */
static void remember(struct differ *differ, unsigned int level, const struct diff_sums *sums)
{
	bool differs = sums->range_count || diff_sums_entries(sums);
	struct pair pair = pair_of(&differ->places[level], level);
	size_t index;

	if (pair_map_find(&differ->known, pair, &index) || (differs && differ->sums.count > KNOWN_MAX))
		return;
	if (pair_map_add(&differ->known, pair, differs ? differ->sums.count : 0) < 0 ||
	    (differs && array_push(&differ->sums, *sums) < 0))
		differ->no_memory = true;
}

/* Adds what is known of the pair of the place at `level`; false if it was not compared yet. */
static bool take_known(struct differ *differ, unsigned int level, uint64_t gva)
{
	const struct diff_sums *sums;
	struct diff_range first;
	size_t index;

	if (!pair_map_find(&differ->known, pair_of(&differ->places[level], level), &index))
		return false;
	sums = &differ->sums.items[index];
	diff_sums_add(&differ->places[level + 1].sums, sums, gva);
	first = diff_range_moved(&sums->first, gva - sums->base);
	if (sums->range_count)
		list_range(differ, &first, true);
	return true;
}

/* Counts the tables of the place as entered; false at a side's limit. */
static bool pay(struct differ *differ, const struct place *place)
{
	for (unsigned int s = 0; s < 2; s++)
		if (place->half[s].what == IS_TABLE && !differ->tables_left[s])
			return false;
	for (unsigned int s = 0; s < 2; s++)
		differ->tables_left[s] -= place->half[s].what == IS_TABLE;
	return true;
}

/* The place at `level` is not compared. */
static void leave_out(struct differ *differ, unsigned int level, uint64_t gva)
{
	struct diff_tables *out = &differ->out;
	size_t count = out->not_compared.count;
	struct diff_extent extent = { gva, page_level_size(level) * PAGE_TABLE_ENTRIES };
	struct diff_extent *last = count ? &out->not_compared.items[count - 1] : NULL;

	differ->places[level + 1].incomplete = true;
	out->cut_short = true;
	out->bytes_not_compared += extent.size;
	if (last && last->gva + last->size == gva)
		last->size += extent.size;
	else if (array_push(&out->not_compared, extent) < 0)
		differ->no_memory = true;
}

/*
 * Copies the open tables of the place at `level` and starts at its first entry. False if there is nothing to compare in
 * it.
 */
static bool enter(struct differ *differ, unsigned int level, uint64_t linear)
{
	struct place *place = &differ->places[level];
	uint64_t gva = linear_extend(differ->side[0]->mode, linear);

	if (take_known(differ, level, gva))
		return false;
	if (!pay(differ, place)) {
		leave_out(differ, level, gva);
		return false;
	}
	place->sums = (struct diff_sums){ .base = gva };
	place->incomplete = false;
	if (same_leaves(differ, level, place->half)) {
		remember(differ, level, &place->sums);
		return false;
	}
	for (unsigned int s = 0; s < 2; s++)
		if (place->half[s].what == IS_TABLE)
			memcpy(place->half[s].entries, place->half[s].bytes, PAGE_4K);
	place->linear = linear;
	place->next = 0;
	return true;
}

/* All entries of the place at `level` are compared. */
static void finish(struct differ *differ, unsigned int level)
{
	struct place *place = &differ->places[level], *above = place + 1;

	if (!place->incomplete)
		remember(differ, level, &place->sums);
	above->incomplete |= place->incomplete;
	diff_sums_add(&above->sums, &place->sums, place->sums.base);
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
		finish(differ, *level);
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
		compare_pages(differ, *level, linear);
	else if (enter(differ, *level - 1, linear))
		--*level;
}

/* Walks all tables; false when memory is out. */
static bool walk(struct differ *differ, unsigned int top)
{
	unsigned int level = top;

	if (array_push(&differ->sums, (struct diff_sums){ 0 }) < 0)
		return false;
	for (unsigned int s = 0; s < 2; s++) {
		differ->tables_left[s] = walk_tables_limit(differ->side[s]->view);
		open_table(differ, s, top, differ->side[s]->mode->root, RIGHTS_ALL);
	}
	if (!enter(differ, top, 0))
		level = top + 1;
	while (level <= top && !differ->no_memory)
		step(differ, &level);
	return !differ->no_memory;
}

int diff_tables(const struct diff_side *before, const struct diff_side *after, bool entries,
		struct diff_tables *out, struct error *error)
{
	unsigned int top = before->mode->levels;
	struct differ differ = { .side = { before, after }, .list_entries = entries };
	const struct diff_sums *sums = &differ.places[top + 1].sums;
	bool done;

	if (after->mode->levels != top)
		return error_set(
			error, ERROR_INPUT, 0, 0,
			"the page tables of one have %u levels, those of the other %u: they cannot be "
			"compared",
			top, after->mode->levels);
	differ.alike = before->mode->nx == after->mode->nx &&
		       before->mode->physical_bits == after->mode->physical_bits;
	done = walk(&differ, top);
	pair_map_destroy(&differ.known);
	free(differ.sums.items);
	if (!done) {
		diff_tables_destroy(&differ.out);
		return error_set(error, ERROR_HOST, ENOMEM, 0, "the differences of two guests");
	}
	*out = differ.out;
	out->range_count = sums->range_count;
	out->pages = sums->pages;
	memcpy(out->by_change, sums->by_change, sizeof(out->by_change));
	memcpy(out->by_level, sums->by_level, sizeof(out->by_level));
	return 0;
}

void diff_tables_destroy(struct diff_tables *tables)
{
	free(tables->ranges.items);
	free(tables->entries.items);
	free(tables->not_compared.items);
	*tables = (struct diff_tables){ 0 };
}
