/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* memfd_create */
#include "shell/last_stop.h"

#include "base/number.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void release(struct view *view)
{
	for (unsigned int i = 0; i < view->region_count; i++) {
		munmap((void *)view->regions[i].bytes, view->regions[i].size);
		close(view->regions[i].fd);
	}
	view_clear(view);
}

/* A sparse file with the region's data. */
static int copy_region(const struct view *from, const struct view_region *region, struct view *to,
		       struct error *error)
{
	uint64_t end = region->gpa + region->size, start, data_end;
	struct view_region copy = { .gpa = region->gpa, .size = region->size };
	uint8_t *bytes = MAP_FAILED;

	copy.fd = memfd_create("kvmap-last-stop", MFD_CLOEXEC);
	if (copy.fd >= 0 && ftruncate(copy.fd, (off_t)copy.size) == 0)
		bytes = mmap(NULL, copy.size, PROT_READ | PROT_WRITE, MAP_SHARED, copy.fd, 0);
	copy.bytes = bytes;
	if (bytes == MAP_FAILED || view_add_region(to, &copy, error) < 0) {
		error_set(error, ERROR_HOST, errno, 0, "no memory to keep the last stop");
		if (bytes != MAP_FAILED)
			munmap(bytes, copy.size);
		if (copy.fd >= 0)
			close(copy.fd);
		return -1;
	}
	for (uint64_t at = region->gpa; view_next_data(from, at, end, &start, &data_end); at = data_end)
		memcpy(bytes + (start - region->gpa), region->bytes + (start - region->gpa),
		       data_end - start);
	return 0;
}

struct view *last_stop_copy(const struct view *view, struct error *error)
{
	uint64_t used = view_data_size(view);
	struct view *copy;
	char bytes[40];

	if (used > LAST_STOP_MAX) {
		error_set(
			error, ERROR_INPUT, 0, 0,
			"the last stop was not kept: the guest had %s in use, and at most %llu MiB are copied",
			number_bytes(used, bytes, sizeof(bytes)), LAST_STOP_MAX >> 20);
		return NULL;
	}
	copy = calloc(1, sizeof(*copy));
	if (!copy) {
		error_set(error, ERROR_HOST, 0, 0, "no memory to keep the last stop");
		return NULL;
	}
	copy->release = release;
	copy->pages_1g = view->pages_1g;
	copy->physical_bits = view->physical_bits;
	if (view_set_cpus(copy, view->cpu_count, error) < 0) {
		view_destroy(copy);
		return NULL;
	}
	memcpy(copy->cpus, view->cpus, view->cpu_count * sizeof(view->cpus[0]));
	for (unsigned int i = 0; i < view->region_count; i++) {
		if (copy_region(view, &view->regions[i], copy, error) < 0) {
			view_destroy(copy);
			return NULL;
		}
	}
	return copy;
}
