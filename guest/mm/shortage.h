/* SPDX-License-Identifier: MIT */
/*
 * shortage.h: how much memory and space there is, for reports of refusals.
 */
#ifndef GUEST_MM_SHORTAGE_H
#define GUEST_MM_SHORTAGE_H

#include "kvmap/channel.h"
#include "mm/gfp.h"

/*
 * Sets what of *out is about REFUSED_NO_MEMORY: the free frames of the zones that gfp allows. Takes no lock,
 * so other CPUs may have changed them. Implemented by mm/page.
 */
void memory_shortage(gfp_t gfp, struct kvmap_limits *out);

/* Bytes of the largest free range of the vmalloc space. Implemented by mm/vmalloc. */
unsigned long vmalloc_largest_free(void);

#endif
