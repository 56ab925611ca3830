/* SPDX-License-Identifier: MIT */
/*
 * map_images.h: the distances at which a guest maps the images of its kernel: those of memory that the supervisor
 * executes and cannot write. A kernel that makes page tables in its data at boot maps them writable at that
 * distance. For map_check.c.
 */
#ifndef VMM_INSPECT_MAP_IMAGES_H
#define VMM_INSPECT_MAP_IMAGES_H

#include "paging/ranges.h"

#include <stdbool.h>

struct map_images {
	ARRAY_OF(uint64_t); /* GVA - GPA, modulo 2^64, in ascending order */
};

/* ranges: all ranges of the guest. -1: out of memory. */
int map_images_collect(const struct ranges *ranges, struct map_images *out);
bool map_images_have(const struct map_images *images, uint64_t distance);
void map_images_destroy(struct map_images *images);

#endif
