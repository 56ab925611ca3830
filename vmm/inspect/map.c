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

/* Areas by address with a cursor: those of the claims, or a sorted copy. */
struct places {
	const struct claim_place *items;
	struct claim_place *sorted; /* the copy; NULL: none */
	size_t count;
	size_t next; /* the first place not yet passed */
};

/* The line that items of one key are added to; NULL: they are made. */
struct open_sum {
	struct map_line *line;
	uint64_t last; /* the last address that it is valid for */
	uint32_t alike;
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
	struct open_sum sums[ADDRESS_KIND_COUNT]; /* by kind: the last; neighbours are mostly alike */
	struct callers callers;
	uint64_t last, last_size; /* of the range added last; size 0: none */
	bool failed;
	bool disordered; /* the areas of the claims are not in order, although they were taken to be */
};

/* ---- areas ---- */

static uint64_t guard_of(const struct claim_place *place)
{
	return place->va_end - KVMAP_GUARD_SIZE;
}

static int compare_starts(const void *a, const void *b)
{
	const struct claim_place *first = a, *second = b;

	return first->va_start < second->va_start ? -1 : first->va_start > second->va_start;
}

static int compare_guards(const void *a, const void *b)
{
	uint64_t first = guard_of(a), second = guard_of(b);

	return first < second ? -1 : first > second;
}

static const struct claim_area *area_of(const struct map_builder *builder, const struct claim_place *place)
{
	return &builder->claims->areas.items[place->area];
}

/* in_order: the areas are, which guard_next() checks. */
static int places_open(struct map_builder *builder, bool in_order)
{
	const struct claims *claims = builder->claims;
	struct places *areas = &builder->areas, *guards = &builder->guards;
	const struct claim_place *items = claims ? claims->places.items : NULL;
	size_t count = claims ? claims->places.count : 0;

	/* Live areas come first: none is freed lazily. */
	if (count && in_order && items[count - 1].live) {
		*areas = *guards = (struct places){ .items = items, .count = count };
		return 0;
	}
	areas->items = areas->sorted = malloc((count + 1) * sizeof(*areas->sorted));
	guards->items = guards->sorted = malloc((count + 1) * sizeof(*guards->sorted));
	if (!areas->sorted || !guards->sorted)
		return -1;
	for (size_t i = 0; i < count; i++) {
		areas->sorted[areas->count++] = items[i];
		if (items[i].live)
			guards->sorted[guards->count++] = items[i];
	}
	qsort(areas->sorted, areas->count, sizeof(*areas->sorted), compare_starts);
	qsort(guards->sorted, guards->count, sizeof(*guards->sorted), compare_guards);
	return 0;
}

/* The area that contains gva, or NULL. gva must not decrease from call to call. */
static const struct claim_place *place_at(struct places *areas, uint64_t gva)
{
	while (areas->next < areas->count && areas->items[areas->next].va_start <= gva)
		areas->next++;
	return areas->next && gva < areas->items[areas->next - 1].va_end ? &areas->items[areas->next - 1]
									 : NULL;
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

static enum address_kind claimed_kind(const struct range *range, const struct claim_place *place)
{
	if (place)
		return address_area_kind(place->live, place->deferred);
	if (range->gva >= KVMAP_VMALLOC_START && range->gva < KVMAP_VMALLOC_END)
		return ADDRESS_STRAY;
	return range->gva >= KVMAP_IMAGE_BASE ? ADDRESS_IMAGE : ADDRESS_NOTHING;
}

/* *place_out: of the area that contains the range; NULL: none. */
static inline enum address_kind range_kind(struct map_builder *builder, const struct range *range,
					   const struct claim_place **place_out)
{
	enum address_kind kind = image_kind(builder, range);

	*place_out = NULL;
	if (kind != ADDRESS_UNKNOWN)
		return kind;
	if (builder->map->direct.found && range->gva - range->gpa == builder->map->direct.base)
		return ADDRESS_DIRECT;
	if (!builder->claims)
		return ADDRESS_UNKNOWN;
	*place_out = place_at(&builder->areas, range->gva);
	return claimed_kind(range, *place_out);
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

/* The line that sums up such items. NULL: they are to be made. */
static __attribute__((noinline)) struct map_line *find_sum(struct map_builder *builder, struct open_sum *sum,
							   uint32_t alike, uint64_t start)
{
	const struct map_sink *sink = builder->sink;

	*sum = (struct open_sum){ .alike = alike };
	if (builder->selects_all && sink->sum)
		sum->line = sink->sum(sink->context, alike, start, &sum->last);
	return sum->line;
}

/* Whether the item only had to be added to a sum. */
static inline bool is_summed(struct map_builder *builder, enum address_kind kind, uint32_t alike,
			     uint64_t start, uint64_t size, const struct range *range)
{
	struct open_sum *sum = &builder->sums[kind];

	if ((!sum->line || sum->alike != alike || start > sum->last) && !find_sum(builder, sum, alike, start))
		return false;
	map_line_add(sum->line, start, size, range);
	builder->map->item_count++;
	builder->map->range_count += range != NULL;
	return true;
}

static int add(struct map_builder *builder, struct map_item *item)
{
	if (!builder->selects_all) {
		if (builder->filter->owner && map_name_caller(builder, item) < 0)
			return -1;
		if (!is_wanted(builder, item))
			return 0;
	}
	builder->map->item_count++;
	builder->map->range_count += item->range != NULL;
	memset(builder->sums, 0, sizeof(builder->sums));
	return builder->sink->item(builder->sink->context, builder, item);
}

/* Moves on to the next guard, and checks that it is the next one. */
static void guard_next(struct map_builder *builder)
{
	struct places *guards = &builder->guards;
	const struct claim_place *passed, *next;

	builder->next_guard = UINT64_MAX;
	if (++guards->next >= guards->count)
		return;
	next = &guards->items[guards->next];
	passed = next - 1;
	builder->next_guard = guard_of(next);
	builder->disordered |= !guards->sorted && (!next->live || next->va_start < passed->va_start ||
						   next->va_end < passed->va_end);
}

static __attribute__((noinline)) int add_guard(struct map_builder *builder, uint64_t start,
					       const struct claim_place *place, uint64_t end)
{
	struct map_item item = {
		.start = start,
		.size = KVMAP_GUARD_SIZE,
		.kind = ADDRESS_GUARD,
		.area = area_of(builder, place),
		.alike = map_alike(ADDRESS_GUARD, NULL),
		.mapped = start - builder->last < builder->last_size || end - start < KVMAP_GUARD_SIZE,
	};

	return add(builder, &item);
}

/* Adds the guards below `end`, the address of the next range. */
static inline int add_guards(struct map_builder *builder, uint64_t end)
{
	while (builder->next_guard < end) {
		const struct claim_place *place = &builder->guards.items[builder->guards.next];
		uint64_t start = builder->next_guard;

		guard_next(builder);
		if (!is_summed(builder, ADDRESS_GUARD, map_alike(ADDRESS_GUARD, NULL), start,
			       KVMAP_GUARD_SIZE, NULL) &&
		    add_guard(builder, start, place, end) < 0)
			return -1;
	}
	return 0;
}

static __attribute__((noinline)) int add_range(struct map_builder *builder, const struct range *range,
					       enum address_kind kind, const struct claim_place *place)
{
	struct map_item item = {
		.start = range->gva,
		.size = range->size,
		.kind = kind,
		.range = range,
		.area = place ? area_of(builder, place) : NULL,
		.alike = map_alike(kind, range),
	};

	return add(builder, &item);
}

static int add_failed(struct map_builder *builder)
{
	builder->failed = true;
	return -1;
}

int map_add(void *context, const struct range *range)
{
	struct map_builder *builder = context;
	const struct claim_place *place;
	enum address_kind kind;
	uint32_t alike;

	if (add_guards(builder, range->gva) < 0)
		return add_failed(builder);
	kind = range_kind(builder, range, &place);
	alike = map_alike(kind, range);
	builder->map->typed |= range->pat_index != 0;
	if (!is_summed(builder, kind, alike, range->gva, range->size, range) &&
	    add_range(builder, range, kind, place) < 0)
		return add_failed(builder);
	builder->last = range->gva;
	builder->last_size = range->size;
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
		builder->next_guard = guard_of(&builder->guards.items[0]);
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
