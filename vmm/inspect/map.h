/* SPDX-License-Identifier: MIT */
/*
 * map.h: the memory map of a guest as a list: every merged range with its kind, and the guards between
 * them.
 *
 * The kinds of ranges come from the claims of kvmap's own guest. In a guest without claims, the direct map is
 * recognised by its constant offset; all other ranges are of unknown kind.
 */
#ifndef VMM_INSPECT_MAP_H
#define VMM_INSPECT_MAP_H

#include "base/array.h"
#include "claims/claims.h"
#include "inspect/address.h"
#include "paging/ranges.h"

/* The function that allocated an area, from the return address that the guest recorded. */
struct map_caller {
	uint64_t address;
	char place[160]; /* "op_vmalloc+0x12 (op_areas.c:12)"; "" without a symbol. Escaped for output. */
	unsigned int name_length; /* of the function's name, at the start of place */
};

struct map_item {
	uint64_t start, size; /* of the range or guard; size in bytes */
	enum address_kind
		kind;    /* of a range: by tables and layout; NOTHING or UNKNOWN if they do not agree */
	uint32_t caller; /* of areas and guards: index into map.callers; 0: no caller */
	const struct range *range;     /* NULL: a guard */
	const struct claim_area *area; /* NULL: no area */
	const char *variable;          /* of the script, that holds the area; NULL: none */
	uint32_t alike;                /* map_alike(): what it may be folded by */
	bool mapped;                   /* of a guard: it is mapped, which is an error */
};

/* The direct map: all of RAM at a constant offset. */
struct map_direct {
	bool found;
	uint64_t base; /* GVA - GPA, modulo 2^64 */
	bool assumed;  /* the guest does not say so: it is known by its shape */
};

struct memory_map {
	ARRAY_OF(struct map_item)
	items; /* by address; a guard that is mapped follows the range that contains it */
	ARRAY_OF(struct map_caller) callers;
	struct map_direct direct;
	ARRAY_OF(struct range) ranges; /* map_read_folded(): those of the items */
	size_t item_count;             /* selected, listed or not */
	size_t range_count;            /* those of them that are ranges */
	bool typed; /* a range, selected or not, has a memory type other than the first of the PAT */
};

struct map_builder;
struct map_line;

/*
 * Takes each item, in order. Nonzero: memory is out. The item and its range are valid until it returns; it has no caller
 * before map_name_caller(), and no variable.
 */
struct map_sink {
	int (*item)(void *context, struct map_builder *builder, struct map_item *item);
	/*
	 * May be NULL. The line that items of this key (map_alike()) are to be added to by map_line_add() instead,
	 * as nothing else of them is needed: those from `start` to *last_out, until the next item(). NULL: the item
	 * is needed. Not called with a filter.
	 */
	struct map_line *(*sum)(void *context, uint32_t alike, uint64_t start, uint64_t *last_out);
	void *context;
};

/* Selects the items of a map; an item must pass all conditions. { .end = ~0 } selects all. */
struct map_filter {
	bool writable, executable, user; /* items that have the right; guards have none */
	uint64_t start, end;             /* items that overlap [start, end], both inclusive */
	const char
		*owner; /* items of the kind of this name, or areas allocated by this function. NULL: all */
};

/*
 * Finds the direct map. With claims: at its fixed base. Without (claims is NULL): the offset at which at
 * least half of the view's memory is mapped. ranges must be all ranges of the guest, or NULL with claims.
 */
struct map_direct map_direct(const struct ranges *ranges, const struct view *view,
			     const struct claims *claims);

/*
 * Lists ranges and guards. claims and symbols may be NULL; ranges, claims and symbols must outlive the
 * map. 0, or -1 if memory is out.
 */
int map_build(const struct ranges *ranges, const struct map_direct *direct, const struct claims *claims,
	      struct symbols *symbols, const struct map_filter *filter, struct memory_map *out,
	      struct error *error);
/*
 * The same for ranges that are passed one at a time, in order: map_open(), map_add() of each, map_close() whether they
 * failed or not. Only callers are kept, in *map. in_order: the areas of the claims are taken to be, as they are in a
 * guest that is not damaged; map_close() returns MAP_DISORDERED if they were not, and all is to be done again without.
 */
#define MAP_DISORDERED 1

struct map_builder *map_open(struct memory_map *map, const struct claims *claims, struct symbols *symbols,
			     const struct map_filter *filter, const struct map_sink *sink, bool in_order);
int map_add(void *builder, const struct range *range);
int map_close(struct map_builder *builder);

/* Sets the caller of an item. 0, or -1 if memory is out. */
int map_name_caller(struct map_builder *builder, struct map_item *item);
void map_destroy(struct memory_map *map);

/*
 * Whether `owner` of a filter can select anything: a kind, a function that allocated an area of the map, or any
 * symbol. If not, an error names the nearest kind or function.
 */
int map_check_owner(const struct memory_map *map, const struct symbols *symbols, const char *owner,
		    struct error *error);

#endif
