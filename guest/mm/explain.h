/* SPDX-License-Identifier: MIT */
/*
 * explain.h: what an address of the vmalloc range belongs to, for reports of faults and refusals. Implemented
 * by mm/vmalloc.
 */
#ifndef GUEST_MM_EXPLAIN_H
#define GUEST_MM_EXPLAIN_H

#include "kvmap/layout.h"
#include "lib/types.h"

static inline bool is_vmalloc_addr(const void *addr)
{
	return (unsigned long)addr - KVMAP_VMALLOC_START < KVMAP_VMALLOC_END - KVMAP_VMALLOC_START;
}

struct vmalloc_address {
	u32 kind;            /* enum kvmap_fault_kind; KVMAP_FAULT_NONE: an ordinary mapped page */
	unsigned long start; /* of the area, 0 if none */
	unsigned long size;  /* in bytes, without the guard page */
	const void *caller;  /* of the function that allocated the area */
};

/* Allocates nothing. If vmap_area_lock stays busy, searches without it. */
void vmalloc_explain(unsigned long addr, bool write, struct vmalloc_address *out);

#endif
