/* SPDX-License-Identifier: MIT */
/*
 * proc_meminfo.c: `proc SOURCE meminfo`, after fs/proc/meminfo.c of Linux.
 */
#include "base/page.h"
#include "kvmap/layout.h"
#include "report/json.h"
#include "report/proc.h"

#include <inttypes.h>
#include <string.h>

#define KIB_PER_PAGE (KVMAP_PAGE_SIZE / 1024)

/* RAM that is allocated from: the memory of memblock without the reserved parts. Both lists are sorted. */
static uint64_t managed_kib(const struct claims *claims)
{
	uint64_t bytes = 0;
	uint32_t r = 0;

	for (uint32_t m = 0; m < claims->memory_count; m++) {
		uint64_t at = claims->memory[m].base, end = at + claims->memory[m].size;

		for (; r < claims->reserved_count && claims->reserved[r].base < end; r++) {
			const struct claim_region *hole = &claims->reserved[r];

			if (hole->base > at)
				bytes += hole->base - at;
			if (hole->base + hole->size > at)
				at = hole->base + hole->size;
			if (at > end)
				break; /* it covers a part of the next memory, too */
		}
		if (at < end)
			bytes += end - at;
	}
	return bytes / 1024;
}

static uint64_t stat_kib(const struct claims *claims, enum vm_stat_item item)
{
	return claims->vm_stat[item] * KIB_PER_PAGE;
}

/* Each node of the free tree has the size of the largest range of its subtree, the root that of all. */
static uint64_t largest_free_range_kib(const struct claims *claims)
{
	for (size_t i = 0; i < claims->free_tree.count; i++)
		if (claims->free_tree.items[i].vmap_area == claims->free_root)
			return claims->free_tree.items[i].subtree_max_size / 1024;
	return 0;
}

static uint64_t direct_map_kib(const struct report_proc *proc, uint64_t page_size)
{
	uint64_t leaves = 0;

	for (size_t i = 0; i < proc->direct_map->count; i++)
		if (proc->direct_map->items[i].page_size == page_size)
			leaves += proc->direct_map->items[i].leaves;
	return leaves * (page_size / 1024);
}

void report_meminfo(struct report *report, const struct report_proc *proc)
{
	const struct claims *claims = proc->claims;
	uint64_t slab = stat_kib(claims, NR_SLAB_PAGES);
	const struct {
		const char *label;
		uint64_t kib;
	} rows[] = {
		{ "MemTotal", managed_kib(claims) },
		{ "MemFree", stat_kib(claims, NR_FREE_PAGES) },
		/* Before an allocation fails, lazily freed frames are purged: they count as available. */
		{ "MemAvailable", stat_kib(claims, NR_FREE_PAGES) + stat_kib(claims, NR_LAZY_PAGES) },
		/* The guest has no files and no swap, but programs that read meminfo expect these lines. */
		{ "Buffers", 0 },
		{ "Cached", 0 },
		{ "SwapTotal", 0 },
		{ "SwapFree", 0 },
		{ "Slab", slab },
		{ "SReclaimable", 0 },
		{ "SUnreclaim", slab },
		{ "PageTables", stat_kib(claims, NR_PAGETABLE_PAGES) },
		{ "VmallocTotal", (KVMAP_VMALLOC_END - KVMAP_VMALLOC_START) / 1024 },
		{ "VmallocUsed", stat_kib(claims, NR_VMALLOC_PAGES) },
		{ "VmallocChunk", largest_free_range_kib(claims) },
		{ "KvmapLazyFreed", stat_kib(claims, NR_LAZY_PAGES) },
		{ "KvmapBlocks", stat_kib(claims, NR_KMALLOC_PAGES) },
		{ "KvmapHeld", stat_kib(claims, NR_HELD_PAGES) },
		{ "Hugepagesize", 2048 },
		{ "DirectMap4k", direct_map_kib(proc, PAGE_4K) },
		{ "DirectMap2M", direct_map_kib(proc, PAGE_2M) },
		{ "DirectMap1G", direct_map_kib(proc, PAGE_1G) },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct json_object *line;

		if (report->format == REPORT_TEXT) {
			fprintf(report->stream, "%s:%*s%8" PRIu64 " kB\n", rows[i].label,
				(int)(15 - strlen(rows[i].label)), "", rows[i].kib);
			continue;
		}
		line = json_start(report, "meminfo");
		json_add_string(line, "name", rows[i].label);
		json_add_number(line, "kib", rows[i].kib);
		json_finish(report, line);
	}
}
