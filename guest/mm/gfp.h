/* SPDX-License-Identifier: MIT */
/*
 * gfp.h: the flags of kvmap/gfp.h, and nodes.
 */
#ifndef GUEST_MM_GFP_H
#define GUEST_MM_GFP_H

#include "kvmap/gfp.h"
#include "lib/types.h"

typedef u32 gfp_t;

/* No preference. */
#define NUMA_NO_NODE (-1)

#endif
