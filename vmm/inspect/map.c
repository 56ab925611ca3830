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

/* Areas by address with a cursor: an array of the claims, or pointers into it. */
struct places {
	const struct claim_area *items;
	const struct claim_area **sorted; /* NULL: items are in order */
	size_t count;
	size_t next; /* the first place not yet passed */
};

struct map_builder {
	const struct claims *claims;
	struct symbols *symbols;
	bool own; /* they are of kvmap's own guest */
	const struct map_filter *filter;
	bool selects_all; /* the filter does */
	const struct map_sink *sink;
	struct memory_map *map;
	struct places areas;  /* live and lazily freed areas, by start */
	struct places guards; /* live areas, by their guard */
	uint64_t next_guard;  /* the guard of the next of them; UINT64_MAX: there is none */
	struct callers callers;
	uint64_t last, last_size; /* of the range added last; size 0: none */
	bool failed;
	bool disordered; /* the areas of the claims are not in order, although they were taken to be */
};

/* ---- areas ---- */

static int compare_starts(const void *a, const void *b)
{
	const struct claim_area *first = *(const struct claim_area *const *)a;
	const struct claim_area *second = *(const struct claim_area *const *)b;

	return first->va_start < second->va_start ? -1 : first->va_start > second->va_start;
}

static int compare_guards(const void *a, const void *b)
{
	const struct claim_area *first = *(const struct claim_area *const *)a;
	const struct claim_area *second = *(const struct claim_area *const *)b;

	return claim_area_guard(first) < claim_area_guard(second)
		       ? -1
		       : claim_area_guard(first) > claim_area_guard(second);
}

static const struct claim_area *place_at(const struct places *places, size_t index)
{
	return places->sorted ? places->sorted[index] : &places->items[index];
}

/* in_order: the areas are, which guard_next() checks. */
static int places_open(struct map_builder *builder, bool in_order)
{
	const struct claims *claims = builder->claims;
	struct places *areas = &builder->areas, *guards = &builder->guards;
	size_t count = claims ? claims->areas.count : 0;

	/* Live areas come first: none is freed lazily. */
	if (count && in_order && claims->areas.items[count - 1].state == AREA_LIVE) {
		*areas = *guards = (struct places){ .items = claims->areas.items, .count = count };
		return 0;
	}
	areas->sorted = malloc((count + 1) * sizeof(*areas->sorted));
	guards->sorted = malloc((count + 1) * sizeof(*guards->sorted));
	if (!areas->sorted || !guards->sorted)
		return -1;
	for (size_t i = 0; i < count; i++) {
		const struct claim_area *area = &claims->areas.items[i];

		areas->sorted[areas->count++] = area;
		if (area->state == AREA_LIVE)
			guards->sorted[guards->count++] = area;
	}
	qsort(areas->sorted, areas->count, sizeof(*areas->sorted), compare_starts);
	qsort(guards->sorted, guards->count, sizeof(*guards->sorted), compare_guards);
	return 0;
}

/* The area that contains gva, or NULL. gva must not decrease from call to call. */
static const struct claim_area *area_at(struct places *areas, uint64_t gva)
{
	const struct claim_area *area;

	while (areas->next < areas->count && place_at(areas, areas->next)->va_start <= gva)
		areas->next++;
	if (!areas->next)
		return NULL;
	area = place_at(areas, areas->next - 1);
	return gva < area->va_end ? area : NULL;
}

/* ---- kinds of ranges ---- */

/*
 * The kind of a range in the loaded image, at the GVA of its segment; else ADDRESS_UNKNOWN. The GPA of kvmap's
 * own guest is as in the file; other kernels may be moved in physical memory, too.
 */
static enum address_kind image_kind(const struct map_builder *builder, const struct range *range)
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

static struct map_item range_item(struct map_builder *builder, const struct range *range)
{
	struct map_item item = {
		.start = range->gva,
		.size = range->size,
		.kind = image_kind(builder, range),
		.range = range,
	};

	if (item.kind != ADDRESS_UNKNOWN)
		return item;
	if (builder->map->direct.found && range->gva - range->gpa == builder->map->direct.base)
		item.kind = ADDRESS_DIRECT;
	else if (builder->claims) {
		item.area = area_at(&builder->areas, range->gva);
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

static bool is_wanted(const struct map_builder *builder, const struct map_item *item)
{
	const struct map_filter *filter = builder->filter;
	unsigned int rights = item->range ? item->range->rights : 0;
	uint64_t start = item->start, last = start + (item->size - 1);

	return (!filter->writable || rights & RIGHT_W) && (!filter->executable || rights & RIGHT_X) &&
	       (!filter->user || rights & RIGHT_U) && last >= filter->start && start <= filter->end &&
	       (!filter->owner || owner_is(builder->map, item, filter->owner));
}

int map_name_caller(struct map_builder *builder, struct map_item *item)
{
	if (!item->area)
		return 0;
	return callers_find(&builder->callers, builder->map, builder->symbols, item->area->caller,
			    &item->caller);
}

static inline int add(struct map_builder *builder, struct map_item *item)
{
	item->alike = map_alike(item);
	if (!builder->selects_all) {
		if (builder->filter->owner && map_name_caller(builder, item) < 0)
			return -1;
		if (!is_wanted(builder, item))
			return 0;
	}
	builder->map->item_count++;
	builder->map->range_count += item->range != NULL;
	return builder->sink->item(builder->sink->context, builder, item);
}

/* Moves on to the next guard, and checks that it is the next one. */
static void guard_next(struct map_builder *builder)
{
	struct places *guards = &builder->guards;
	const struct claim_area *passed, *next;

	builder->next_guard = UINT64_MAX;
	if (++guards->next >= guards->count)
		return;
	passed = place_at(guards, guards->next - 1);
	next = place_at(guards, guards->next);
	builder->next_guard = claim_area_guard(next);
	builder->disordered |=
		!guards->sorted && (next->state != AREA_LIVE || next->va_start < passed->va_start ||
				    next->va_end < passed->va_end);
}

/* Adds the guards below `end`, the address of the next range. */
static int add_guards(struct map_builder *builder, uint64_t end)
{
	struct places *guards = &builder->guards;

	while (builder->next_guard < end) {
		const struct claim_area *area = place_at(guards, guards->next);
		struct map_item item = {
			.start = builder->next_guard,
			.size = KVMAP_GUARD_SIZE,
			.kind = ADDRESS_GUARD,
			.area = area,
		};

		item.mapped = item.start - builder->last < builder->last_size ||
			      end - item.start < KVMAP_GUARD_SIZE;
		guard_next(builder);
		if (add(builder, &item) < 0)
			return -1;
	}
	return 0;
}

int map_add(void *context, const struct range *range)
{
	struct map_builder *builder = context;
	struct map_item item;

	builder->failed = true;
	if (add_guards(builder, range->gva) < 0)
		return -1;
	item = range_item(builder, range);
	builder->map->typed |= range->pat_index != 0;
	if (add(builder, &item) < 0)
		return -1;
	builder->last = range->gva;
	builder->last_size = range->size;
	builder->failed = false;
	return 0;
}

struct map_builder *map_open(struct memory_map *map, const struct claims *claims, struct symbols *symbols,
			     const struct map_filter *filter, const struct map_sink *sink, bool in_order)
{
	struct map_builder *builder = calloc(1, sizeof(*builder));

	if (!builder)
		return NULL;
	*builder = (struct map_builder){
		.claims = claims,
		.symbols = symbols,
		.own = symbols && symbols_are_own(symbols),
		.filter = filter,
		.sink = sink,
		.map = map,
		.next_guard = UINT64_MAX,
		.selects_all = !filter->writable && !filter->executable && !filter->user && !filter->owner &&
			       !filter->start && filter->end == UINT64_MAX,
	};
	if (places_open(builder, in_order) < 0 || callers_init(&builder->callers, map) < 0) {
		builder->failed = true;
		(void)map_close(builder);
		return NULL;
	}
	if (builder->guards.count)
		builder->next_guard = claim_area_guard(place_at(&builder->guards, 0));
	return builder;
}

int map_close(struct map_builder *builder)
{
	int result = builder->failed ? -1 : add_guards(builder, UINT64_MAX);

	if (!result && builder->disordered)
		result = MAP_DISORDERED;
	free(builder->areas.sorted);
	free(builder->guards.sorted);
	callers_destroy(&builder->callers);
	free(builder);
	return result;
}

static int item_push(void *context, struct map_builder *builder, struct map_item *item)
{
	struct memory_map *map = context;

	if (map_name_caller(builder, item) < 0)
		return -1;
	if (item->area)
		item->variable = claims_area_variable(builder->claims, item->area);
	return array_push(&map->items, *item);
}

/* 0, -1 or MAP_DISORDERED. */
static int build_list(const struct ranges *ranges, const struct claims *claims, struct symbols *symbols,
		      const struct map_filter *filter, struct memory_map *map, bool in_order)
{
	const struct map_sink sink = { .item = item_push, .context = map };
	struct map_builder *builder = map_open(map, claims, symbols, filter, &sink, in_order);

	if (!builder)
		return -1;
	for (size_t i = 0; i < ranges->count; i++)
		if (map_add(builder, &ranges->items[i]) < 0)
			break;
	return map_close(builder);
}

int map_build(const struct ranges *ranges, const struct map_direct *direct, const struct claims *claims,
	      struct symbols *symbols, const struct map_filter *filter, struct memory_map *out,
	      struct error *error)
{
	struct memory_map map = { .direct = *direct };
	int result = build_list(ranges, claims, symbols, filter, &map, true);

	if (result == MAP_DISORDERED) {
		map_destroy(&map);
		map.direct = *direct;
		result = build_list(ranges, claims, symbols, filter, &map, false);
	}
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
	free(map->ranges.items);
	*map = (struct memory_map){ 0 };
}
