/* SPDX-License-Identifier: MIT */
#include "inspect/pair_set.h"

#include <stdlib.h>

#define SLOTS_FIRST 64

/* The slot of the pair, or the empty one for it. The set has slots, and empty ones. */
static struct pair *slot_of(const struct pair_set *set, struct pair pair)
{
	uint64_t hash = (pair.one * 0x9e3779b97f4a7c15ull ^ pair.other) * 0x9e3779b97f4a7c15ull;
	size_t slot = hash >> 20 & set->mask;

	while ((set->slots[slot].one || set->slots[slot].other) &&
	       (set->slots[slot].one != pair.one || set->slots[slot].other != pair.other))
		slot = (slot + 1) & set->mask;
	return &set->slots[slot];
}

static int grow(struct pair_set *set)
{
	size_t slots = set->slots ? 2 * (set->mask + 1) : SLOTS_FIRST;
	struct pair_set larger = { .mask = slots - 1, .count = set->count };

	larger.slots = calloc(slots, sizeof(*larger.slots));
	if (!larger.slots)
		return -1;
	for (size_t i = 0; set->slots && i <= set->mask; i++)
		if (set->slots[i].one || set->slots[i].other)
			*slot_of(&larger, set->slots[i]) = set->slots[i];
	free(set->slots);
	*set = larger;
	return 0;
}

bool pair_set_has(const struct pair_set *set, struct pair pair)
{
	return set->slots && (pair.one || pair.other) && slot_of(set, pair)->one == pair.one &&
	       slot_of(set, pair)->other == pair.other;
}

int pair_set_add(struct pair_set *set, struct pair pair)
{
	if ((!pair.one && !pair.other) || pair_set_has(set, pair))
		return 0;
	if ((!set->slots || 2 * set->count > set->mask) && grow(set) < 0)
		return -1;
	*slot_of(set, pair) = pair;
	set->count++;
	return 0;
}

void pair_set_destroy(struct pair_set *set)
{
	free(set->slots);
	*set = (struct pair_set){ 0 };
}
