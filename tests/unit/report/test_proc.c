/* SPDX-License-Identifier: MIT */
/*
 * test_proc.c: meminfo, vmallocinfo, buddyinfo and slabinfo, read back with the format strings that programs
 * read Linux's files with.
 */
#include "sample.h"

#include "report/proc.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static struct sample sample;
static struct range direct_map[] = {
	{ .gva = 0xffff888000000000, .page_size = 4096, .leaves = 512 },
	{ .gva = 0xffff888000200000, .page_size = 2 << 20, .leaves = 127 },
	{ .gva = 0xffff888010000000, .page_size = 2 << 20, .leaves = 1 },
};
static struct claim_rb_node free_tree[] = {
	{ .vmap_area = 0x1000, .subtree_max_size = 0x5000 },
	{ .vmap_area = 0x2000, .subtree_max_size = 7ull << 30 },
};

/* 1 MiB + 256 MiB of RAM; reserved: the low MiB, 2 MiB of image, and the last page. */
static void fill_memory(struct claims *claims)
{
	claims->memory[0] = (struct claim_region){ .base = 0, .size = 0xa0000 };
	claims->memory[1] = (struct claim_region){ .base = 0x100000, .size = 255 << 20 };
	claims->memory_count = 2;
	claims->reserved[0] = (struct claim_region){ .base = 0, .size = 0x100000 };
	claims->reserved[1] = (struct claim_region){ .base = 0x200000, .size = 0x200000 };
	claims->reserved[2] = (struct claim_region){ .base = (256 << 20) - 4096, .size = 0x100000 };
	claims->reserved_count = 3;
}

static void init(void)
{
	struct claims *claims = &sample.claims;

	sample_init(&sample);
	fill_memory(claims);
	claims->free_tree.items = free_tree;
	claims->free_tree.count = 2;
	claims->free_root = 0x2000;
	memcpy(claims->vm_stat, (uint64_t[NR_VM_STAT_ITEMS]){ 60000, 3, 9, 16, 2, 150, 11 },
	       sizeof(claims->vm_stat));
	sample.areas[0].size = 0x10000 + KVMAP_GUARD_SIZE;
	sample.areas[0].flags = VM_ALLOC;
	sample.areas[0].caller = 0xffffffff80201234;
	claims->zones[0] = (struct claim_zone){ .start_pfn = 256, .end_pfn = 512, .orders = 11 };
	claims->zones[0].nr_free[0] = 3;
	claims->zones[1] = (struct claim_zone){
		.start_pfn = 1024, .end_pfn = 65535, .fresh_start = 65021, .fresh_end = 65535, .orders = 11
	};
	claims->zones[1].nr_free[10] = 63;
	claims->zones[1].kind = ZONE_DMA32;
	claims->zone_count = 2;
	claims->numa_node_count = 1;
	claims->caches[0] = (struct claim_cache){
		.name = "vmap area", .object_size = 72, .nr_slabs = 2, .frame_count = 2, .free_objects = 55
	};
	claims->cache_count = 1;
}

static void destroy(void)
{
	sample_destroy(&sample);
}

TestSuite(proc, .init = init, .fini = destroy);

static char *text_of(void (*file)(struct report *, const struct report_proc *), enum report_format format)
{
	struct ranges ranges = { .items = direct_map, .count = 3 };
	struct report_proc proc = { .claims = &sample.claims, .direct_map = &ranges };
	char *text;
	size_t size;
	struct report report = report_begin(format, &text, &size);

	file(&report, &proc);
	report_end(&report);
	return text;
}

/* As free(1): "LABEL: N kB". UINT64_MAX where there is no such line. */
static uint64_t meminfo_value(const char *text, const char *label)
{
	char name[64], unit[3];
	uint64_t value;

	for (const char *at = text; at && *at; at = strchr(at, '\n'), at += !!at)
		if (sscanf(at, "%63[^:]: %" SCNu64 " %2s", name, &value, unit) == 3 && !strcmp(unit, "kB") &&
		    !strcmp(name, label))
			return value;
	return UINT64_MAX;
}

Test(proc, meminfo_says_what_the_guest_has_counted_in_kib)
{
	const struct {
		const char *label;
		uint64_t kib;
	} rows[] = {
		{ "MemTotal", 255 * 1024 - 2 * 1024 - 4 },
		{ "MemFree", 240000 },
		{ "MemAvailable", 240008 },
		{ "SwapTotal", 0 },
		{ "Slab", 12 },
		{ "PageTables", 36 },
		{ "VmallocTotal", 1ull << 35 },
		{ "VmallocUsed", 64 },
		{ "VmallocChunk", 7 << 20 },
		{ "KvmapLazyFreed", 8 },
		{ "KvmapHeld", 600 },
		{ "KvmapBlocks", 44 },
		{ "DirectMap4k", 2048 },
		{ "DirectMap2M", 256 * 1024 },
		{ "DirectMap1G", 0 },
	};
	char *text = text_of(report_meminfo, REPORT_TEXT);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		cr_expect_eq(meminfo_value(text, rows[i].label), rows[i].kib, "%s: %" PRIu64 "\n%s",
			     rows[i].label, meminfo_value(text, rows[i].label), text);
	check_holds(text, "MemFree:          240000 kB\nMemAvailable:     240008 kB\n");
	free(text);
}

Test(proc, vmallocinfo_lists_live_areas_with_their_guard_and_then_the_unpurged)
{
	char *text = text_of(report_vmallocinfo, REPORT_TEXT);
	uint64_t start, end, size;
	char expected[300];

	snprintf(expected, sizeof(expected),
		 "0xffffc90000000000-0x%lx %7lu 0xffffffff80201234 pages=16 vmalloc N0=16\n"
		 "0x%lx-0x%lx %7lu unpurged vm_area\n",
		 SAMPLE_LAZY, SAMPLE_LAZY - SAMPLE_AREA, SAMPLE_LAZY, SAMPLE_END, SAMPLE_END - SAMPLE_LAZY);
	cr_expect_str_eq(text, expected);
	cr_expect_eq(sscanf(text, "0x%" SCNx64 "-0x%" SCNx64 " %" SCNu64, &start, &end, &size), 3);
	cr_expect_eq(end - start, size);
	free(text);
}

/* As programs that sum up fragmentation: node, zone, then numbers to the end of the line. */
static int buddyinfo_row(const char *line, char zone[16], uint64_t blocks[16])
{
	int node, used = 0, count = 0, length;

	if (sscanf(line, "Node %d, zone %15s%n", &node, zone, &used) != 2 || node != 0)
		return -1;
	while (count < 16 && sscanf(line + used, " %" SCNu64 "%n", &blocks[count], &length) == 1 &&
	       !memchr(line + used, '\n', (size_t)length)) {
		used += length;
		count++;
	}
	return count;
}

Test(proc, buddyinfo_counts_never_used_memory_as_the_blocks_it_would_make)
{
	/* [65021, 65535): 65021 + 1 + 2 = 65024 = 127 * 512, then 256 + 128 + ... + 1. */
	const uint64_t fresh[11] = { 2, 2, 1, 1, 1, 1, 1, 1, 1, 0, 63 };
	char *text = text_of(report_buddyinfo, REPORT_TEXT), zone[16];
	uint64_t blocks[16], frames = 0;

	cr_assert_eq(buddyinfo_row(text, zone, blocks), 11, "%s", text);
	cr_expect_str_eq(zone, "DMA");
	cr_expect_eq(blocks[0], 3);
	cr_assert_eq(buddyinfo_row(strchr(text, '\n') + 1, zone, blocks), 11, "%s", text);
	cr_expect_str_eq(zone, "DMA32");
	cr_expect_arr_eq(blocks, fresh, sizeof(fresh), "%s", text);
	for (unsigned int order = 0; order < 10; order++)
		frames += blocks[order] << order;
	cr_expect_eq(frames, 65535 - 65021);
	free(text);
}

Test(proc, slabinfo_is_read_by_the_format_of_slabtop)
{
	char *text = text_of(report_slabinfo, REPORT_TEXT), name[128];
	unsigned int active, objects, size, per_slab, pages, active_slabs, slabs;
	const char *row;

	cr_expect_eq(strncmp(text, "slabinfo - version: 2.1\n# name ", 30), 0);
	row = strchr(strchr(text, '\n') + 1, '\n') + 1;
	cr_assert_eq(sscanf(row, "%127s %u %u %u %u %u : tunables %*d %*d %*d : slabdata %u %u %*d", name,
			    &active, &objects, &size, &per_slab, &pages, &active_slabs, &slabs),
		     8, "%s", text);
	cr_expect_str_eq(name, "vmap_area");
	cr_expect_eq(active, 57);
	cr_expect_eq(objects, 2 * 56);
	cr_expect_eq(size, 72);
	cr_expect_eq(per_slab, 56);
	cr_expect_eq(pages, 1);
	cr_expect_eq(slabs, 2);
	free(text);
}

Test(proc, json_has_an_object_for_each_row)
{
	const struct {
		void (*file)(struct report *, const struct report_proc *);
		const char *type, *key, *value;
	} rows[] = {
		{ report_meminfo, "meminfo", "name", "MemTotal" },
		{ report_vmallocinfo, "vmallocinfo", "state", "live" },
		{ report_buddyinfo, "buddyinfo", "zone", "DMA" },
		{ report_slabinfo, "slabinfo", "active_objects", "57" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *text = text_of(rows[i].file, REPORT_JSON);
		struct json_object *lines = lines_of(text);

		cr_expect_str_eq(member(line_of_type(lines, rows[i].type, 0), rows[i].key), rows[i].value);
		json_object_put(lines);
		free(text);
	}
}

Test(proc, names_and_sizes_of_a_hostile_guest_do_no_harm)
{
	char *text;

	strcpy(sample.claims.caches[0].name, "\\x1b[2J x");
	sample.claims.caches[0].object_size = 0;
	sample.areas[0].addr = UINT64_MAX;
	sample.claims.zones[0].kind = UINT32_MAX;
	text = text_of(report_buddyinfo, REPORT_TEXT);
	check_holds(text, "Node 0, zone   Normal      3 ");
	free(text);
	text = text_of(report_slabinfo, REPORT_TEXT);
	check_holds(text, "\n\\x1b[2J_x ");
	free(text);
	text = text_of(report_vmallocinfo, REPORT_TEXT);
	check_holds_format(text, "0xffffffffffffffff-0x%016lx ", 0x10000 + KVMAP_GUARD_SIZE - 1);
	free(text);
}
