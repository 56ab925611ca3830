/* SPDX-License-Identifier: MIT */
/*
 * map.c: builds the list of ranges and guards and classifies each.
 */
#include "inspect/map.h"

#include "base/array.h"
#include "inspect/address.h"
#include "inspect/map_callers.h"
#include "inspect/map_fold.h"
#include "kvmap/layout.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The members of an area or its guard that the list needs, side by side in memory. */
struct place {
	uint64_t start, end; /* of the area, or of its guard */
	uint64_t caller;
	const struct claim_area *area;
	enum address_kind kind; /* of the area */
};

/* Sorted places with a cursor. */
struct places {
	struct place *items;
	size_t count;
	size_t next; /* the first place not yet passed */
};

struct builder {
	const struct claims *claims;
	struct symbols *symbols;
	bool own; /* they are of kvmap's own guest */
	const struct map_filter *filter;
	struct memory_map *map;
	struct places areas;  /* live and lazily freed areas, by start */
	struct places guards; /* of live areas, by start */
	struct callers callers;
	const struct range *last; /* the range added last */
};

/* ---- areas ---- */

static int compare_places(const void *a, const void *b)
{
	const struct place *first = a, *second = b;

	return first->start < second->start ? -1 : first->start > second->start;
}

/* The claims of live areas are sorted, except in a damaged guest: mostly there is nothing to sort. */
static void places_sort(struct places *places)
{
	for (size_t i = 1; i < places->count; i++) {
		if (places->items[i - 1].start > places->items[i].start) {
			qsort(places->items, places->count, sizeof(*places->items), compare_places);
			break;
		}
	}
}

static int places_collect(struct builder *builder)
{
	const struct claims *claims = builder->claims;
	struct places *areas = &builder->areas, *guards = &builder->guards;
	size_t count = claims ? claims->areas.count : 0;

	areas->items = malloc((count + 1) * sizeof(*areas->items));
	guards->items = malloc((count + 1) * sizeof(*guards->items));
	if (!areas->items || !guards->items)
		return -1;
	for (size_t i = 0; i < count; i++) {
		const struct claim_area *area = &claims->areas.items[i];
		struct place place = { area->va_start, area->va_end, area->caller, area,
				       address_area_kind(area) };

		areas->items[areas->count++] = place;
		if (area->state != AREA_LIVE)
			continue;
		place.start = claim_area_guard(area);
		guards->items[guards->count++] = place;
	}
	places_sort(areas);
	places_sort(guards);
	return 0;
}

/* The area that contains gva, or NULL. gva must not decrease from call to call. */
static const struct place *area_at(struct places *areas, uint64_t gva)
{
	const struct place *place;

	while (areas->next < areas->count && areas->items[areas->next].start <= gva)
		areas->next++;
	if (!areas->next)
		return NULL;
	place = &areas->items[areas->next - 1];
	return gva < place->end ? place : NULL;
}

/* ---- kinds of ranges ---- */

/*
 * The kind of a range in the loaded image, at the GVA of its segment; else ADDRESS_UNKNOWN. The GPA of kvmap's
 * own guest is as in the file; other kernels may be moved in physical memory, too.
 */
static enum address_kind image_kind(const struct builder *builder, const struct range *range)
{
	const struct symbols_segment *segment = symbols_segment_at(builder->symbols, range->gva);

	return segment && (!builder->own || range->gpa - (range->gva - segment->gva) == segment->gpa)
		       ? address_segment_kind(segment)
		       : ADDRESS_UNKNOWN;
}

static enum address_kind claimed_kind(const struct range *range, const struct place *place)
{
	if (place)
		return place->kind;
	if (range->gva >= KVMAP_VMALLOC_START && range->gva < KVMAP_VMALLOC_END)
		return ADDRESS_STRAY;
	return range->gva >= KVMAP_IMAGE_BASE ? ADDRESS_IMAGE : ADDRESS_NOTHING;
}

/* *place_out: of the area that the range belongs to, or NULL. */
static struct map_item range_item(struct builder *builder, const struct range *range,
				  const struct place **place_out)
{
	struct map_item item = {
		.start = range->gva,
		.size = range->size,
		.kind = image_kind(builder, range),
		.range = range,
	};

	*place_out = NULL;
	if (item.kind != ADDRESS_UNKNOWN)
		return item;
	if (builder->map->direct.found && range->gva - range->gpa == builder->map->direct.base)
		item.kind = ADDRESS_DIRECT;
	else if (builder->claims) {
		*place_out = area_at(&builder->areas, range->gva);
		item.area = *place_out ? (*place_out)->area : NULL;
		item.kind = claimed_kind(range, *place_out);
	}
	return item;
}

/* ---- filter and list ---- */

static bool owner_is(const struct memory_map *map, const struct map_item *item, const char *owner)
{
	const struct map_caller *caller = &map->callers.items[item->caller];

	if (!strcmp(owner, address_kind_name(item->kind)))
		return true;
	return caller->name_length && strlen(owner) == caller->name_length &&
	       !memcmp(owner, caller->place, caller->name_length);
}

static bool is_wanted(const struct builder *builder, const struct map_item *item)
{
	const struct map_filter *filter = builder->filter;
	unsigned int rights = item->range ? item->range->rights : 0;
	uint64_t start = item->start, last = start + (item->size - 1);

	return (!filter->writable || rights & RIGHT_W) && (!filter->executable || rights & RIGHT_X) &&
	       (!filter->user || rights & RIGHT_U) && last >= filter->start && start <= filter->end &&
	       (!filter->owner || owner_is(builder->map, item, filter->owner));
}

/* place: of the area of the item, or NULL. */
static int add(struct builder *builder, struct map_item *item, const struct place *place)
{
	if (place) {
		if (callers_find(&builder->callers, builder->map, builder->symbols, place->caller,
				 &item->caller) < 0)
			return -1;
		item->variable = claims_area_variable(builder->claims, place->area);
	}
	item->alike = map_alike(item);
	return is_wanted(builder, item) ? array_push(&builder->map->items, *item) : 0;
}

/* Adds the guards below `end`, the address of the next range. */
static int add_guards(struct builder *builder, uint64_t end)
{
	struct places *guards = &builder->guards;

	for (; guards->next < guards->count && guards->items[guards->next].start < end; guards->next++) {
		const struct place *place = &guards->items[guards->next];
		const struct range *last = builder->last;
		struct map_item item = {
			.start = place->start,
			.size = KVMAP_GUARD_SIZE,
			.kind = ADDRESS_GUARD,
			.area = place->area,
			.mapped = (last && place->start >= last->gva &&
				   place->start - last->gva < last->size) ||
				  end - place->start < KVMAP_GUARD_SIZE,
		};

		if (add(builder, &item, place) < 0)
			return -1;
	}
	return 0;
}

static int build(struct builder *builder, const struct ranges *ranges)
{
	const struct place *place;

	if (places_collect(builder) < 0 || callers_init(&builder->callers, builder->map) < 0)
		return -1;
	for (size_t i = 0; i < ranges->count; i++) {
		struct map_item item;

		if (add_guards(builder, ranges->items[i].gva) < 0)
			return -1;
		item = range_item(builder, &ranges->items[i], &place);
		if (add(builder, &item, place) < 0)
			return -1;
		builder->last = &ranges->items[i];
	}
	return add_guards(builder, UINT64_MAX);
}

int map_build(const struct ranges *ranges, const struct map_direct *direct, const struct claims *claims,
	      struct symbols *symbols, const struct map_filter *filter, struct memory_map *out,
	      struct error *error)
{
	struct memory_map map = { .direct = *direct };
	struct builder builder = {
		.claims = claims,
		.symbols = symbols,
		.own = symbols && symbols_are_own(symbols),
		.filter = filter,
		.map = &map,
	};
	int result;

	result = build(&builder, ranges);
	free(builder.areas.items);
	free(builder.guards.items);
	callers_destroy(&builder.callers);
	if (result < 0) {
		map_destroy(&map);
		return error_set(error, ERROR_HOST, ENOMEM, 0, "the memory map of the guest");
	}
	*out = map;
	return 0;
}

void map_destroy(struct memory_map *map)
{
	free(map->items.items);
	free(map->callers.items);
	*map = (struct memory_map){ 0 };
}
