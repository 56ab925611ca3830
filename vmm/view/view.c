/* SPDX-License-Identifier: MIT */
/*
 * view.c: the regions of a view and the checked access to them.
 */
#define _GNU_SOURCE /* SEEK_DATA */
#include "view/view.h"
#include "view/extents.h"

#include "base/array.h"
#include "base/lower_bound.h"
#include "base/page.h"
#include "base/strbuf.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

unsigned int view_region_from(const struct view *view, uint64_t gpa)
{
	return (unsigned int)lower_bound(view->region_count, i,
					 view->regions[i].gpa + view->regions[i].size <= gpa);
}

static int region_check(const struct view *view, const struct view_region *region, unsigned int place,
			struct error *error)
{
	if (!region->size || (region->gpa | region->size) % PAGE_4K)
		return error_set(error, ERROR_INPUT, 0, region->gpa,
				 "memory at GPA 0x%" PRIx64 ", size 0x%" PRIx64
				 ": not a whole number of pages",
				 region->gpa, region->size);
	if (region->size > UINT64_MAX - region->gpa)
		return error_set(error, ERROR_INPUT, 0, region->gpa,
				 "memory at GPA 0x%" PRIx64 ", size 0x%" PRIx64
				 ": wraps around the address space",
				 region->gpa, region->size);
	if (place < view->region_count && view->regions[place].gpa < region->gpa + region->size)
		return error_set(error, ERROR_INPUT, 0, region->gpa,
				 "memory at GPA 0x%" PRIx64 ", size 0x%" PRIx64
				 ": overlaps the memory at GPA 0x%" PRIx64,
				 region->gpa, region->size, view->regions[place].gpa);
	return 0;
}

static int make_room(struct view *view, struct error *error)
{
	size_t capacity = view->region_capacity;

	if (array_reserve((void **)&view->regions, &capacity, view->region_count, sizeof(view->regions[0])) <
		    0 ||
	    capacity > UINT32_MAX)
		return error_set(error, ERROR_HOST, ENOMEM, 0, "the list of %u of the guest's slots",
				 view->region_count);
	view->region_capacity = (unsigned int)capacity;
	return 0;
}

int view_add_region(struct view *view, const struct view_region *region, struct error *error)
{
	unsigned int place = view_region_from(view, region->gpa);

	if (region_check(view, region, place, error) < 0 || make_room(view, error) < 0)
		return -1;
	memmove(&view->regions[place + 1], &view->regions[place],
		(view->region_count - place) * sizeof(view->regions[0]));
	view->regions[place] = *region;
	view->region_count++;
	return 0;
}

int view_set_cpus(struct view *view, unsigned int count, struct error *error)
{
	unsigned int capacity = view->cpu_capacity;
	struct view_cpu *grown = view->cpus;

	if (count > VIEW_CPUS_MAX)
		return error_set(error, ERROR_INPUT, 0, 0, "%u CPUs: more than %d", count, VIEW_CPUS_MAX);
	if (count > capacity) {
		capacity = count > 2 * capacity ? count : 2 * capacity;
		grown = realloc(view->cpus, capacity * sizeof(*grown));
		if (!grown)
			return error_set(error, ERROR_HOST, ENOMEM, 0, "the registers of %u CPUs", count);
		view->cpus = grown;
		view->cpu_capacity = capacity;
	}
	if (count > view->cpu_count)
		memset(&grown[view->cpu_count], 0, (count - view->cpu_count) * sizeof(*grown));
	view->cpu_count = count;
	return 0;
}

void view_destroy(struct view *view)
{
	if (!view)
		return;
	if (view->release)
		view->release(view);
	view_clear(view);
	free(view);
}

void view_clear(struct view *view)
{
	view_forget_data(view);
	free(view->regions);
	free(view->gaps.items);
	view->regions = NULL;
	view->region_count = view->region_capacity = 0;
	view->gaps.items = NULL;
	view->gaps.count = view->gaps.capacity = 0;
	free(view->cpus);
	view->cpus = NULL;
	view->cpu_count = view->cpu_capacity = 0;
}

const struct view_region *view_region(const struct view *view, uint64_t gpa, uint64_t size)
{
	unsigned int place = view_region_from(view, gpa);
	const struct view_region *region;

	if (place == view->region_count)
		return NULL;
	region = &view->regions[place];
	if (gpa < region->gpa)
		return NULL;
	/* gpa - region->gpa < region->size, by view_region_from(). */
	return size <= region->size - (gpa - region->gpa) ? region : NULL;
}

bool view_covers(const struct view *view, uint64_t gpa, uint64_t size)
{
	while (size) {
		const struct view_region *region = view_region(view, gpa, 1);
		uint64_t left = region ? region->size - (gpa - region->gpa) : 0;

		if (!region)
			return false;
		left = left < size ? left : size;
		gpa += left; /* at most the region's end, which does not wrap */
		size -= left;
	}
	return true;
}

/* [gpa, gpa + size) lies in the region; size > 0. */
static void mark_accessed(const struct view_region *region, uint64_t gpa, uint64_t size)
{
	uint64_t first = (gpa - region->gpa) / PAGE_4K, last = (gpa - region->gpa + size - 1) / PAGE_4K;

	for (uint64_t page = first; page <= last; page++)
		region->accessed[page / 64] |= 1ull << page % 64;
}

const void *view_bytes(const struct view *view, uint64_t gpa, uint64_t size)
{
	const struct view_region *region = view_region(view, gpa, size);

	if (!region)
		return NULL;
	if (region->accessed)
		mark_accessed(region, gpa, size);
	return region->bytes + (gpa - region->gpa);
}

int view_read(const struct view *view, uint64_t gpa, void *out, size_t size, struct error *error)
{
	uint8_t *to = out;

	while (size) {
		const struct view_region *region = view_region(view, gpa, 1);
		uint64_t left;
		size_t part;

		if (!region)
			return error_set(error, ERROR_GUEST, 0, gpa, "no guest memory at GPA 0x%" PRIx64,
					 gpa);
		left = region->size - (gpa - region->gpa);
		part = size < left ? size : left;
		if (region->accessed)
			mark_accessed(region, gpa, part);
		memcpy(to, region->bytes + (gpa - region->gpa), part);
		to += part;
		size -= part;
		gpa += part; /* at most the region's end, which does not wrap */
	}
	return 0;
}

/* The first data in [from, to) of the region. False: only holes. */
static bool region_next_data(const struct view_region *region, uint64_t from, uint64_t to,
			     uint64_t *start_out, uint64_t *end_out)
{
	uint64_t in_file = region->offset - region->gpa; /* GPA to offset, modulo 2^64 */
	off_t data, hole;

	data = region->fd < 0 ? -1 : lseek(region->fd, (off_t)(from + in_file), SEEK_DATA);
	if (data < 0) {
		/* ENXIO: no data up to the end. Other errors: the file has no SEEK_DATA. */
		if (region->fd >= 0 && errno == ENXIO)
			return false;
		*start_out = from;
		*end_out = to;
		return true;
	}
	if ((uint64_t)data - in_file >= to)
		return false;
	hole = lseek(region->fd, data, SEEK_HOLE);
	*start_out = (uint64_t)data - in_file;
	*end_out = hole > data && (uint64_t)hole - in_file < to ? (uint64_t)hole - in_file : to;
	return true;
}

bool view_next_data(const struct view *view, uint64_t gpa, uint64_t end, uint64_t *start_out,
		    uint64_t *end_out)
{
	unsigned int place;

	if (view->extents_known)
		return extents_next(view, gpa, end, start_out, end_out);
	for (place = view_region_from(view, gpa); place < view->region_count; place++) {
		const struct view_region *region = &view->regions[place];
		uint64_t from = region->gpa > gpa ? region->gpa : gpa;
		uint64_t to = region->gpa + region->size < end ? region->gpa + region->size : end;

		if (from >= to)
			return false;
		if (region_next_data(region, from, to, start_out, end_out))
			return true;
	}
	return false;
}

uint64_t view_size(const struct view *view)
{
	uint64_t size = 0;

	for (unsigned int i = 0; i < view->region_count; i++)
		size += view->regions[i].size;
	return size;
}

uint64_t view_data_size(const struct view *view)
{
	uint64_t size = 0, gpa = 0, start, end;

	if (view->data_size_max)
		return view->data_size_max;
	for (; view_next_data(view, gpa, UINT64_MAX, &start, &end); gpa = end)
		size += end - start;
	return size;
}

const char *view_lacks_text(unsigned int lacks, char *out, size_t size)
{
	struct strbuf list = strbuf_of(out, size);

	if (lacks & VIEW_LACKS_EFER)
		strbuf_add_item(&list, ", ", "efer");
	if (lacks & VIEW_LACKS_RIP)
		strbuf_add_item(&list, ", ", "rip");
	if (lacks & VIEW_LACKS_RSP)
		strbuf_add_item(&list, ", ", "rsp");
	if (lacks & VIEW_LACKS_RFLAGS)
		strbuf_add_item(&list, ", ", "rflags");
	if (lacks & VIEW_LACKS_SEGMENTS)
		strbuf_add_item(&list, ", ", "cs, ss, ds, es, fs, gs, fs_base, gs_base");
	if (lacks & VIEW_LACKS_PAT)
		strbuf_add_item(&list, ", ", "pat");
	return out;
}
