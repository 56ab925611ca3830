/* SPDX-License-Identifier: MIT */
/*
 * leaves.c: how many leaf entries a second the inspector walks and merges, on one core, over synthetic
 * tables, and how many times as long that takes as reading the same tables once.
 *
 * kvmap-bench-leaves [LEAVES]: 4K pages on scattered frames, a million unless given. Two shapes: one piece,
 * and areas of 32 pages with a guard after each, as vmalloc makes them, with the claims to label them
 * by. Figures are medians. A ratio is of the shortest times: the work, and a pass of 8-byte loads over all
 * tables before each run of it.
 */
#define _GNU_SOURCE
#include "base/array.h"
#include "inspect/map_fold.h"

#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define RUNS       101
#define RUNS_LARGE 3 /* of more than ten million leaves */
#define PAGE       0x1000ull
#define BASE       0xffffc90000000000ull
#define AREA_PAGES 32
/* 64 TiB: the largest piece of address space that the tables below may need to cover. */
#define LEAVES_MAX (1ull << 34)

struct tables {
	struct view view;
	struct walk_mode mode;
	uint8_t *bytes;
	uint64_t used;        /* bytes of tables */
	uint64_t end;         /* last GVA of the last page */
	struct claims claims; /* its areas; none of one piece */
};

static uint64_t *table_at(struct tables *tables, uint64_t gpa)
{
	return (uint64_t *)(void *)(tables->bytes + gpa);
}

/* The entry that translates gva; makes the tables above it. */
static uint64_t *entry_for(struct tables *tables, uint64_t gva)
{
	uint64_t gpa = 0;

	for (unsigned int shift = 39; shift > 12; shift -= 9) {
		uint64_t *entry = &table_at(tables, gpa)[gva >> shift & 511];

		if (!*entry) {
			*entry = tables->used | PTE_P | PTE_W;
			tables->used += PAGE;
		}
		gpa = *entry & PTE_ADDRESS;
	}
	return &table_at(tables, gpa)[gva >> 12 & 511];
}

static int claim_area(struct tables *tables, uint64_t gva)
{
	struct claim_area area = {
		.state = AREA_LIVE,
		.va_start = gva,
		.va_end = gva + AREA_PAGES * PAGE + KVMAP_GUARD_SIZE,
		.caller = 0xffffffff80200000 + gva / PAGE % 7, /* of several functions */
	};

	return claims_add_area(&tables->claims, &area);
}

/* guard: leave a guard unmapped after each AREA_PAGES. */
static int tables_make(struct tables *tables, uint64_t leaves, bool guard)
{
	uint64_t pages = leaves + leaves / AREA_PAGES * KVMAP_GUARD_PAGES;
	uint64_t size = (pages / 512 + pages / (512 * 512) + 16) * PAGE;
	uint64_t gva = BASE, frame = 1;
	struct error error;

	memset(tables, 0, sizeof(*tables));
	tables->bytes =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (tables->bytes == MAP_FAILED)
		return -1;
	tables->used = PAGE;
	tables->mode = (struct walk_mode){ .levels = 4, .physical_bits = 46, .nx = true, .pages_1g = true };
	for (uint64_t i = 0; i < leaves; i++, gva += PAGE) {
		if (guard && i && i % AREA_PAGES == 0)
			gva += KVMAP_GUARD_SIZE;
		if (guard && i % AREA_PAGES == 0 && claim_area(tables, gva) < 0)
			return -1;
		frame = frame * 6364136223846793005u + 1442695040888963407u;
		*entry_for(tables, gva) = (frame >> 30 << 12 & 0x3ffffffff000) | PTE_P | PTE_W | PTE_NX;
	}
	tables->end = gva - 1;
	return view_add_region(&tables->view,
			       &(struct view_region){ .size = size, .bytes = tables->bytes, .fd = -1 },
			       &error);
}

/* ---- what is measured ---- */

/* Each entry of each table, by a load of its own. */
static void read_once(const struct tables *tables)
{
	const uint64_t *entry = (const uint64_t *)(const void *)tables->bytes,
		       *end = entry + tables->used / 8;

	for (; entry < end; entry++)
		__asm__ volatile("" : : "r"(*entry));
}

struct count {
	uint64_t leaves;
	uint64_t sum; /* so that no compiler leaves the work out */
};

static int count_run(void *context, const struct walk_run *run)
{
	struct count *count = context;

	count->leaves += run->count;
	return 0;
}

/* For the same processors as the scan. */
__attribute__((target_clones("avx512f", "avx2", "default"))) static int
count_leaves(void *context, const struct walk_run *run)
{
	struct walk_leaf leaf = walk_run_before(run);
	struct count *count = context;
	uint64_t sum = 0;

	for (unsigned int i = 0; i < run->count; i++) {
		walk_run_step(run, i, &leaf);
		sum += leaf.gpa ^ leaf.gva ^ leaf.rights;
	}
	count->leaves += run->count;
	count->sum += sum;
	return 0;
}

static uint64_t walk_runs(const struct tables *tables)
{
	struct count count = { 0 };
	const struct walk_visitor visitor = { .context = &count, .run = count_run };

	walk_range(&tables->view, &tables->mode, 0, ~0ull, 0, &visitor);
	return count.leaves;
}

static uint64_t walk_leaves(const struct tables *tables)
{
	struct count count = { 0 };
	const struct walk_visitor visitor = { .context = &count, .run = count_leaves };

	walk_range(&tables->view, &tables->mode, 0, ~0ull, 0, &visitor);
	return count.leaves + (count.sum == 1);
}

static uint64_t merge(const struct tables *tables)
{
	struct ranges ranges;
	struct error error;
	uint64_t leaves;

	if (ranges_collect(&tables->view, &tables->mode, 0, ~0ull, NULL, 0, &ranges, &error) < 0)
		return 0;
	leaves = ranges.leaves;
	ranges_destroy(&ranges);
	return leaves;
}

/* All of `kvmap map` but its text: ranges, what they are, folded. */
static uint64_t map_all(const struct tables *tables)
{
	static const struct map_filter all = { .end = UINT64_MAX };
	const struct claims *claims = tables->claims.areas.count ? &tables->claims : NULL;
	struct map_direct direct;
	struct memory_map map = { 0 };
	struct map_lines lines = { 0 };
	struct ranges ranges = { 0 };
	struct error error;
	uint64_t leaves = 0, *breaks;
	size_t count;

	if (claims) {
		const struct map_source source = { &tables->view, &tables->mode,
						   map_direct(NULL, &tables->view, claims), claims, NULL };

		if (map_read_folded(&source, &all, &map, &lines, &ranges, &error) == 0)
			leaves = ranges.leaves;
		map_lines_destroy(&lines);
		map_destroy(&map);
		return leaves;
	}
	breaks = claims_area_starts(claims, &count);
	if (ranges_collect(&tables->view, &tables->mode, 0, ~0ull, breaks, count, &ranges, &error) == 0) {
		direct = map_direct(&ranges, &tables->view, claims);
		if (map_build(&ranges, &direct, claims, NULL, &all, &map, &error) == 0 &&
		    map_fold(&map, true, &lines, &error) == 0)
			leaves = ranges.leaves;
	}
	free(breaks);
	map_lines_destroy(&lines);
	map_destroy(&map);
	ranges_destroy(&ranges);
	return leaves;
}

/* ---- measuring ---- */

/* Of this thread's own time, so that what else runs on the machine does not count. */
static uint64_t now_ns(void)
{
	struct timespec time;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
	return time.tv_sec * 1000000000ull + time.tv_nsec;
}

/* A counter of this thread's instructions in user mode; -1 where the host allows none. */
static int instructions_open(void)
{
	struct perf_event_attr attributes = {
		.type = PERF_TYPE_HARDWARE,
		.size = sizeof(attributes),
		.config = PERF_COUNT_HW_INSTRUCTIONS,
		.exclude_kernel = 1,
		.exclude_hv = 1,
	};

	return syscall(SYS_perf_event_open, &attributes, 0, -1, -1, 0);
}

static uint64_t instructions_read(int counter)
{
	uint64_t value;

	return counter >= 0 && read(counter, &value, sizeof(value)) == sizeof(value) ? value : 0;
}

static int compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* The time of the second of two passes: the tables are then as warm as they get. */
static uint64_t read_time(const struct tables *tables)
{
	uint64_t start;

	read_once(tables);
	start = now_ns();
	read_once(tables);
	return now_ns() - start;
}

static int measure(const char *name, const struct tables *tables, uint64_t leaves,
		   uint64_t (*work)(const struct tables *), int counter)
{
	uint64_t ns[RUNS], instructions = 0, read_ns = UINT64_MAX;
	int runs = leaves > 10000000 ? RUNS_LARGE : RUNS;

	for (int i = 0; i < runs; i++) {
		uint64_t from, start, read = read_time(tables);

		read_ns = read < read_ns ? read : read_ns;
		from = instructions_read(counter);
		start = now_ns();
		if (work(tables) != leaves) {
			fprintf(stderr, "%s: did not find the %llu leaves\n", name,
				(unsigned long long)leaves);
			return -1;
		}
		ns[i] = now_ns() - start;
		instructions = instructions_read(counter) - from;
	}
	qsort(ns, runs, sizeof(ns[0]), compare);
	printf("%-36s %8.1f M leaves/s  (%.2f ms; best %.1f)  %.2f x reading", name,
	       leaves * 1e3 / ns[runs / 2], ns[runs / 2] / 1e6, leaves * 1e3 / ns[0],
	       (double)ns[0] / read_ns);
	if (instructions)
		printf("  %.2f instructions a leaf", (double)instructions / leaves);
	putchar('\n');
	return 0;
}

int main(int argc, char **argv)
{
	uint64_t leaves = argc > 1 ? strtoull(argv[1], NULL, 0) : 1000000;
	int counter = instructions_open();
	int failed = 0;

	if (!leaves || leaves > LEAVES_MAX) {
		fprintf(stderr, "usage: kvmap-bench-leaves [LEAVES], 1 to %llu\n", LEAVES_MAX);
		return 2;
	}
	for (int guard = 0; guard < 2 && !failed; guard++) {
		struct tables tables;

		if (tables_make(&tables, leaves, guard) < 0) {
			perror("memory for the tables");
			return 2;
		}
		printf("%llu leaves of 4K in %llu tables, %s\n", (unsigned long long)leaves,
		       (unsigned long long)(tables.used / PAGE),
		       guard ? "areas of 32 pages and a guard" : "one piece");
		failed |= measure("  walk_range, by runs", &tables, leaves, walk_runs, counter);
		failed |= measure("  walk_range, leaf by leaf", &tables, leaves, walk_leaves, counter);
		failed |= measure("  ranges_collect", &tables, leaves, merge, counter);
		failed |= measure("  map: merged, labelled, folded", &tables, leaves, map_all, counter);
		claims_destroy(&tables.claims);
		munmap(tables.bytes, tables.view.regions[0].size);
	}
	return failed ? 1 : 0;
}
