/* SPDX-License-Identifier: MIT */
/*
 * lookup.c: areas by address.
 */
#include "claims/claims.h"

#include <stdlib.h>

/* The live areas come first and are sorted. */
static size_t live_count(const struct claims *claims)
{
	size_t low = 0, high = claims->areas.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (claims->areas.items[middle].state == AREA_LIVE)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool area_holds(const struct claim_area *area, uint64_t gva)
{
	return gva >= area->va_start && gva < area->va_end;
}

const struct claim_area *claims_area_at(const struct claims *claims, uint64_t gva)
{
	const struct claim_area *areas = claims->areas.items;
	size_t live = live_count(claims), low = 0, high = live;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (areas[middle].va_start <= gva)
			low = middle + 1;
		else
			high = middle;
	}
	if (low && area_holds(&areas[low - 1], gva))
		return &areas[low - 1];
	for (size_t i = live; i < claims->areas.count; i++)
		if (area_holds(&areas[i], gva))
			return &areas[i];
	return NULL;
}

uint64_t *claims_area_starts(const struct claims *claims, size_t *count_out)
{
	size_t count = claims ? claims->areas.count : 0;
	uint64_t *starts = calloc(count + 1, sizeof(*starts));

	*count_out = 0;
	for (size_t i = 0; starts && i < count; i++)
		if (claims->areas.items[i].state == AREA_LIVE)
			starts[(*count_out)++] = claims->areas.items[i].va_start;
	return starts;
}
