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
		reader_damage(reader, "V1", area->vmap_area, vm,
			      "vmap_area.vm: does not point to a vm_struct in RAM");
		return;
	}
	area->addr = layout_value(layout, MEMBER_vm_struct_addr, copy);
	area->size = layout_value(layout, MEMBER_vm_struct_size, copy);
	area->requested_size = layout_value(layout, MEMBER_vm_struct_requested_size, copy);
	area->flags = layout_value(layout, MEMBER_vm_struct_flags, copy);
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
	if (claims_add_area(reader->out, &area) < 0)
		reader->out_of_memory = true;
}

/* Calls take for each vmap_area of the list at `address`. Finds cycles as reader_chain does. */
static void list_walk(struct reader *reader, uint64_t address, const char *name, uint64_t vmap_area,
		      void (*take)(struct reader *reader, uint64_t vmap_area, const uint8_t *copy))
{
	uint64_t saved = 0, save_at = 1, count = 0;
	uint8_t copy[CLAIM_STRUCTURE_MAX];

	while (vmap_area && !reader->out_of_memory) {
		if (vmap_area % 8 || !reader->nodes_left ||
		    !reader_structure(reader, TYPE_vmap_area, vmap_area, copy)) {
			reader_damage(reader, "V8", address, vmap_area,
				      "%s: does not point to a vmap_area in RAM", name);
			return;
		}
		reader->nodes_left--;
		take(reader, vmap_area, copy);
		if (++count == save_at) {
			saved = vmap_area;
			save_at *= 2;
		}
		vmap_area = layout_value(reader->layout, MEMBER_vmap_area_next, copy);
		if (vmap_area && vmap_area == saved) {
			reader_damage(reader, "V8", address, vmap_area, "%s: has a cycle", name);
			return;
		}
	}
}

static void take_lazy(struct reader *reader, uint64_t vmap_area, const uint8_t *copy)
{
	struct vmap_area_fields fields;

	/* The mappings in a vmap block have been read with the tree. */
	if (layout_value(reader->layout, MEMBER_vmap_area_state, copy) == VMAP_BLOCK)
		return;
	area_decode(reader, AREA_LAZY, vmap_area, copy, &fields);
	area_take(reader, &fields);
}

/* The area itself has been read with the tree. */
static void take_deferred(struct reader *reader, uint64_t vmap_area, const uint8_t *copy)
{
	(void)copy;
	(void)reader_push(reader, &reader->out->deferred, vmap_area);
}

void cpu_read_lazy(struct reader *reader, uint64_t gva, const uint8_t *copy)
{
	const struct claims_layout *layout = reader->layout;
	uint32_t offset = layout->types[MEMBER_cpu_cache_lazy].offset;

	copy += offset;
	list_walk(reader, gva + offset, "vmap_lazy.purge_list",
		  layout_value(layout, MEMBER_vmap_lazy_purge_list, copy), take_lazy);
	list_walk(reader, gva + offset, "vmap_lazy.flushed_list",
		  layout_value(layout, MEMBER_vmap_lazy_flushed_list, copy), take_lazy);
	list_walk(reader, gva + offset, "vmap_lazy.deferred",
		  layout_value(layout, MEMBER_vmap_lazy_deferred, copy), take_deferred);
}
