/* SPDX-License-Identifier: MIT */
/*
 * vmap.c: areas over frames with other owners, who must not free them before the area is unmapped and
 * flushed. Unmapping and flushing work as for any area. Small mappings of vm_map_ram() lie in vmap blocks.
 */
#include "mm/arch.h"
#include "mm/vmalloc/vmap.h"

static inline struct vmap_area *map_create(struct page *const *pages, u32 nr, unsigned long flags,
					   const void *caller, u32 *status)
{
	enum pgprot prot = flags & VM_READONLY ? PGPROT_READONLY : PGPROT_READWRITE;
	struct vmap_area *va = vmap_range_take(nr, status);

	if (unlikely(!va))
		return NULL;
	if (arch_map_pages(va->va_start, pages, nr, prot, &va->table, &va->vm->frames_sum)) {
		vmap_range_undo(va);
		*status = KVMAP_REFUSED_NO_MEMORY;
		return NULL;
	}
	va->vm->requested_size = (unsigned long)nr << PAGE_SHIFT;
	va->vm->flags = flags;
	va->vm->caller = caller;
	va->vm->nr_pages = nr;
	vmap_range_live(va);
	return va;
}

/* map_create() for the slow path; the fast path inlines it. */
static __attribute__((noinline)) struct vmap_area *
map_create_once(struct page *const *pages, u32 nr, unsigned long flags, const void *caller, u32 *status)
{
	return map_create(pages, nr, flags, caller, status);
}

/* Further attempts, if memory or ranges were reclaimed. */
static struct vmap_area *map_create_again(struct page *const *pages, u32 nr, unsigned long flags,
					  const void *caller, u32 *status)
{
	enum reclaim_step step = RECLAIM_SOME;
	struct vmap_area *va = NULL;

	while (!va && vmalloc_reclaim(&step, *status, 0))
		va = map_create_once(pages, nr, flags, caller, status);
	return va;
}

static void *map_refuse(u32 status, u32 nr, const void *caller)
{
	vmalloc_refuse_request(status, (unsigned long)nr << PAGE_SHIFT, GFP_KERNEL, NULL, caller);
	return NULL;
}

static void *map_pages(struct page *const *pages, u32 nr, unsigned long flags, const void *caller)
{
	struct vmap_area *va;
	u32 status;

	if (vmalloc_refuse_in_interrupt(NULL, caller))
		return NULL;
	if (!nr)
		return map_refuse(KVMAP_REFUSED_ZERO_SIZE, nr, caller);
	if (nr > vmalloc_largest >> PAGE_SHIFT)
		return map_refuse(KVMAP_REFUSED_TOO_LARGE, nr, caller);
	va = map_create(pages, nr, flags, caller, &status);
	if (unlikely(!va))
		va = map_create_again(pages, nr, flags, caller, &status);
	if (unlikely(!va))
		return map_refuse(status, nr, caller);
	this_cpu_cache()->stats.allocations++;
	this_cpu_cache()->stats.pages_mapped += nr;
	vmalloc_done();
	return va->vm->addr;
}

void *vmap(struct page *const *pages, u32 count, unsigned long flags, enum pgprot prot)
{
	flags = VM_MAP | (flags & VM_READONLY) | (prot == PGPROT_READONLY ? VM_READONLY : 0);
	return map_pages(pages, count, flags, __builtin_return_address(0));
}

void *vmap_ram_area(struct page *const *pages, u32 nr, const void *caller)
{
	return map_pages(pages, nr, VM_MAP | VM_MAP_RAM, caller);
}

void *vm_map_ram(struct page *const *pages, u32 count, int node)
{
	(void)node;
	if (unlikely(count - 1 >= VMAP_BLOCK_PAGES_MAX || in_interrupt())) /* also true for count 0 */
		return vmap_ram_area(pages, count, __builtin_return_address(0));
	return vmap_block_map(pages, count, __builtin_return_address(0));
}

/* kind: the flags that areas of this function have. count 0: any number of pages. */
static void unmap_pages(const void *addr, unsigned long kind, u32 count, const void *caller)
{
	struct vmap_area *va;
	u32 status = KVMAP_OK;

	if (vmalloc_refuse_in_interrupt(addr, caller))
		return;
	vmalloc_done();
	va = vmap_range_search((unsigned long)addr, &status);
	if (va && (va->vm->flags & (VM_MAP | VM_MAP_RAM)) != kind)
		status = KVMAP_REFUSED_OTHER_KIND;
	else if (va && count && count != va->vm->nr_pages)
		status = KVMAP_REFUSED_COUNT;
	else if (va && !vmap_claim(va))
		status = KVMAP_REFUSED_DOUBLE_FREE;
	if (status) {
		vmalloc_refuse(status, addr, caller);
		return;
	}
	vmap_area_unmap(va);
	this_cpu_cache()->stats.frees++;
	this_cpu_cache()->stats.pages_unmapped += va->vm->nr_pages;
	vmap_lazy_add(va);
	vmap_deferred_run(&this_cpu_cache()->lazy, DEFERRED_AREAS, DEFERRED_PAGES);
}

void vunmap(const void *addr)
{
	vmalloc_done();
	if (addr)
		unmap_pages(addr, VM_MAP, 0, __builtin_return_address(0));
}

void vm_unmap_ram(const void *addr, u32 count)
{
	struct vmap_block *block;
	const void *caller = __builtin_return_address(0);

	if (vmalloc_refuse_in_interrupt(addr, caller))
		return;
	if (unlikely(!count)) {
		vmalloc_refuse(KVMAP_REFUSED_ZERO_SIZE, addr, caller);
		return;
	}
	block = is_vmalloc_addr(addr) ? vmap_block_at((unsigned long)addr) : NULL;
	if (likely(block))
		vmap_block_unmap(block, (unsigned long)addr, count);
	else
		unmap_pages(addr, VM_MAP | VM_MAP_RAM, count, caller);
}

void vm_unmap_aliases(void)
{
	if (vmalloc_refuse_in_interrupt(NULL, __builtin_return_address(0)))
		return;
	vmalloc_done();
	vmap_flush_unmapped();
}
