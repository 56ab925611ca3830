/* SPDX-License-Identifier: MIT */
#include "base/array.h"

#include <stdint.h>
#include <stdlib.h>

int array_reserve(void **items, size_t *capacity, size_t count, size_t size)
{
	size_t wanted;
	void *grown;

	if (count < *capacity)
		return 0;
	wanted = *capacity ? *capacity * 2 : 16;
	if (wanted > SIZE_MAX / size)
		return -1;
	grown = realloc(*items, wanted * size);
	if (!grown)
		return -1;
	*items = grown;
	*capacity = wanted;
	return 0;
}
