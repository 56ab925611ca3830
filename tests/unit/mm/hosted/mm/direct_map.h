/* SPDX-License-Identifier: MIT */
/*
 * direct_map.h: the simulated machine's RAM. Replaces the kernel's file.
 */
#ifndef GUEST_MM_DIRECT_MAP_H
#define GUEST_MM_DIRECT_MAP_H

#include "lib/types.h"

void *__va(u64 gpa);
u64 __pa(const void *direct_map_address);

#endif
