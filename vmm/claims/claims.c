/* SPDX-License-Identifier: MIT */
/*
 * claims.c: reads all claims of the guest's memory manager.
 */
#include "claims/claims.h"
#include "claims/reader.h"

#include <inttypes.h>
#include <stdlib.h>

#define HAS(array, count)                                                                                    \
	static_assert(sizeof(((struct claims *)0)->array) / sizeof(((struct claims *)0)->array[0]) ==        \
			      (count),                                                                       \
		      #array " has a place for each")
HAS(zones, KVMAP_ZONES_MAX);
HAS(memory, KVMAP_MEMBLOCK_REGIONS_MAX);
HAS(reserved, KVMAP_MEMBLOCK_REGIONS_MAX);
HAS(caches, KVMAP_KMEM_CACHES_MAX);
HAS(cpu_states, KVMAP_CPUS_MAX);
HAS(inside, KVMAP_CPUS_MAX);
HAS(opcode, KVMAP_CPUS_MAX);
#undef HAS
static_assert(VIEW_CPUS_MAX >= KVMAP_CPUS_MAX, "a view has all CPUs of a guest");

/* Allows for vmap_areas in the image itself. */
#define NODES_MIN 64

static void read_all(struct reader *reader)
{
	read_memblock(reader);
	read_mem_map(reader);
	read_zones(reader);
	read_busy_tree(reader);
	read_free_tree(reader);
	read_held(reader);
	read_caches(reader);
	read_cpu_caches(reader);
	read_flushes(reader);
	read_policy(reader);
	read_variables(reader);
	read_inside(reader);
}

static void read_areas(struct reader *reader)
{
	reader->no_frames = true;
	read_busy_tree(reader);
	read_lazy(reader);
	read_variables(reader);
}

static int read_with(void (*read)(struct reader *reader), const struct view *view,
		     const struct walk_mode *mode, const struct claims_layout *layout,
		     const struct flush_log *log, struct claims *out, struct error *error)
{
	const struct claim_root_location *first = &layout->roots[ROOT_mem_map];
	struct claims claims = { 0 };
	struct reader reader = {
		.view = view,
		.mode = mode,
		.layout = layout,
		.out = &claims,
		.log = log,
		.nodes_left = view_data_size(view) / layout_size(layout, TYPE_vmap_area) + NODES_MIN,
	};
	uint8_t probe[8];

	if (!reader_copy(&reader, first->gva, probe, first->size))
		return error_set(error, ERROR_GUEST, 0, first->gva,
				 "the guest's image is not mapped (0x%" PRIx64
				 ", `mem_map`): it has not booted, or "
				 "this is not its program",
				 first->gva);
	read(&reader);
	if (reader.out_of_memory || claims_set_places(&claims) < 0) {
		claims_destroy(&claims);
		return error_set(error, ERROR_HOST, 0, 0, "out of memory for the guest's claims");
	}
	*out = claims;
	return 0;
}

int claims_read(const struct view *view, const struct walk_mode *mode, const struct claims_layout *layout,
		struct claims *out, struct error *error)
{
	return read_with(read_all, view, mode, layout, NULL, out, error);
}

int claims_read_logged(const struct view *view, const struct walk_mode *mode,
		       const struct claims_layout *layout, const struct flush_log *log, struct claims *out,
		       struct error *error)
{
	return read_with(read_all, view, mode, layout, log, out, error);
}

int claims_read_areas(const struct view *view, const struct walk_mode *mode,
		      const struct claims_layout *layout, struct claims *out, struct error *error)
{
	return read_with(read_areas, view, mode, layout, NULL, out, error);
}

void claims_destroy(struct claims *claims)
{
	free(claims->areas.items);
	free(claims->places.items);
	free(claims->frames.items);
	free(claims->busy_tree.items);
	free(claims->cached_ranges.items);
	free(claims->cached_entries.items);
	free(claims->counts.items);
	free(claims->deferred.items);
	free(claims->free_tree.items);
	free(claims->pages.items);
	free(claims->free_buddy_blocks.items);
	free(claims->flushes.items);
	free(claims->variables.items);
	free(claims->damages.items);
	free(claims->debug_writes.items);
	free(claims->pcp_zero.items);
	*claims = (struct claims){ 0 };
}
