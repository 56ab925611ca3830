/* SPDX-License-Identifier: MIT */
/*
 * pvh.c: start info, module list and memory map.
 */
#include "machine/pvh.h"

static_assert(PVH_START_GPA + sizeof(struct pvh_page) <= PVH_CHANNEL_GPA, "start info below the channel");

static uint32_t map_fill(struct hvm_memmap_table_entry *map, uint64_t memory_size)
{
	uint64_t low = guest_memory_low_size(memory_size);
	uint32_t count = 0;

	map[count++] = (struct hvm_memmap_table_entry){ .addr = 0,
							.size = GUEST_LOW_END,
							.type = XEN_HVM_MEMMAP_TYPE_RAM };
	map[count++] = (struct hvm_memmap_table_entry){
		.addr = GUEST_LOW_END,
		.size = GUEST_RAM_START - GUEST_LOW_END,
		.type = XEN_HVM_MEMMAP_TYPE_RESERVED,
	};
	map[count++] = (struct hvm_memmap_table_entry){
		.addr = GUEST_RAM_START,
		.size = low - GUEST_RAM_START,
		.type = XEN_HVM_MEMMAP_TYPE_RAM,
	};
	if (memory_size > low)
		map[count++] = (struct hvm_memmap_table_entry){
			.addr = GUEST_HIGH_START,
			.size = memory_size - low,
			.type = XEN_HVM_MEMMAP_TYPE_RAM,
		};
	return count;
}

void pvh_fill(struct pvh_page *page, uint64_t memory_size, uint64_t module_gpa, uint64_t module_size)
{
	*page = (struct pvh_page){
		.start = {
			.magic = XEN_HVM_START_MAGIC_VALUE,
			.version = 1,
			.nr_modules = 1,
			.modlist_paddr = PVH_START_GPA + offsetof(struct pvh_page, module),
			.memmap_paddr = PVH_START_GPA + offsetof(struct pvh_page, map),
		},
		.module = { .paddr = module_gpa, .size = module_size },
	};
	page->start.memmap_entries = map_fill(page->map, memory_size);
}
