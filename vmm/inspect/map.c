/* SPDX-License-Identifier: MIT */
/*
 * map.c: builds the list of ranges and guards and classifies each.
 */
#include "inspect/map.h"

#include "base/array.h"
#include "inspect/address.h"
#include "inspect/map_callers.h"
#include "kvmap/layout.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Sorted areas with a cursor. */
struct areas {
	const struct claim_area **items;
	size_t count;
	size_t next; /* the first area not yet passed */
};

struct builder {
	const struct claims *claims;
	struct symbols *symbols;
	bool own; /* they are of kvmap's own guest */
	const struct map_filter *filter;
	struct memory_map *map;
	struct areas areas;  /* live and lazily freed areas, by start */
	struct areas guards; /* live areas, by the address of the guard */
	struct callers callers;
	const struct range *last; /* the range added last */
};

uint64_t map_item_start(const struct map_item *item)
{
	return item->range ? item->range->gva : claim_area_guard(item->area);
}

uint64_t map_item_size(const struct map_item *item)
{
	return item->range ? item->range->size : KVMAP_GUARD_SIZE;
}

/* ---- areas ---- */

static int compare_starts(const void *a, const void *b)
{
	const struct claim_area *const *first = a, *const *second = b;

	return (*first)->va_start < (*second)->va_start ? -1 : (*first)->va_start > (*second)->va_start;
}

static int compare_ends(const void *a, const void *b)
{
	const struct claim_area *const *first = a, *const *second = b;

	return (*first)->va_end < (*second)->va_end ? -1 : (*first)->va_end > (*second)->va_end;
}

static int areas_collect(struct areas *areas, const struct claims *claims, bool lazy_too,
			 int (*compare)(const void *, const void *))
{
	size_t count = claims ? claims->areas.count : 0;

	areas->items = calloc(count + 1, sizeof(*areas->items));
	if (!areas->items)
		return -1;
	for (size_t i = 0; i < count; i++)
		if (lazy_too || claims->areas.items[i].state == AREA_LIVE)
			areas->items[areas->count++] = &claims->areas.items[i];
	/* The claims of live areas are sorted, except in a damaged guest: mostly there is nothing to sort. */
	for (size_t i = 1; i < areas->count; i++) {
		if (compare(&areas->items[i - 1], &areas->items[i]) > 0) {
			qsort(areas->items, areas->count, sizeof(*areas->items), compare);
			break;
		}
	}
	return 0;
}

/* The area that contains gva, or NULL. gva must not decrease from call to call. */
static const struct claim_area *areas_at(struct areas *areas, uint64_t gva)
{
	const struct claim_area *area;

	while (areas->next < areas->count && areas->items[areas->next]->va_start <= gva)
		areas->next++;
	if (!areas->next)
		return NULL;
	area = areas->items[areas->next - 1];
	return gva < area->va_end ? area : NULL;
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

static enum address_kind claimed_kind(const struct range *range, const struct claim_area *area)
{
	if (area)
		return address_area_kind(area);
	if (range->gva >= KVMAP_VMALLOC_START && range->gva < KVMAP_VMALLOC_END)
		return ADDRESS_STRAY;
	return range->gva >= KVMAP_IMAGE_BASE ? ADDRESS_IMAGE : ADDRESS_NOTHING;
}

static struct map_item range_item(struct builder *builder, const struct range *range)
{
	struct map_item item = { .kind = image_kind(builder, range), .range = range };

	if (item.kind != ADDRESS_UNKNOWN)
		return item;
	if (builder->map->direct.found && range->gva - range->gpa == builder->map->direct.base)
		item.kind = ADDRESS_DIRECT;
	else if (builder->claims) {
		item.area = areas_at(&builder->areas, range->gva);
		item.kind = claimed_kind(range, item.area);
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
	uint64_t start = map_item_start(item), last = start + (map_item_size(item) - 1);

	return (!filter->writable || rights & RIGHT_W) && (!filter->executable || rights & RIGHT_X) &&
	       (!filter->user || rights & RIGHT_U) && last >= filter->start && start <= filter->end &&
	       (!filter->owner || owner_is(builder->map, item, filter->owner));
}

static int add(struct builder *builder, struct map_item item)
{
	if (item.area && callers_find(&builder->callers, builder->map, builder->symbols, item.area->caller,
				      &item.caller) < 0)
		return -1;
	if (item.area)
		item.variable = claims_area_variable(builder->claims, item.area);
	return is_wanted(builder, &item) ? array_push(&builder->map->items, item) : 0;
}

/* Adds the guards below `end`, the address of the next range. */
static int add_guards(struct builder *builder, uint64_t end)
{
	struct areas *guards = &builder->guards;

	for (; guards->next < guards->count && claim_area_guard(guards->items[guards->next]) < end;
	     guards->next++) {
		struct map_item item = { .kind = ADDRESS_GUARD, .area = guards->items[guards->next] };
		uint64_t guard = claim_area_guard(item.area);
		const struct range *last = builder->last;

		item.mapped = (last && guard >= last->gva && guard - last->gva < last->size) ||
			      end - guard < KVMAP_GUARD_SIZE;
		if (add(builder, item) < 0)
			return -1;
	}
	return 0;
}

static int build(struct builder *builder, const struct ranges *ranges)
{
	if (areas_collect(&builder->areas, builder->claims, true, compare_starts) < 0 ||
	    areas_collect(&builder->guards, builder->claims, false, compare_ends) < 0 ||
	    callers_init(&builder->callers, builder->map) < 0)
		return -1;
	for (size_t i = 0; i < ranges->count; i++) {
		if (add_guards(builder, ranges->items[i].gva) < 0 ||
		    add(builder, range_item(builder, &ranges->items[i])) < 0)
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
