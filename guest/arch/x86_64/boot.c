/* SPDX-License-Identifier: MIT */
/*
 * boot.c: from the PVH start info to kernel_main().
 *
 * RAM that the boot record says is zero at entry is not cleared. RAM above 2 MiB is used in whole 2 MiB pages, so that the direct
 * map needs no smaller ones; a rest at the end of a region is not used.
 */
#include "arch/sections.h"
#include "arch/x86_64/paging.h"
#include "arch/x86_64/pte.h"
#include "arch/x86_64/smp.h"
#include "kvmap/boot.h"
#include "kvmap/layout.h"
#include "kvmap/pvh.h"
#include "lib/platform.h"
#include "mm/arch.h"

#define PMD_SIZE (2ul << 20)

/* End of what the direct map's one page-directory-pointer table can map. */
#define RAM_MAX (512ul << 30)

/* End of what the image's own tables map, before memory_init() extends or trims the direct map. */
#define PREPARED (BOOT_DIRECT_PAGES * PMD_SIZE)

void boot(u32 start_info_gpa, u64 entry_tsc);

/*
 * A structure of the start info, which must lie in the first 2 MiB page. Boot loaders place them below
 * KVMAP_LOW_RESERVED.
 */
static const void *low_structure(u64 gpa, u64 size)
{
	if (!gpa || gpa >= PMD_SIZE || size > PMD_SIZE - gpa)
		panic("a structure of the PVH start info lies above 2 MiB");
	return __va(gpa);
}

static void region_add(struct memblock_region *region, u64 base, u64 end, u32 kind)
{
	region->base = base;
	region->size = end - base;
	region->kind = kind;
}

static void memory_add(u64 base, u64 size)
{
	u64 end;

	if (base >= RAM_MAX)
		return;
	end = size < RAM_MAX - base ? base + size : RAM_MAX;
	base = ALIGN_UP(base, base < PMD_SIZE ? PAGE_SIZE : PMD_SIZE);
	end = ALIGN_DOWN(end, end < PMD_SIZE ? PAGE_SIZE : PMD_SIZE);
	if (base >= end)
		return;
	if (base < max_pfn << PAGE_SHIFT)
		panic("the memory map is not in order");
	if (memblock.nr_memory == MEMBLOCK_REGIONS)
		panic("the memory map has too many regions");
	region_add(&memblock.memory[memblock.nr_memory++], base, end, MEMBLOCK_RAM);
	max_pfn = end >> PAGE_SHIFT;
}

static void memory_read(const struct hvm_start_info *info)
{
	const struct hvm_memmap_table_entry *memmap_entry;

	if (info->magic != XEN_HVM_START_MAGIC_VALUE)
		panic("the PVH start info has a wrong magic number");
	if (info->version < 1 || !info->memmap_entries)
		panic("the PVH start info has no memory map");
	if (info->memmap_entries > 128)
		panic("the memory map has too many regions");
	memmap_entry = low_structure(info->memmap_paddr, info->memmap_entries * sizeof(*memmap_entry));
	for (u32 i = 0; i < info->memmap_entries; i++, memmap_entry++)
		if (memmap_entry->type == XEN_HVM_MEMMAP_TYPE_RAM)
			memory_add(memmap_entry->addr, memmap_entry->size);
}

/* End of the memory region that contains the image. */
static u64 memory_end_around_image(void)
{
	for (u32 i = 0; i < memblock.nr_memory; i++) {
		const struct memblock_region *region = &memblock.memory[i];

		if (region->base <= KVMAP_IMAGE_GPA && region->base + region->size > KVMAP_IMAGE_GPA)
			return region->base + region->size;
	}
	panic("the memory map has no RAM where the image lies");
}

static const struct hvm_modlist_entry *module_find(const struct hvm_start_info *info)
{
	const struct hvm_modlist_entry *module;

	if (!info->nr_modules)
		panic("no boot record: PVH module 0 (QEMU: -initrd) is missing");
	module = low_structure(info->modlist_paddr, sizeof(*module));
	if (module->size < sizeof(struct kvmap_boot) || module->paddr >= RAM_MAX ||
	    module->size > RAM_MAX - module->paddr)
		panic("PVH module 0 is too small or too far away for a boot record");
	return module;
}

/* Whether 1G pages work: as the boot record of kvmap says; on other machines, as CPUID says. */
static bool pages_1g(const struct hvm_modlist_entry *module)
{
	const struct kvmap_boot *record = __va(module->paddr);

	if (module->paddr <= PREPARED - sizeof(*record) && record->magic == KVMAP_BOOT_MAGIC &&
	    record->flags & KVMAP_BOOT_CHANNEL)
		return record->flags & KVMAP_BOOT_PAGES_1G;
	return paging_cpu_has_1g();
}

/* Adds a reserved region, which overlaps no other; empty ones are left out. Keeps the regions sorted. */
static void reserve(u64 base, u64 end, u32 kind)
{
	u32 at = memblock.nr_reserved;

	if (base == end)
		return;
	memblock.nr_reserved++;
	for (; at && memblock.reserved[at - 1].base > base; at--)
		memblock.reserved[at] = memblock.reserved[at - 1];
	region_add(&memblock.reserved[at], base, end, kind);
}

/* Reserves the part of the module that lies in managed RAM. */
static void reserve_module(const struct hvm_modlist_entry *module)
{
	u64 base = ALIGN_DOWN(module->paddr, PAGE_SIZE);
	u64 end = ALIGN_UP(module->paddr + module->size, PAGE_SIZE);

	for (u32 i = 0; i < memblock.nr_memory && base >= KVMAP_LOW_RESERVED; i++) {
		const struct memblock_region *region = &memblock.memory[i];
		u64 region_end = region->base + region->size;

		if (base < region_end && end > region->base)
			return reserve(base < region->base ? region->base : base,
				       end < region_end ? end : region_end, MEMBLOCK_MODULE);
	}
}

/* CPUs that the boot record requests; it is not checked yet. */
static u64 cpus_requested(const struct hvm_modlist_entry *module)
{
	const struct kvmap_boot *record = __va(module->paddr);

	return record->cpus <= 1 ? 1 : record->cpus < NR_CPUS ? record->cpus : NR_CPUS;
}

/*
 * The lowest place above ZONE_DMA for `size` bytes, page-aligned, in one memory region and clear of the
 * module; 0 if there is none.
 */
static u64 place_above_dma(u64 size, const struct hvm_modlist_entry *module)
{
	u64 module_end = ALIGN_UP(module->paddr + module->size, PAGE_SIZE);

	for (u32 i = 0; i < memblock.nr_memory; i++) {
		u64 start = memblock.memory[i].base, end = start + memblock.memory[i].size;

		if (start < (u64)ZONE_DMA_END_PFN << PAGE_SHIFT)
			start = (u64)ZONE_DMA_END_PFN << PAGE_SHIFT;
		if (module->paddr < start + size && module_end > start)
			start = module_end;
		if (start < end && end - start >= size)
			return start;
	}
	return 0;
}

/* mem_map is zero, unless firmware of another VMM has left something there. */
static void mem_map_clear(const struct hvm_modlist_entry *module, u64 size)
{
	const struct kvmap_boot *record = __va(module->paddr);

	if (record->magic != KVMAP_BOOT_MAGIC || !(record->flags & KVMAP_BOOT_ZEROED))
		__builtin_memset(mem_map, 0, size);
}

/*
 * Sets up the direct map, mem_map and the reserved regions. Placed after the image, or after the module if it
 * is in the way: page tables, mem_map if it has no place above ZONE_DMA, and the entry areas of the other
 * CPUs.
 */
static void memory_init(const struct hvm_modlist_entry *module)
{
	u64 image = (u64)image_end - KVMAP_IMAGE_BASE;
	u64 map_size = ALIGN_UP(max_pfn * sizeof(struct page), PAGE_SIZE);
	u64 module_end = ALIGN_UP(module->paddr + module->size, PAGE_SIZE);
	/* One table per GiB, and a few for the module. */
	u64 tables = ((max_pfn >> 18) + 4 + (module->size >> 21)) * PAGE_SIZE;
	u64 high = place_above_dma(map_size, module), low_size = high ? 0 : map_size;
	bool below = module_end > image &&
		     module->paddr < image + tables + low_size + (NR_CPUS - 1) * CPU_ENTRY_AREA_SIZE;
	u64 base = below ? module_end : image, limit = memory_end_around_image();
	u64 next = base, map, areas, end;

	if (module->paddr < image && module_end > KVMAP_IMAGE_GPA)
		panic("PVH module 0 lies in the image");
	if (base + tables + low_size > limit || base + tables > PREPARED)
		panic("RAM is too small");
	paging_map_ram(pages_1g(module), &next);
	paging_map_module(module->paddr, module->size, &next);
	map = high ? high : next;
	mem_map = __va(map);
	mem_map_clear(module, map_size);
	paging_count_tables(base, next);
	areas = next + low_size;
	end = areas + (cpus_requested(module) - 1) * CPU_ENTRY_AREA_SIZE;
	if (end > limit)
		panic("RAM is too small for this number of CPUs");

	reserve(0, KVMAP_LOW_RESERVED, MEMBLOCK_LOW);
	reserve(KVMAP_IMAGE_GPA, image, MEMBLOCK_IMAGE);
	reserve(base, areas, MEMBLOCK_MEM_MAP);
	reserve(areas, end, MEMBLOCK_CPUS);
	if (high)
		reserve(map, map + map_size, MEMBLOCK_MEM_MAP);
	reserve_module(module);
	smp_set_entry_areas(__va(areas));
}

void boot(u32 start_info_gpa, u64 entry_tsc)
{
	const struct hvm_start_info *info = low_structure(start_info_gpa, sizeof(*info));
	const struct hvm_modlist_entry *module;

	paging_map_image();
	memory_read(info);
	module = module_find(info);
	memory_init(module);
	kernel_main(__va(module->paddr), module->size, entry_tsc);
}
