/* SPDX-License-Identifier: MIT */
/*
 * lookup.c: areas with their places, areas by address, variables by name and by area.
 */
#include "claims/claims.h"

#include "base/lower_bound.h"
#include "kvmap/layout.h"

#include <stdlib.h>
#include <string.h>

int claims_add_area(struct claims *claims, const struct claim_area *area)
{
	const struct claim_place place = {
		.va_start = area->va_start,
		.va_end = area->va_end,
		.area = (uint32_t)claims->areas.count,
		.live = area->state == AREA_LIVE,
		.deferred = area->deferred,
	};

	return array_push(&claims->areas, *area) < 0 || array_push(&claims->places, place) < 0 ? -1 : 0;
}

/* The live areas come first and are sorted. */
static size_t live_count(const struct claims *claims)
{
	return lower_bound(claims->areas.count, i, claims->areas.items[i].state == AREA_LIVE);
}

static bool area_holds(const struct claim_area *area, uint64_t gva)
{
	return gva >= area->va_start && gva < area->va_end;
}

const struct claim_area *claims_area_at(const struct claims *claims, uint64_t gva)
{
	const struct claim_area *areas = claims->areas.items;
	size_t live = live_count(claims), after = lower_bound(live, i, areas[i].va_start <= gva);

	if (after && area_holds(&areas[after - 1], gva))
		return &areas[after - 1];
	for (size_t i = live; i < claims->areas.count; i++)
		if (area_holds(&areas[i], gva))
			return &areas[i];
	return NULL;
}

const struct claim_variable *claims_variable(const struct claims *claims, const char *name, size_t length)
{
	for (size_t i = claims ? claims->variables.count : 0; length && i-- > 0;) {
		const struct claim_variable *variable = &claims->variables.items[i];

		if (strlen(variable->name) == length && !memcmp(variable->name, name, length))
			return variable;
	}
	return NULL;
}

const char *claims_area_variable(const struct claims *claims, const struct claim_area *area)
{
	bool live = area->state == AREA_LIVE && !area->deferred;

	for (size_t i = claims ? claims->variables.count : 0; i-- > 0;) {
		const struct claim_variable *variable = &claims->variables.items[i];

		if (*variable->name && variable->address == area->va_start &&
		    variable->state != VARIABLE_UNSET && (variable->state == VARIABLE_LIVE || !live))
			return variable->name;
	}
	return NULL;
}

const struct claim_variable *claims_object_variable(const struct claims *claims, uint64_t gva, uint64_t size,
						    size_t *next)
{
	while (claims && *next < claims->variables.count) {
		const struct claim_variable *variable = &claims->variables.items[(*next)++];
		uint64_t start = variable->address;

		/* Areas of vmalloc lie above the direct map. */
		if (*variable->name && variable->state == VARIABLE_LIVE && start >= KVMAP_DIRECT_BASE &&
		    start < KVMAP_VMALLOC_START &&
		    (start >= gva ? start - gva < size : gva - start < variable->size))
			return variable;
	}
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

uint64_t claims_area_runs(const struct claims *claims, const struct claim_area *area)
{
	uint64_t runs = 0;

	for (size_t i = area->first_frame; i < area->first_frame + area->frame_count; i++)
		runs += i == area->first_frame || claims->frames.items[i] != claims->frames.items[i - 1] + 1;
	return runs;
}
