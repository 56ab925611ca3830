/* SPDX-License-Identifier: MIT */
/*
 * decode.c: decodes the tables of the second stage into leaves, and sorts and finds leaves.
 */
#include "stage2/stage2.h"

#include "base/array.h"
#include "base/lower_bound.h"
#include "base/page.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Width of a GPA. Higher bits of shadow translations are masked off. */
#define GPA_BITS 52

/* The GPA that entry i of the table translates; with shadow paging, that of the frame that it maps. */
static uint64_t entry_gpa(const struct stage2_table *table, unsigned int i)
{
	if (table->translation)
		return table->translation[i] & ((1ull << GPA_BITS) - 1) & ~(PAGE_4K - 1);
	return table->gpa + i * page_level_size(table->level);
}

/* Allocates memory for `count` leaves; release it with free(). */
static struct stage2_leaf *leaves_allocate(size_t count)
{
	size_t size = count * sizeof(struct stage2_leaf);
	void *memory;

	if (size < PAGE_2M)
		return malloc(size);
	size = page_round_up(size, PAGE_2M);
	memory = aligned_alloc(PAGE_2M, size);
	if (memory)
		madvise(memory, size, MADV_HUGEPAGE); /* an optimisation; failure is ignored */
	return memory;
}

int stage2_make_room(struct stage2 *stage2, size_t more)
{
	size_t count = stage2->leaves.count, wanted = 2 * stage2->leaves.capacity;
	struct stage2_leaf *items;

	if (stage2->leaves.capacity - count >= more)
		return 0;
	if (more > STAGE2_LEAVES_MAX - count)
		return -1;
	items = leaves_allocate(wanted > count + more ? wanted : count + more);
	if (!items)
		return -1;
	if (count)
		memcpy(items, stage2->leaves.items, count * sizeof(*items));
	free(stage2->leaves.items);
	stage2->leaves.items = items;
	stage2->leaves.capacity = wanted > count + more ? wanted : count + more;
	return 0;
}

/* Appends a leaf. The caller has made room with stage2_make_room(). */
static void add_leaf(struct stage2 *stage2, const struct stage2_table *table, unsigned int i, uint64_t entry)
{
	struct stage2_level *level = &stage2->levels[table->level];
	unsigned int rights = stage2_entry_rights(&stage2->format, entry);
	struct stage2_leaf leaf = {
		.gpa = entry_gpa(table, i),
		.entry = entry,
		.level = table->level,
		.nested = table->nested,
		.smm = table->smm,
	};

	level->leaves++;
	level->accessed += stage2_entry_accessed(&stage2->format, entry);
	level->dirty += stage2_entry_dirty(&stage2->format, entry);
	level->writable += !!(rights & RIGHT_W);
	level->executable += !!(rights & RIGHT_X);
	stage2->leaves.items[stage2->leaves.count++] = leaf;
}

static int add_link(const struct stage2 *stage2, const struct stage2_table *table, unsigned int i,
		    uint64_t entry, struct stage2_links *links)
{
	struct stage2_link link = {
		.hpa = stage2_entry_hpa(&stage2->format, table->level, entry),
		.gpa = entry_gpa(table, i),
		.level = (uint8_t)(table->level - 1),
	};

	return array_push(links, link);
}

/*
 * Records an entry that points to a table, for reports. Tables for shadow paging, nested guests and SMM have
 * none.
 */
static int add_upper(struct stage2 *stage2, const struct stage2_table *table, unsigned int i, uint64_t entry)
{
	struct stage2_upper upper = { .gpa = entry_gpa(table, i), .entry = entry, .level = table->level };

	if (table->translation || table->nested || table->smm)
		return 0;
	return array_push(&stage2->uppers, upper);
}

int stage2_add_table(struct stage2 *stage2, const struct stage2_table *table, const uint64_t *entries,
		     struct stage2_links *links)
{
	unsigned int count = table->passthrough ? 1 : PAGE_TABLE_ENTRIES;
	struct stage2_level *level;

	if (!table->level || table->level > STAGE2_LEVELS)
		return 0;
	if (stage2_make_room(stage2, PAGE_TABLE_ENTRIES) < 0)
		return -1;
	level = &stage2->levels[table->level];
	level->tables++;
	for (unsigned int i = 0; i < count; i++) {
		switch (stage2_entry_kind(&stage2->format, table->level, entries[i])) {
		case STAGE2_EMPTY: break;
		case STAGE2_MMIO: level->mmio++; break;
		case STAGE2_FROZEN: level->frozen++; break;
		case STAGE2_ODD: level->odd++; break;
		case STAGE2_TABLE:
			level->links++;
			if (add_upper(stage2, table, i, entries[i]) < 0)
				return -1;
			if (links && add_link(stage2, table, i, entries[i], links) < 0)
				return -1;
			break;
		case STAGE2_PAGE: add_leaf(stage2, table, i, entries[i]); break;
		}
	}
	return 0;
}

static int compare_slots(const void *a, const void *b)
{
	const struct stage2_slot *one = a, *other = b;

	return one->gpa < other->gpa ? -1 : one->gpa > other->gpa;
}

/* End (exclusive) of the ascending run that begins at `start`. */
static size_t run_end(const struct stage2_leaf *leaves, size_t start, size_t count)
{
	while (++start < count && leaves[start - 1].gpa <= leaves[start].gpa)
		;
	return start < count ? start : count;
}

static void merge(const struct stage2_leaf *from, size_t start, size_t middle, size_t end,
		  struct stage2_leaf *to)
{
	size_t a = start, b = middle;

	for (size_t i = start; i < end; i++)
		to[i] = b == end || (a < middle && from[a].gpa <= from[b].gpa) ? from[a++] : from[b++];
}

/*
 * Natural merge sort by GPA. The leaves of the TDP MMU form one ascending run per level and root, so that few
 * passes are needed.
 */
static int sort_leaves(struct stage2 *stage2)
{
	size_t count = stage2->leaves.count, runs;
	struct stage2_leaf *from = stage2->leaves.items, *to, *swap;

	if (run_end(from, 0, count) == count)
		return 0;
	to = leaves_allocate(count);
	if (!to)
		return -1;
	do {
		runs = 0;
		for (size_t start = 0, end; start < count; start = end, runs++) {
			size_t middle = run_end(from, start, count);

			end = middle < count ? run_end(from, middle, count) : count;
			merge(from, start, middle, end, to);
		}
		swap = from;
		from = to;
		to = swap;
	} while (runs > 1);
	free(to);
	stage2->leaves.items = from;
	stage2->leaves.capacity = count;
	return 0;
}

int stage2_sort(struct stage2 *stage2)
{
	if (stage2->slots.count)
		qsort(stage2->slots.items, stage2->slots.count, sizeof(*stage2->slots.items), compare_slots);
	return stage2->leaves.count ? sort_leaves(stage2) : 0;
}

const struct stage2_slot *stage2_slot_at(const struct stage2 *stage2, uint64_t gpa)
{
	const struct stage2_slot *slots = stage2->slots.items;
	size_t after = lower_bound(stage2->slots.count, i, slots[i].gpa <= gpa);

	return after && gpa - slots[after - 1].gpa < slots[after - 1].size ? &slots[after - 1] : NULL;
}

size_t stage2_leaf_from(const struct stage2 *stage2, uint64_t gpa)
{
	return lower_bound(stage2->leaves.count, i, stage2->leaves.items[i].gpa < gpa);
}

const struct stage2_leaf *stage2_leaf_at(const struct stage2 *stage2, uint64_t gpa)
{
	const struct stage2_leaf *leaves = stage2->leaves.items;

	/* A leaf that translates gpa begins at gpa rounded down to its size. */
	for (unsigned int level = 1; level <= 3; level++) {
		uint64_t start = page_round_down(gpa, page_level_size(level));

		for (size_t i = stage2_leaf_from(stage2, start);
		     i < stage2->leaves.count && leaves[i].gpa == start; i++)
			if (leaves[i].level == level && !leaves[i].nested && !leaves[i].smm)
				return &leaves[i];
	}
	return NULL;
}

const struct stage2_upper *stage2_upper_at(const struct stage2 *stage2, uint64_t gpa, unsigned int level)
{
	uint64_t start = page_round_down(gpa, page_level_size(level));

	for (size_t i = 0; i < stage2->uppers.count; i++)
		if (stage2->uppers.items[i].level == level && stage2->uppers.items[i].gpa == start)
			return &stage2->uppers.items[i];
	return NULL;
}

void stage2_destroy(struct stage2 *stage2)
{
	free(stage2->slots.items);
	free(stage2->leaves.items);
	free(stage2->uppers.items);
	*stage2 = (struct stage2){ 0 };
}
