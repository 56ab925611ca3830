/* SPDX-License-Identifier: MIT */
/*
 * pvh.h: the PVH boot protocol: struct hvm_start_info of Xen's public/arch-x86/hvm/start_info.h, version 1.
 */
#ifndef GUEST_ARCH_PVH_H
#define GUEST_ARCH_PVH_H

#include "lib/types.h"

#include <assert.h>

#define PVH_MAGIC 0x336ec578
#define PVH_RAM   1 /* E820's type */

struct pvh_start_info {
	u32 magic;
	u32 version;
	u32 flags;
	u32 nr_modules;
	u64 modlist_paddr;
	u64 cmdline_paddr;
	u64 rsdp_paddr;
	u64 memmap_paddr; /* version 1 and later */
	u32 memmap_entries;
	u32 reserved;
};

static_assert(sizeof(struct pvh_start_info) == 56, "hvm_start_info");

struct pvh_module {
	u64 paddr;
	u64 size;
	u64 cmdline_paddr;
	u64 reserved;
};

static_assert(sizeof(struct pvh_module) == 32, "hvm_modlist_entry");

struct pvh_memmap_entry {
	u64 addr;
	u64 size;
	u32 type;
	u32 reserved;
};

static_assert(sizeof(struct pvh_memmap_entry) == 24, "hvm_memmap_table_entry");

#endif
