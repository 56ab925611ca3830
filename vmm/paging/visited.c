/* SPDX-License-Identifier: MIT */
/*
 * visited.c: a hash table of tables.
 */
#include "paging/visited.h"

#include "base/page.h"

#include <stdlib.h>

#define SLOTS_FIRST 64

/* Rights and level are in the bits below a table's address; the level makes it other than 0. */
static uint64_t key_of(const struct walk_table *table)
{
	return table->gpa | table->level << 4 | table->rights;
}

/* Eight frames in a row have eight slots in a row: tables are mostly allocated, and visited, in order. */
static struct visited_slot *slot_of(const struct visited *visited, uint64_t key)
{
	uint64_t frame = key / PAGE_4K, group = frame / 8 * 0x9e3779b97f4a7c15ull >> 20;
	size_t slot = (group * 8 + frame % 8) & visited->mask;

	while (visited->slots[slot].key && visited->slots[slot].key != key)
		slot = (slot + 1) & visited->mask;
	return &visited->slots[slot];
}

static int grow(struct visited *visited)
{
	size_t slots = visited->slots ? 2 * (visited->mask + 1) : SLOTS_FIRST;
	struct visited larger = { .mask = slots - 1, .count = visited->count };

	larger.slots = calloc(slots, sizeof(*larger.slots));
	if (!larger.slots)
		return -1;
	for (size_t i = 0; visited->slots && i <= visited->mask; i++)
		if (visited->slots[i].key)
			*slot_of(&larger, visited->slots[i].key) = visited->slots[i];
	free(visited->slots);
	*visited = larger;
	return 0;
}

static int make_room(struct visited *visited)
{
	return !visited->slots || 2 * visited->count > visited->mask ? grow(visited) : 0;
}

enum visited_result visited_add(struct visited *visited, const struct walk_table *table, uint64_t value,
				uint64_t *value_out)
{
	struct visited_slot *slot;

	if (make_room(visited) < 0)
		return VISITED_NO_MEMORY;
	slot = slot_of(visited, key_of(table));
	if (slot->key) {
		*value_out = slot->value;
		return VISITED_BEFORE;
	}
	*slot = (struct visited_slot){ key_of(table), value };
	visited->count++;
	return VISITED_FIRST;
}

uint64_t visited_count(struct visited *visited, const struct walk_table *table)
{
	struct visited_slot *slot;

	if (make_room(visited) < 0)
		return 0;
	slot = slot_of(visited, key_of(table));
	visited->count += !slot->key;
	slot->key = key_of(table);
	return ++slot->value;
}

void visited_destroy(struct visited *visited)
{
	free(visited->slots);
	*visited = (struct visited){ 0 };
}
