/* SPDX-License-Identifier: MIT */
/*
 * array.h: growing arrays.
 */
#ifndef VMM_BASE_ARRAY_H
#define VMM_BASE_ARRAY_H

#include <stddef.h>

/*
 * An array of `type`: a member `ARRAY_OF(struct area) areas`, or the start of a struct of its own,
 * `ARRAY_OF(struct area);`. Zero is the empty array. The owner frees items.
 */
#define ARRAY_OF(type)                                                                                       \
	struct {                                                                                             \
		type *items;                                                                                 \
		size_t count, capacity;                                                                      \
	}

/* Makes room for one more item of `size` bytes; 0, or -1 with the array unchanged when memory is out. */
int array_reserve(void **items, size_t *capacity, size_t count, size_t size);

/* Appends a copy of `item`; 0 or -1 (ENOMEM). `array` is evaluated more than once. */
#define array_push(array, item)                                                                              \
	(array_reserve((void **)&(array)->items, &(array)->capacity, (array)->count,                         \
		       sizeof(*(array)->items)) < 0                                                          \
		 ? -1                                                                                        \
		 : ((array)->items[(array)->count++] = (item), 0))

#endif
