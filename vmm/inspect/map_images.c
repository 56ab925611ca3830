/* SPDX-License-Identifier: MIT */
#include "inspect/map_images.h"

#include "base/array.h"
#include "base/lower_bound.h"

#include <stdlib.h>

static int compare(const void *a, const void *b)
{
	uint64_t first = *(const uint64_t *)a, second = *(const uint64_t *)b;

	return first < second ? -1 : first > second;
}

int map_images_collect(const struct ranges *ranges, struct map_images *out)
{
	struct map_images images = { 0 };

	for (size_t i = 0; i < ranges->count; i++) {
		const struct range *range = &ranges->items[i];
		uint64_t distance = range->gva - range->gpa;

		if (range->runs != 1 || !(range->rights & RIGHT_X) || range->rights & (RIGHT_W | RIGHT_U) ||
		    (images.count && images.items[images.count - 1] == distance))
			continue;
		if (array_push(&images, distance) < 0) {
			map_images_destroy(&images);
			return -1;
		}
	}
	if (images.count)
		qsort(images.items, images.count, sizeof(*images.items), compare);
	*out = images;
	return 0;
}

bool map_images_have(const struct map_images *images, uint64_t distance)
{
	size_t place = lower_bound(images->count, i, images->items[i] < distance);

	return place < images->count && images->items[place] == distance;
}

void map_images_destroy(struct map_images *images)
{
	free(images->items);
	*images = (struct map_images){ 0 };
}
