/* SPDX-License-Identifier: MIT */
/*
 * map.h: the memory map of a guest, as a list: every merged range with what it is, and the guard pages
 * between.
 *
 * What a range is comes from the claims of kvmap's own guest. Of a guest that makes none, the direct map is
 * known by its shape, and the rest is just mapped.
 */
#ifndef VMM_INSPECT_MAP_H
#define VMM_INSPECT_MAP_H

#include "base/array.h"
#include "claims/claims.h"
#include "inspect/address.h"
#include "paging/ranges.h"

/* Who allocated an area, by the address that it returned to. */
struct map_caller {
	uint64_t address;
	char place[160]; /* "op_vmalloc+0x12 (op_areas.c:12)"; "" where there is no symbol. Escaped */
	unsigned int name_length; /* of the function's name, at the start of place */
};

struct map_item {
	enum address_kind
		kind;    /* of a range: where the tables agree with the layout; else NOTHING or UNKNOWN */
	uint32_t caller; /* index into map.callers, of areas and guards; 0 is nobody */
	const struct range *range; /* NULL: a guard, which is not there */
	const struct claim_area *area;
	bool mapped; /* of a guard: the range before it reaches over it */
};

/* Where all of RAM is mapped at one distance. */
struct map_direct {
	bool found;
	uint64_t base; /* GVA - GPA, modulo 2^64 */
};

struct memory_map {
	ARRAY_OF(struct map_item)
	items; /* by address; a guard that is mapped comes after the range around it */
	ARRAY_OF(struct map_caller) callers;
	struct map_direct direct;
};

/* What is left out of a map. All zero but `end`, ~0: nothing. */
struct map_filter {
	bool writable, executable, user; /* only what has that right; guards have none */
	uint64_t start, end;             /* only what has an address in [start, end], both inclusive */
	const char *owner; /* only this kind, by name, or the areas that this function allocated. NULL: all */
};

/* The first address of a range or of a guard page, and how many bytes it has. */
uint64_t map_item_start(const struct map_item *item);
uint64_t map_item_size(const struct map_item *item);

/*
 * Where the direct map is: of kvmap's own guest, which has claims, where it says; of others by the shape of
 * the ranges, which are all of the guest's: at one distance at least half of the view's memory. claims may be
 * NULL.
 */
struct map_direct map_direct(const struct ranges *ranges, const struct view *view,
			     const struct claims *claims);

/*
 * Lists ranges and guards. claims and symbols may be NULL; ranges, claims and symbols must outlive the map.
 * 0, or -1 when memory is out.
 */
int map_build(const struct ranges *ranges, const struct map_direct *direct, const struct claims *claims,
	      struct symbols *symbols, const struct map_filter *filter, struct memory_map *out,
	      struct error *error);
void map_destroy(struct memory_map *map);

#endif
