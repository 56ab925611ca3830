/* SPDX-License-Identifier: MIT */
/*
 * places.c: at which addresses of loaded roots a table is reached: its parents, their parents, up to the roots.
 */
#include "tlb/internal.h"

/* Steps upwards for one table, for each place that the limit allows. */
#define STEPS_PER_PLACE 64

struct climb {
	struct tlb *tlb;
	uint32_t steps;
};

static void climb(struct climb *state, const struct node *node, uint64_t va, unsigned int rights)
{
	struct tlb *tlb = state->tlb;

	if (node->contexts) {
		struct place place = { (struct node *)node, va, rights };

		if (tlb->places.count >= tlb->config.limits.places)
			tlb->stats.places_dropped++;
		else if (array_push(&tlb->places, place) < 0)
			tlb->no_memory = true;
	}
	for (size_t i = 0; i < node->parents.count; i++) {
		const struct parent *parent = &node->parents.items[i];
		const struct node *above = parent->node;

		/* Most of the parents of a shared table are roots that are not loaded. */
		if (!above->contexts && !above->parents.count)
			continue;
		if (!state->steps || !work_do(tlb, 1)) {
			tlb->stats.places_dropped++;
			return;
		}
		state->steps--;
		climb(state, above, va | (uint64_t)parent->index << page_level_shift(above->level),
		      rights & entry_rights(above->page->entries[parent->index]));
	}
}

void places_find(struct tlb *tlb, const struct node *node)
{
	struct climb state = { tlb, tlb->config.limits.places * STEPS_PER_PLACE };

	tlb->places.count = 0;
	climb(&state, node, 0, RIGHTS_ALL);
}
