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
 * least half of the view's memory is mapped. ranges must be all ranges of the guest.
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
void map_destroy(struct memory_map *map);

/*
 * Whether `owner` of a filter can select anything: a kind, a function that allocated an area of the map, or any
 * symbol. If not, an error names the nearest kind or function.
 */
int map_check_owner(const struct memory_map *map, const struct symbols *symbols, const char *owner,
		    struct error *error);

#endif
