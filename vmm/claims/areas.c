/* SPDX-License-Identifier: MIT */
/*
 * areas.c: vmap_areas with their vm_struct and frames; the lists of lazily freed and deferred ones.
 */
#include "claims/reader.h"

static void area_read_vm(struct reader *reader, struct claim_area *area, uint64_t vm)
{
	const struct claims_layout *layout = reader->layout;
	struct chain chain = { .invariant = "V1", .name = "vm_struct.pages", .address = vm };
	uint8_t copy[CLAIM_STRUCTURE_MAX];

	if (vm % 8 || !reader_structure(reader, TYPE_vm_struct, vm, copy)) {
		reader_cut(reader, PART_OWNERS, "V1", area->vmap_area, vm,
			   "vmap_area.vm: does not point to a vm_struct in RAM");
		return;
	}
	area->addr = layout_value(layout, MEMBER_vm_struct_addr, copy);
	area->size = layout_value(layout, MEMBER_vm_struct_size, copy);
	area->requested_size = layout_value(layout, MEMBER_vm_struct_requested_size, copy);
	area->flags = layout_value(layout, MEMBER_vm_struct_flags, copy);
	area->gfp = (uint32_t)layout_value(layout, MEMBER_vm_struct_gfp, copy);
	area->caller = layout_value(layout, MEMBER_vm_struct_caller, copy);
	area->nr_pages = (uint32_t)layout_value(layout, MEMBER_vm_struct_nr_pages, copy);
	chain.first = layout_value(layout, MEMBER_vm_struct_pages, copy);
	area->frames_sum = layout_value(layout, MEMBER_vm_struct_frames_sum, copy);
	chain.buddy_blocks = area->flags & VM_HUGE;
	chain.nr_claimed = area->flags & VM_MAP ? 0 : area->nr_pages;
	if (!reader->no_frames)
		reader_chain(reader, &chain);
	area->first_frame = chain.first_frame;
	area->frame_count = chain.frame_count;
}

void area_decode(const struct reader *reader, enum area_state state, uint64_t vmap_area, const uint8_t *copy,
		 struct vmap_area_fields *out)
{
	const struct claims_layout *layout = reader->layout;

	out->vm = layout_value(layout, MEMBER_vmap_area_vm, copy);
	out->vmap_block = layout_value(layout, MEMBER_vmap_area_vmap_block, copy);
	out->area = (struct claim_area){
		.state = state,
		.va_start = layout_value(layout, MEMBER_vmap_area_va_start, copy),
		.va_end = layout_value(layout, MEMBER_vmap_area_va_end, copy),
		.vmap_area = vmap_area,
		.unmapped = layout_value(layout, MEMBER_vmap_area_unmapped, copy),
		.allocated = layout_value(layout, MEMBER_vmap_area_allocated, copy),
	};
}

void area_take(struct reader *reader, const struct vmap_area_fields *fields)
{
	struct claim_area area = fields->area;

	/* A lazily freed area whose frames were freed at once has no vm_struct any more. */
	if (fields->vm || area.state == AREA_LIVE)
		area_read_vm(reader, &area, fields->vm);
	(void)reader_push(reader, &reader->out->areas, area);
}

/* A list of vmap_areas. */
struct list {
	uint64_t address;   /* GVA of the structure that has it */
	const char *name;   /* of its member */
	uint64_t vmap_area; /* the first, 0 = empty */
	unsigned int part;  /* that is not read to its end if the list is not */
	void (*take)(struct reader *reader, struct list *list, uint64_t vmap_area, const uint8_t *copy);
	uint32_t range_pages;  /* pages of each cached range of the list */
	uint64_t areas, pages; /* counted */
	uint64_t in_blocks;    /* those of `areas` that are mappings in vmap blocks */
};

/* Counts a lazily freed range as the guest does: a vmap block for its mappings, and with all its pages. */
static void lazy_count(struct reader *reader, struct list *list, const uint8_t *copy)
{
	const struct claims_layout *layout = reader->layout;
	uint64_t bytes = layout_value(layout, MEMBER_vmap_area_va_end, copy) -
			 layout_value(layout, MEMBER_vmap_area_va_start, copy);
	uint8_t block[CLAIM_STRUCTURE_MAX];
	uint64_t mappings = 0;

	if (layout_value(layout, MEMBER_vmap_area_state, copy) != VMAP_BLOCK) {
		list->areas++;
		list->pages += bytes / KVMAP_PAGE_SIZE - KVMAP_GUARD_PAGES +
			       layout_value(layout, MEMBER_vmap_area_lead, copy);
		return;
	}
	list->pages += 2 * VMAP_BLOCK_SLOTS;
	if (reader_structure(reader, TYPE_vmap_block, layout_value(layout, MEMBER_vmap_area_vmap_block, copy),
			     block))
		mappings = layout_value(layout, MEMBER_vmap_block_nr, block);
	list->areas += mappings;
	list->in_blocks += mappings;
}

static void take_lazy(struct reader *reader, struct list *list, uint64_t vmap_area, const uint8_t *copy)
{
	struct vmap_area_fields fields;

	lazy_count(reader, list, copy);
	/* The mappings in a vmap block have been read with the tree. */
	if (layout_value(reader->layout, MEMBER_vmap_area_state, copy) == VMAP_BLOCK)
		return;
	area_decode(reader, AREA_LAZY, vmap_area, copy, &fields);
	area_take(reader, &fields);
}

/* Calls take for each vmap_area of the list. Finds cycles as reader_chain does. */
static void list_walk(struct reader *reader, struct list *list)
{
	uint64_t saved = 0, save_at = 1, count = 0, vmap_area = list->vmap_area;
	uint8_t copy[CLAIM_STRUCTURE_MAX];

	while (vmap_area && !reader->out_of_memory) {
		if (vmap_area % 8 || !reader->nodes_left ||
		    !reader_structure(reader, TYPE_vmap_area, vmap_area, copy)) {
			reader_cut(reader, list->part, "V8", list->address, vmap_area,
				   "%s: does not point to a vmap_area in RAM", list->name);
			return;
		}
		reader->nodes_left--;
		list->take(reader, list, vmap_area, copy);
		if (++count == save_at) {
			saved = vmap_area;
			save_at *= 2;
		}
		vmap_area = layout_value(reader->layout, MEMBER_vmap_area_next, copy);
		if (vmap_area && vmap_area == saved) {
			reader_cut(reader, list->part, "V8", list->address, vmap_area, "%s: has a cycle",
				   list->name);
			return;
		}
	}
}

/* The area itself has been read with the tree. */
static void take_deferred(struct reader *reader, struct list *list, uint64_t vmap_area, const uint8_t *copy)
{
	(void)list;
	(void)copy;
	(void)reader_push(reader, &reader->out->deferred, vmap_area);
}

/* The range itself has been read with the tree. */
static void take_cached(struct reader *reader, struct list *list, uint64_t vmap_area, const uint8_t *copy)
{
	struct claim_cached_entry entry = { vmap_area, list->range_pages };

	(void)copy;
	list->areas++;
	(void)reader_push(reader, &reader->out->cached_entries, entry);
}

static void take_cached_block(struct reader *reader, struct list *list, uint64_t vmap_area,
			      const uint8_t *copy)
{
	(void)reader;
	(void)vmap_area;
	(void)copy;
	list->areas++;
}

/* Most pages on a CPU's purge_list, by the memory and the CPUs that the guest claims. */
static uint64_t lazy_bound(struct reader *reader)
{
	const struct claims *claims = reader->out;
	uint64_t frames = 0, cpus = reader_root(reader, ROOT_arch_nr_cpus, "V13");

	for (uint32_t i = 0; i < claims->zone_count; i++)
		frames += claims->zones[i].end_pfn - claims->zones[i].start_pfn;
	return lazy_max_pages(frames, cpus && cpus <= KVMAP_CPUS_MAX ? (uint32_t)cpus : 1) - 1;
}

/* The numbers of a purge_list. copy: its struct vmap_lazy. `eager` leaves nothing on it. */
static void lazy_compare(struct reader *reader, uint32_t cpu, const uint8_t *copy, const struct list *purge)
{
	const struct claims_layout *layout = reader->layout;
	bool eager = reader_root(reader, ROOT_vmalloc_policy, "V9") == KVMAP_POLICY_EAGER;

	reader_count(reader, &(struct claim_count){ COUNT_LAZY_AREAS, cpu, 0,
						    layout_value(layout, MEMBER_vmap_lazy_areas, copy),
						    purge->areas, eager ? 0 : LAZY_MAX_AREAS - 1 });
	reader_count(reader, &(struct claim_count){ COUNT_LAZY_PAGES, cpu, 0,
						    layout_value(layout, MEMBER_vmap_lazy_pages, copy),
						    purge->pages, eager ? 0 : lazy_bound(reader) });
}

void cpu_read_lazy(struct reader *reader, uint64_t gva, const uint8_t *copy)
{
	const struct claims_layout *layout = reader->layout;
	uint32_t offset = layout->types[MEMBER_cpu_cache_lazy].offset;
	const uint8_t *lazy = copy + offset;
	struct list lists[] = {
		{ .name = "vmap_lazy.purge_list",
		  .vmap_area = layout_value(layout, MEMBER_vmap_lazy_purge_list, lazy),
		  .part = PART_AREAS,
		  .take = take_lazy },
		{ .name = "vmap_lazy.flushed_list",
		  .vmap_area = layout_value(layout, MEMBER_vmap_lazy_flushed_list, lazy),
		  .part = PART_AREAS,
		  .take = take_lazy },
		{ .name = "vmap_lazy.deferred",
		  .vmap_area = layout_value(layout, MEMBER_vmap_lazy_deferred, lazy),
		  .part = PART_DEFERRED,
		  .take = take_deferred },
	};

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		lists[i].address = gva + offset;
		list_walk(reader, &lists[i]);
	}
	/* All mappings in vmap blocks that are unmapped count, but for those that a flush has covered. */
	reader->out->unpurged += lists[0].areas - lists[0].in_blocks - lists[1].in_blocks;
	if (!reader->no_frames)
		lazy_compare(reader, reader_cpu(reader, gva), lazy, &lists[0]);
}

void cpu_read_cached(struct reader *reader, uint64_t gva, const uint8_t *copy)
{
	const struct claims_layout *layout = reader->layout;
	const struct type_member *cached = &layout->types[MEMBER_cpu_cache_cached];
	uint32_t size = layout_size(layout, TYPE_vmap_cached), cpu = reader_cpu(reader, gva);
	const uint8_t *blocks = copy + layout->types[MEMBER_cpu_cache_cached_blocks].offset;
	struct list list = {
		.address = gva,
		.name = "cpu_cache.cached_blocks",
		.vmap_area = layout_value(layout, MEMBER_vmap_cached_first, blocks),
		.part = PART_CACHED,
		.take = take_cached_block,
	};

	list_walk(reader, &list);
	reader_count(reader, &(struct claim_count){ COUNT_CACHED_BLOCKS, cpu, 0,
						    layout_value(layout, MEMBER_vmap_cached_nr, blocks),
						    list.areas, VMAP_CACHED_BLOCKS_MAX });
	list.name = "cpu_cache.cached";
	list.take = take_cached;
	for (uint32_t i = 0; i < layout_elements(layout, TYPE_vmap_cached, cached->size); i++) {
		const uint8_t *one = copy + cached->offset + (size_t)i * size;

		list.range_pages = i;
		list.areas = 0;
		list.vmap_area = layout_value(layout, MEMBER_vmap_cached_first, one);
		list_walk(reader, &list);
		reader_count(reader, &(struct claim_count){ COUNT_CACHED, cpu, i,
							    layout_value(layout, MEMBER_vmap_cached_nr, one),
							    list.areas, VMAP_CACHED_MAX });
	}
}
