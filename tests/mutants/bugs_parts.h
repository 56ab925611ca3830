/* SPDX-License-Identifier: MIT */
/*
 * bugs_parts.h: the functions of kvmap/bugs.h, in several files.
 */
#ifndef TESTS_MUTANTS_BUGS_PARTS_H
#define TESTS_MUTANTS_BUGS_PARTS_H

#include "kvmap/bugs.h"
#include "mm/mm_types.h"

#define BUG_FUNCTION(function, number, name) u32 function(void);
KVMAP_BUGS(BUG_FUNCTION)
#undef BUG_FUNCTION

/* Live area number n by address, or NULL. */
struct vmap_area *live_area(unsigned int n);

/* The PTE of an address, or NULL without its page tables. */
volatile u64 *pte_of(unsigned long va);

#endif
