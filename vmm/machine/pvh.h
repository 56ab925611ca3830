/* SPDX-License-Identifier: MIT */
/*
 * pvh.h: the PVH structures of a guest (kvmap/pvh.h), and where they lie in its memory.
 */
#ifndef VMM_MACHINE_PVH_H
#define VMM_MACHINE_PVH_H

#include "kvmap/pvh.h"
#include "machine/guest_memory.h"

#define PVH_MEMORY_MAP_MAX 4

/* All of them, at PVH_START_GPA. */
struct pvh_page {
	struct hvm_start_info start;
	struct hvm_modlist_entry module;
	struct hvm_memmap_table_entry map[PVH_MEMORY_MAP_MAX];
};

#define PVH_START_GPA   0x6000ull
#define PVH_CHANNEL_GPA 0x10000ull

/* Records in the channel. */
#define PVH_CHANNEL_CAPACITY 1024

#define PVH_RING_GPA 0x30000ull

/* The event log (kvmap/event_log.h). */
#define PVH_LOG_GPA 0x60000ull

/*
 * Fills *page for a guest with `memory_size` bytes of RAM whose module 0 has the GPAs [module_gpa, module_gpa +
 * module_size).
 */
void pvh_fill(struct pvh_page *page, uint64_t memory_size, uint64_t module_gpa, uint64_t module_size);

#endif
