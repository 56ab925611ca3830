/* SPDX-License-Identifier: MIT */
/*
 * snapshot.c: see kept.h.
 */
#define _GNU_SOURCE /* MADV_POPULATE_READ */
#include "view/snapshot.h"

#include "base/array.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE 0x1000ull
#define BITS 64

static uint64_t words(const struct kept_region *region)
{
	return (region->size / PAGE + BITS - 1) / BITS;
}

static void region_unmap(struct kept_region *region)
{
	if (region->own)
		munmap(region->own, region->size);
	if (region->now)
		munmap((void *)region->now, region->size);
	free(region->asked);
	free(region->has);
}

static void *map(uint64_t size, int protection, int flags, int fd, uint64_t offset)
{
	void *bytes = mmap(NULL, size, protection, flags | MAP_NORESERVE, fd, (off_t)offset);

	return bytes == MAP_FAILED ? NULL : bytes;
}

int kept_map(struct kept *kept, struct view_region *region, int fd, uint64_t offset)
{
	struct kept_region mapped = { .size = region->size };

	mapped.own = map(region->size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, offset);
	if (mapped.own)
		mapped.now = map(region->size, PROT_READ, MAP_SHARED, fd, offset);
	mapped.asked = calloc(words(&mapped), sizeof(*mapped.asked));
	mapped.has = calloc(words(&mapped), sizeof(*mapped.has));
	if (!mapped.now || !mapped.asked || !mapped.has || array_push(&kept->regions, mapped) < 0) {
		region_unmap(&mapped);
		return -1;
	}
	region->bytes = mapped.own;
	region->asked = mapped.asked;
	return 0;
}

/* The first page from `page` on whose bit is `wanted`; the region's end where there is none. */
static uint64_t next_page(const struct kept_region *region, uint64_t page, bool wanted)
{
	uint64_t end = region->size / PAGE;

	while (page < end) {
		uint64_t word = region->asked[page / BITS];
		uint64_t left = (wanted ? word : ~word) >> page % BITS;

		if (left) {
			page += (uint64_t)__builtin_ctzll(left);
			break;
		}
		page += BITS - page % BITS;
	}
	return page < end ? page : end;
}

/* A page that is its reader's own already costs next to nothing. */
static int prepare_region(struct kept *kept, struct kept_region *region)
{
	uint64_t end = region->size / PAGE, first, after;

	for (first = next_page(region, 0, true); first < end; first = next_page(region, after, true)) {
		struct kept_run run;

		after = next_page(region, first, false);
		run = (struct kept_run){
			.own = region->own + first * PAGE,
			.now = region->now + first * PAGE,
			.size = (after - first) * PAGE,
		};
		if (array_push(&kept->runs, run) < 0)
			return -1;
		/* Where the kernel does not know these, the copying is slower. */
		madvise(run.own, run.size, MADV_POPULATE_WRITE);
		madvise((void *)run.now, run.size, MADV_POPULATE_READ);
	}
	return 0;
}

int kept_prepare(struct kept *kept)
{
	kept->runs.count = 0;
	for (size_t i = 0; i < kept->regions.count; i++) {
		struct kept_region *region = &kept->regions.items[i];

		memcpy(region->has, region->asked, words(region) * sizeof(*region->has));
		if (prepare_region(kept, region) < 0)
			return -1;
	}
	return 0;
}

void kept_copy(struct kept *kept)
{
	for (size_t i = 0; i < kept->runs.count; i++)
		memcpy(kept->runs.items[i].own, kept->runs.items[i].now, kept->runs.items[i].size);
}

bool kept_is_whole(const struct kept *kept)
{
	for (size_t i = 0; i < kept->regions.count; i++)
		if (memcmp(kept->regions.items[i].asked, kept->regions.items[i].has,
			   words(&kept->regions.items[i]) * sizeof(uint64_t)) != 0)
			return false;
	return true;
}

void kept_destroy(struct kept *kept)
{
	for (size_t i = 0; i < kept->regions.count; i++)
		region_unmap(&kept->regions.items[i]);
	free(kept->regions.items);
	free(kept->runs.items);
	*kept = (struct kept){ 0 };
}
