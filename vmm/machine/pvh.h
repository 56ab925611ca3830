/* SPDX-License-Identifier: MIT */
/*
 * pvh.h: what a PVH guest finds in memory (xen/include/public/arch-x86/hvm/start_info.h), and where kvmap
 * puts it.
 */
#ifndef VMM_MACHINE_PVH_H
#define VMM_MACHINE_PVH_H

#include "machine/guest_memory.h"

#include <assert.h>
#include <stdint.h>

#define PVH_START_MAGIC   0x336ec578
#define PVH_START_VERSION 1

enum pvh_memory_type { PVH_MEMORY_RAM = 1, PVH_MEMORY_RESERVED = 2 };

struct pvh_start_info {
	uint32_t magic;
	uint32_t version;
	uint32_t flags;
	uint32_t module_count;
	uint64_t modules_gpa;
	uint64_t command_line_gpa;
	uint64_t rsdp_gpa;
	uint64_t memory_map_gpa;
	uint32_t memory_map_count;
	uint32_t reserved;
};

struct pvh_module {
	uint64_t gpa;
	uint64_t size;
	uint64_t command_line_gpa;
	uint64_t reserved;
};

struct pvh_memory {
	uint64_t gpa;
	uint64_t size;
	uint32_t type;
	uint32_t reserved;
};

static_assert(sizeof(struct pvh_start_info) == 56, "hvm_start_info, version 1");
static_assert(sizeof(struct pvh_module) == 32, "hvm_modlist_entry");
static_assert(sizeof(struct pvh_memory) == 24, "hvm_memmap_table_entry");

#define PVH_MEMORY_MAP_MAX 4

/* All that the guest is given in one page, at PVH_START_GPA. */
struct pvh_page {
	struct pvh_start_info start;
	struct pvh_module module;
	struct pvh_memory map[PVH_MEMORY_MAP_MAX];
};

#define PVH_START_GPA   0x6000ull
#define PVH_CHANNEL_GPA 0x10000ull

/* Records in the channel. */
#define PVH_CHANNEL_CAPACITY 1024

/* Fills *page for a guest of `memory_size` bytes whose module 0 lies at [module_gpa, module_gpa +
 * module_size). */
void pvh_fill(struct pvh_page *page, uint64_t memory_size, uint64_t module_gpa, uint64_t module_size);

#endif
