/* SPDX-License-Identifier: MIT */
/*
 * explain.c: what an address of the vmalloc range belongs to, for reports of faults and refusals.
 */
#include "kvmap/operation.h"
#include "mm/vmalloc/vmap.h"

static u32 area_kind(const struct vmap_area *va, unsigned long addr, bool write)
{
	if (READ_ONCE(va->state) != VMAP_LIVE)
		return KVMAP_FAULT_FREED;
	if (addr >= vmap_mapped_end(va))
		return KVMAP_FAULT_GUARD;
	if (write && va->vm->flags & VM_READONLY)
		return KVMAP_FAULT_READONLY;
	return KVMAP_FAULT_NONE;
}

/*
 * Attempts to take the lock. After these its holder is probably the code that faulted, and the search runs
 * without the lock; it can only spoil the report.
 */
#define LOCK_ATTEMPTS 100000

static bool lock_for_report(void)
{
	for (u32 i = 0; i < LOCK_ATTEMPTS; i++) {
		if (spin_trylock(&vmap_area_lock))
			return true;
		arch_relax();
	}
	return false;
}

/* va: the range that contains addr, or NULL. */
static void explain_range(const struct vmap_area *va, unsigned long addr, bool write,
			  struct vmalloc_address *out)
{
	if (va)
		out->kind = area_kind(va, addr, write);
	else
		out->kind = addr < vmap_highest ? KVMAP_FAULT_FREED : KVMAP_FAULT_UNMAPPED;
	out->start = va ? va->va_start : 0;
	out->size = va ? vmap_mapped_end(va) - va->va_start : 0;
	out->caller = va ? va->vm->caller : NULL;
}

static void explain_vmap_block(struct vmap_block *block, unsigned long addr, struct vmalloc_address *out)
{
	unsigned long start = 0;
	const struct vmap_block_map *map = vmap_block_find(block, addr, &start);

	out->start = start;
	out->size = map ? map->nr_pages * PAGE_SIZE : 0;
	out->caller = map ? map->caller : NULL;
	if (!map)
		out->kind = block->va->unmapped ? KVMAP_FAULT_FREED : KVMAP_FAULT_UNMAPPED;
	else if (READ_ONCE(map->state) != VMAP_LIVE)
		out->kind = KVMAP_FAULT_FREED;
	else
		out->kind = addr - start >= out->size ? KVMAP_FAULT_GUARD : KVMAP_FAULT_NONE;
}

void vmalloc_explain(unsigned long addr, bool write, struct vmalloc_address *out)
{
	bool locked = lock_for_report();
	const struct vmap_area *va = vmap_busy_find_racy(addr);

	if (va && READ_ONCE(va->state) == VMAP_BLOCK)
		explain_vmap_block(va->vmap_block, addr, out);
	else
		explain_range(va, addr, write, out);
	if (locked)
		spin_unlock(&vmap_area_lock);
}
