/* SPDX-License-Identifier: MIT */
/*
 * lower_bound.h: binary search.
 */
#ifndef VMM_BASE_LOWER_BOUND_H
#define VMM_BASE_LOWER_BOUND_H

#include <stddef.h>

/*
 * The first index of [0, count) for which `is_before`, an expression in the variable `index`, is false; count
 * if there is none. It must be true for all lower indices. Example:
 *
 *   lower_bound(array->count, i, array->items[i].key < key)
 */
#define lower_bound(count, index, is_before)                                                                 \
	({                                                                                                   \
		size_t low_ = 0, high_ = (count);                                                            \
                                                                                                             \
		while (low_ < high_) {                                                                       \
			const size_t index = low_ + (high_ - low_) / 2;                                      \
                                                                                                             \
			if (is_before)                                                                       \
				low_ = index + 1;                                                            \
			else                                                                                 \
				high_ = index;                                                               \
		}                                                                                            \
		low_;                                                                                        \
	})

#endif
