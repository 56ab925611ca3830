/* SPDX-License-Identifier: MIT */
#include "inspect/map_callers.h"

#include "base/array.h"

#include <stdlib.h>
#include <string.h>

/* A damaged guest may name as many callers as it has areas: those above share the last place, without a name.
 */
#define CALLERS_MAX  ((size_t)4096)
#define CALLER_SLOTS (CALLERS_MAX * 2)

int callers_init(struct callers *callers, struct memory_map *map)
{
	callers->slots = calloc(CALLER_SLOTS, sizeof(*callers->slots));
	if (!callers->slots)
		return -1;
	return array_push(&map->callers, (struct map_caller){ 0 });
}

/* The slot that holds the address, or the empty one where it belongs. */
static size_t slot_of(const struct callers *callers, const struct memory_map *map, uint64_t address)
{
	size_t slot = (address * 0x9e3779b97f4a7c15u >> 40) % CALLER_SLOTS;

	while (callers->slots[slot] && map->callers.items[callers->slots[slot]].address != address)
		slot = (slot + 1) % CALLER_SLOTS;
	return slot;
}

int callers_find(struct callers *callers, struct memory_map *map, struct symbols *symbols, uint64_t address,
		 uint32_t *out)
{
	struct map_caller caller;
	size_t slot;

	/* An area and its guard follow each other. */
	if (callers->last && map->callers.items[callers->last].address == address) {
		*out = callers->last;
		return 0;
	}
	slot = slot_of(callers, map, address);
	if (!callers->slots[slot] && map->callers.count < CALLERS_MAX) {
		caller = (struct map_caller){ .address = address };
		if (symbols)
			symbols_describe(symbols, address, caller.place, sizeof(caller.place));
		caller.name_length = (unsigned int)strcspn(caller.place, "+ ");
		if (array_push(&map->callers, caller) < 0)
			return -1;
		callers->slots[slot] = (uint32_t)map->callers.count - 1;
	}
	*out = callers->last = callers->slots[slot];
	return 0;
}

void callers_destroy(struct callers *callers)
{
	free(callers->slots);
}
