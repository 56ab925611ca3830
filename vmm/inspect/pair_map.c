/* SPDX-License-Identifier: MIT */
#include "inspect/pair_map.h"

#include <stdlib.h>

#define SLOTS_FIRST 64

static bool is_empty(const struct pair_slot *slot)
{
	return !slot->pair.one && !slot->pair.other;
}

/* The slot of the pair, or the empty one for it. The map has slots, and empty ones. */
static struct pair_slot *slot_of(const struct pair_map *map, struct pair pair)
{
	uint64_t hash = (pair.one * 0x9e3779b97f4a7c15ull ^ pair.other) * 0x9e3779b97f4a7c15ull;
	size_t slot = hash >> 20 & map->mask;

	while (!is_empty(&map->slots[slot]) &&
	       (map->slots[slot].pair.one != pair.one || map->slots[slot].pair.other != pair.other))
		slot = (slot + 1) & map->mask;
	return &map->slots[slot];
}

static int grow(struct pair_map *map)
{
	size_t slots = map->slots ? 2 * (map->mask + 1) : SLOTS_FIRST;
	struct pair_map larger = { .mask = slots - 1, .count = map->count };

	larger.slots = calloc(slots, sizeof(*larger.slots));
	if (!larger.slots)
		return -1;
	for (size_t i = 0; map->slots && i <= map->mask; i++)
		if (!is_empty(&map->slots[i]))
			*slot_of(&larger, map->slots[i].pair) = map->slots[i];
	free(map->slots);
	*map = larger;
	return 0;
}

bool pair_map_find(const struct pair_map *map, struct pair pair, size_t *value_out)
{
	const struct pair_slot *slot = map->slots ? slot_of(map, pair) : NULL;

	if (!slot || is_empty(slot))
		return false;
	*value_out = slot->value;
	return true;
}

int pair_map_add(struct pair_map *map, struct pair pair, size_t value)
{
	if ((!map->slots || 2 * map->count > map->mask) && grow(map) < 0)
		return -1;
	*slot_of(map, pair) = (struct pair_slot){ pair, value };
	map->count++;
	return 0;
}

void pair_map_destroy(struct pair_map *map)
{
	free(map->slots);
	*map = (struct pair_map){ 0 };
}
