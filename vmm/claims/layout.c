/* SPDX-License-Identifier: MIT */
/*
 * layout.c: resolves every name of layout.h in the guest's file and checks, once, all sizes that the readers
 * rely on.
 */
#include "claims/known_layout.h"

#include "base/page.h"
#include "program/program_file.h"
#include "kvmap/layout.h"
#include "kvmap/operation.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static_assert(KVMAP_PAGE_SIZE == PAGE_4K, "the guest's pages are those of the lowest level");

static const struct {
	const char *name;
	bool number;
} roots[CLAIM_ROOT_COUNT] = {
#define ROOT_NUMBER(name) { #name, true },
#define ROOT_OBJECT(name) { #name, false },
	CLAIM_ROOTS(ROOT_NUMBER, ROOT_OBJECT)
};

static const struct {
	const char *structure, *member;
	enum claim_type owner;
	bool number;
} types[CLAIM_TYPE_COUNT] = {
#define TYPE_STRUCTURE(structure)      { #structure, NULL, TYPE_##structure, false },
#define TYPE_NUMBER(structure, member) { #structure, #member, TYPE_##structure, true },
#define TYPE_OBJECT(structure, member) { #structure, #member, TYPE_##structure, false },
	CLAIM_TYPES(TYPE_STRUCTURE, TYPE_NUMBER, TYPE_OBJECT)
};

const char *layout_root_name(enum claim_root root)
{
	return roots[root].name;
}

uint64_t layout_number(const uint8_t *bytes, uint32_t size)
{
	uint16_t two;
	uint32_t four;
	uint64_t eight;

	switch (size) {
	case 1: return bytes[0];
	case 2: memcpy(&two, bytes, sizeof(two)); return two;
	case 4: memcpy(&four, bytes, sizeof(four)); return four;
	default: memcpy(&eight, bytes, sizeof(eight)); return eight;
	}
}

static bool number_size(uint64_t size)
{
	return size == 1 || size == 2 || size == 4 || size == 8;
}

static int layout_roots(struct claims_layout *layout, const struct symbols *symbols, const char *file,
			struct error *error)
{
	struct claim_root_location *root;

	for (size_t i = 0; i < CLAIM_ROOT_COUNT; i++) {
		root = &layout->roots[i];
		if (!symbols_find(symbols, roots[i].name, &root->gva, &root->size))
			return error_set(error, ERROR_INPUT, 0, 0, "%s has no `%s`: not a kvmap guest?", file,
					 roots[i].name);
	}
	return 0;
}

static bool is_known(const struct symbols *symbols, const struct known_layout *known)
{
	struct build_id id;

	return known->id_size && build_id_of_file(symbols, &id) && id.size == known->id_size &&
	       !memcmp(id.bytes, known->id, id.size);
}

static int layout_types(struct claims_layout *layout, const struct symbols *symbols,
			const struct known_layout *known, struct error *error)
{
	struct type_wanted wanted[CLAIM_TYPE_COUNT];

	if (is_known(symbols, known)) {
		memcpy(layout->types, known->types, sizeof(layout->types));
		return 0;
	}
	for (size_t i = 0; i < CLAIM_TYPE_COUNT; i++)
		wanted[i] = (struct type_wanted){ types[i].structure, types[i].member, &layout->types[i] };
	return types_resolve(symbols, wanted, CLAIM_TYPE_COUNT, error);
}

static bool root_fits(const struct claim_root_location *root, bool number)
{
	return root->size && (!number || number_size(root->size)) && root->size <= UINT64_MAX - root->gva;
}

static bool type_fits(const struct claims_layout *layout, size_t type)
{
	const struct type_member *member = &layout->types[type];
	uint32_t whole = layout->types[types[type].owner].size;

	if (!types[type].member)
		return whole && whole <= CLAIM_STRUCTURE_MAX;
	if (types[type].number && !number_size(member->size))
		return false;
	return member->size && member->offset <= whole && member->size <= whole - member->offset;
}

/* Members and roots that are read as one structure must have the size of its type. */
static bool shapes_fit(const struct claims_layout *layout)
{
	return layout->types[MEMBER_vmap_area_rb_node].size == layout_size(layout, TYPE_rb_node) &&
	       layout->roots[ROOT_agent].size == layout_size(layout, TYPE_agent) &&
	       layout->roots[ROOT_memblock].size == layout_size(layout, TYPE_memblock) &&
	       layout->types[MEMBER_cpu_cache_pcp].size == layout_size(layout, TYPE_per_cpu_pages) &&
	       layout->types[MEMBER_cpu_cache_pcp_zero].size == layout_size(layout, TYPE_per_cpu_pages) &&
	       layout->types[MEMBER_cpu_cache_lazy].size == layout_size(layout, TYPE_vmap_lazy) &&
	       layout->types[MEMBER_cpu_cache_stats].size == layout_size(layout, TYPE_vmalloc_stats);
}

/* ---- arrays ---- */

/* An array of the guest of which the host holds a copy with a fixed number of elements. */
struct array {
	const char *name;
	uint64_t size; /* bytes */
	uint32_t element_size;
	uint32_t most; /* elements that the host has room for */
	const char *most_name;
};

static int array_check(const struct array *array, const char *file, struct error *error)
{
	uint64_t count = array->size / array->element_size;

	if (count && count <= array->most && count * array->element_size == array->size)
		return 0;
	return error_set(
		error, ERROR_INPUT, 0, 0,
		"%s: `%s` has %llu elements (%llu bytes), and this kvmap reads %u at most (%s): build kvmap "
		"and its guest from the same source",
		file, array->name, (unsigned long long)count, (unsigned long long)array->size, array->most,
		array->most_name);
}

#define ROOT(name, element_size, most)                                                                       \
	{                                                                                                    \
#name, layout->roots[ROOT_##name].size, element_size, most, #most                            \
	}
#define MEMBER(structure, name, element_size, most)                                                          \
	{                                                                                                    \
#structure "." #name, layout->types[MEMBER_##structure##_##name].size, element_size, most,   \
						    #most                                                    \
	}

static int arrays_check(const struct claims_layout *layout, const char *file, struct error *error)
{
	uint32_t region = layout_size(layout, TYPE_memblock_region);
	const struct array arrays[] = {
		ROOT(zones, layout_size(layout, TYPE_zone), KVMAP_ZONES_MAX),
		ROOT(kmem_caches, sizeof(uint64_t), KVMAP_KMEM_CACHES_MAX),
		ROOT(cpu_caches, layout_size(layout, TYPE_cpu_cache), KVMAP_CPUS_MAX),
		ROOT(cpus, layout_size(layout, TYPE_cpu), KVMAP_CPUS_MAX),
		ROOT(agent_inside, sizeof(uint32_t), KVMAP_CPUS_MAX),
		ROOT(agent_opcode, sizeof(uint32_t), KVMAP_CPUS_MAX),
		ROOT(agent_variables, layout_size(layout, TYPE_agent_variable), KVMAP_VARIABLES_MAX),
		MEMBER(zone, free_area, layout_size(layout, TYPE_free_area), MAX_ORDER + 1),
		MEMBER(memblock, memory, region, KVMAP_MEMBLOCK_REGIONS_MAX),
		MEMBER(memblock, reserved, region, KVMAP_MEMBLOCK_REGIONS_MAX),
		MEMBER(cpu_cache, objects, layout_size(layout, TYPE_kmem_list), KVMAP_KMEM_CACHES_MAX),
		MEMBER(cpu_cache, cached, layout_size(layout, TYPE_vmap_cached), VMAP_CACHED_PAGES + 1),
		MEMBER(cpu_cache, vm_stat, sizeof(uint64_t), NR_VM_STAT_ITEMS),
	};

	for (size_t i = 0; i < sizeof(arrays) / sizeof(arrays[0]); i++)
		if (array_check(&arrays[i], file, error) < 0)
			return -1;
	return 0;
}

int layout_check(const struct claims_layout *layout, const char *file, struct error *error)
{
	for (size_t i = 0; i < CLAIM_ROOT_COUNT; i++)
		if (!root_fits(&layout->roots[i], roots[i].number))
			return error_set(error, ERROR_INPUT, 0, layout->roots[i].gva,
					 "%s: `%s` has an impossible size, %llu bytes: not a kvmap guest?",
					 file, roots[i].name, (unsigned long long)layout->roots[i].size);
	for (size_t i = 0; i < CLAIM_TYPE_COUNT; i++)
		if (!type_fits(layout, i))
			return error_set(error, ERROR_INPUT, 0, 0,
					 "%s: `struct %s`%s%s has an impossible size", file,
					 types[i].structure, types[i].member ? ", member " : "",
					 types[i].member ? types[i].member : "");
	if (!shapes_fit(layout))
		return error_set(error, ERROR_INPUT, 0, 0,
				 "%s: its symbols and its debug information disagree", file);
	return arrays_check(layout, file, error);
}

int claims_layout_open_known(const struct symbols *symbols, const struct known_layout *known,
			     struct claims_layout **out, struct error *error)
{
	struct claims_layout *layout = calloc(1, sizeof(*layout));
	const char *file = symbols_file(symbols)->file.name;

	if (!layout)
		return error_set(error, ERROR_HOST, 0, 0, "out of memory");
	if (layout_roots(layout, symbols, file, error) < 0 ||
	    layout_types(layout, symbols, known, error) < 0 || layout_check(layout, file, error) < 0) {
		free(layout);
		return -1;
	}
	*out = layout;
	return 0;
}

int claims_layout_open(const struct symbols *symbols, struct claims_layout **out, struct error *error)
{
	return claims_layout_open_known(symbols, &known_layout, out, error);
}

void claims_layout_close(struct claims_layout *layout)
{
	free(layout);
}
