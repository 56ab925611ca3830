/* SPDX-License-Identifier: MIT */
/*
 * pvh.c: start info, module list and memory map.
 */
#include "machine/pvh.h"

static_assert(PVH_START_GPA + sizeof(struct pvh_page) <= PVH_CHANNEL_GPA, "start info below the channel");

static uint32_t map_fill(struct pvh_memory *map, uint64_t memory_size)
{
	uint64_t low = guest_memory_low_size(memory_size);
	uint32_t count = 0;

	map[count++] = (struct pvh_memory){ .gpa = 0, .size = GUEST_LOW_END, .type = PVH_MEMORY_RAM };
	map[count++] = (struct pvh_memory){
		.gpa = GUEST_LOW_END,
		.size = GUEST_RAM_START - GUEST_LOW_END,
		.type = PVH_MEMORY_RESERVED,
	};
	map[count++] = (struct pvh_memory){
		.gpa = GUEST_RAM_START,
		.size = low - GUEST_RAM_START,
		.type = PVH_MEMORY_RAM,
	};
	if (memory_size > low)
		map[count++] = (struct pvh_memory){
			.gpa = GUEST_HIGH_START,
			.size = memory_size - low,
			.type = PVH_MEMORY_RAM,
		};
	return count;
}

void pvh_fill(struct pvh_page *page, uint64_t memory_size, uint64_t module_gpa, uint64_t module_size)
{
	*page = (struct pvh_page){
		.start = {
			.magic = PVH_START_MAGIC,
			.version = PVH_START_VERSION,
			.module_count = 1,
			.modules_gpa = PVH_START_GPA + offsetof(struct pvh_page, module),
			.memory_map_gpa = PVH_START_GPA + offsetof(struct pvh_page, map),
		},
		.module = { .gpa = module_gpa, .size = module_size },
	};
	page->start.memory_map_count = map_fill(page->map, memory_size);
}
