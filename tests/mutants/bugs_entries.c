/* SPDX-License-Identifier: MIT */
/*
 * bugs_entries.c: bugs of single bits of page-table entries, and of numbers that are kept of ranges.
 */
#include "../rbtree_walk.h"
#include "bugs_parts.h"

#include "arch/x86_64/pgtable.h"
#include "kvmap/operation.h"
#include "mm/percpu.h"
#include "mm/vmalloc/vmap.h"

/* The first page of the first mapping in a vmap block. */
static volatile u64 *block_pte(void)
{
	for (struct rb_node *node = rb_first(&vmap_area_root); node; node = rb_next(node)) {
		const struct vmap_area *va = container_of(node, struct vmap_area, rb_node);

		if (va->state == VMAP_BLOCK)
			return pte_of(va->va_start);
	}
	return NULL;
}

/* A page of vm_map_ram() stays in no TLB over a switch of CR3. */
u32 not_global(void)
{
	volatile u64 *pte = block_pte();

	if (!pte)
		return KVMAP_REFUSED_NOT_AN_AREA;
	*pte &= ~(u64)_PAGE_GLOBAL;
	return KVMAP_OK;
}

/* Bit 9, which the processor ignores. */
u32 software_bit(void)
{
	*pte_of(live_area(0)->va_start) |= 1u << 9;
	return KVMAP_OK;
}

u32 highest_off(void)
{
	vmap_highest -= PAGE_SIZE;
	return KVMAP_OK;
}

u32 purged_off(void)
{
	this_cpu_cache()->stats.areas_purged++;
	return KVMAP_OK;
}
