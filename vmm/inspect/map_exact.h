/* SPDX-License-Identifier: MIT */
/*
 * map_exact.h: the numbers of mappings of frames that tables lead to which are mapped again and again. For map_check.c.
 */
#ifndef VMM_INSPECT_MAP_EXACT_H
#define VMM_INSPECT_MAP_EXACT_H

#include "inspect/map_check.h"
#include "inspect/map_images.h"

/*
 * Replaces the lower bounds of `violations` by the true numbers, and clears their at_least: of the first
 * MAP_EXACT_FRAMES frames, if all of the guest was checked. Nothing is counted after a walk that was cut short. -1: memory
 * is out.
 */
int map_count_exactly(const struct map_check_input *input, const struct map_images *images,
		      struct map_violations *violations);

/* Each costs a walk of all tables; all of them enter no more than MAP_EXACT_TABLES. */
#define MAP_EXACT_FRAMES 16
#define MAP_EXACT_TABLES (1u << 18)

#endif
