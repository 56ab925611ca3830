/* SPDX-License-Identifier: MIT */
/*
 * snapshot.c: two mappings of each region, and a list of the runs of pages to copy between them.
 */
#define _GNU_SOURCE /* MADV_POPULATE_READ */
#include "view/snapshot.h"

#include "base/array.h"
#include "base/page.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define BITS 64

static uint64_t words(const struct snapshot_region *region)
{
	return (region->size / PAGE_4K + BITS - 1) / BITS;
}

static void region_unmap(struct snapshot_region *region)
{
	if (region->own)
		munmap(region->own, region->size);
	if (region->now)
		munmap((void *)region->now, region->size);
	free(region->accessed);
	free(region->has);
}

static void *map(uint64_t size, int protection, int flags, int fd, uint64_t offset)
{
	void *bytes = mmap(NULL, size, protection, flags | MAP_NORESERVE, fd, (off_t)offset);

	return bytes == MAP_FAILED ? NULL : bytes;
}

int snapshot_map(struct snapshot *snapshot, struct view_region *region, int fd, uint64_t offset)
{
	struct snapshot_region mapped = { .size = region->size };

	mapped.own = map(region->size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, offset);
	if (mapped.own)
		mapped.now = map(region->size, PROT_READ, MAP_SHARED, fd, offset);
	mapped.accessed = calloc(words(&mapped), sizeof(*mapped.accessed));
	mapped.has = calloc(words(&mapped), sizeof(*mapped.has));
	if (!mapped.now || !mapped.accessed || !mapped.has || array_push(&snapshot->regions, mapped) < 0) {
		region_unmap(&mapped);
		return -1;
	}
	region->bytes = mapped.own;
	region->accessed = mapped.accessed;
	return 0;
}

/* Number of the first page, from `page` on, whose bit is `wanted`; the region's page count if there is none. */
static uint64_t next_page(const struct snapshot_region *region, uint64_t page, bool wanted)
{
	uint64_t end = region->size / PAGE_4K;

	while (page < end) {
		uint64_t word = region->accessed[page / BITS];
		uint64_t left = (wanted ? word : ~word) >> page % BITS;

		if (left) {
			page += (uint64_t)__builtin_ctzll(left);
			break;
		}
		page += BITS - page % BITS;
	}
	return page < end ? page : end;
}

/* Lists the runs of accessed pages and populates both mappings, so that the copy takes no page fault. */
static int prepare_region(struct snapshot *snapshot, struct snapshot_region *region)
{
	uint64_t end = region->size / PAGE_4K, first, after;

	for (first = next_page(region, 0, true); first < end; first = next_page(region, after, true)) {
		struct snapshot_run run;

		after = next_page(region, first, false);
		run = (struct snapshot_run){
			.own = region->own + first * PAGE_4K,
			.now = region->now + first * PAGE_4K,
			.size = (after - first) * PAGE_4K,
		};
		if (array_push(&snapshot->runs, run) < 0)
			return -1;
		/* Since Linux 5.14; before, the copy takes the page faults. */
		madvise(run.own, run.size, MADV_POPULATE_WRITE);
		madvise((void *)run.now, run.size, MADV_POPULATE_READ);
	}
	return 0;
}

int snapshot_prepare(struct snapshot *snapshot)
{
	snapshot->runs.count = 0;
	for (size_t i = 0; i < snapshot->regions.count; i++) {
		struct snapshot_region *region = &snapshot->regions.items[i];

		memcpy(region->has, region->accessed, words(region) * sizeof(*region->has));
		if (prepare_region(snapshot, region) < 0)
			return -1;
	}
	return 0;
}

void snapshot_copy(struct snapshot *snapshot)
{
	for (size_t i = 0; i < snapshot->runs.count; i++)
		memcpy(snapshot->runs.items[i].own, snapshot->runs.items[i].now,
		       snapshot->runs.items[i].size);
}

bool snapshot_is_complete(const struct snapshot *snapshot)
{
	for (size_t i = 0; i < snapshot->regions.count; i++)
		if (memcmp(snapshot->regions.items[i].accessed, snapshot->regions.items[i].has,
			   words(&snapshot->regions.items[i]) * sizeof(uint64_t)) != 0)
			return false;
	return true;
}

void snapshot_destroy(struct snapshot *snapshot)
{
	for (size_t i = 0; i < snapshot->regions.count; i++)
		region_unmap(&snapshot->regions.items[i]);
	free(snapshot->regions.items);
	free(snapshot->runs.items);
	*snapshot = (struct snapshot){ 0 };
}
