/* SPDX-License-Identifier: MIT */
/*
 * vmap.c: areas over frames that somebody else owns. They are unmapped and flushed as any other; their frames
 * stay where they are, and must stay there until then. Small ones of vm_map_ram() lie in blocks.
 */
#include "mm/arch.h"
#include "mm/vmap.h"

static u32 map_create(struct page *const *pages, u32 nr, unsigned long flags, const void *caller,
		      struct vmap_area **out)
{
	enum pgprot prot = flags & VM_READONLY ? PGPROT_READONLY : PGPROT_READWRITE;
	u32 status;
	struct vmap_area *va = vmap_range_take(nr, &status);

	if (!va)
		return status;
	if (arch_map_pages(va->va_start, pages, nr, prot, &va->vm->frames_sum)) {
		vmap_range_undo(va);
		return KVMAP_REFUSED_NO_MEMORY;
	}
	va->vm->requested_size = (unsigned long)nr << PAGE_SHIFT;
	va->vm->flags = flags;
	va->vm->caller = caller;
	va->vm->nr_pages = nr;
	vmap_range_live(va);
	*out = va;
	return KVMAP_OK;
}

static void *map_pages(struct page *const *pages, u32 nr, unsigned long flags, const void *caller)
{
	u32 status = KVMAP_REFUSED_ZERO_SIZE;
	struct vmap_area *va = NULL;

	if (vmalloc_refuse_in_interrupt())
		return NULL;
	if (nr > vmalloc_largest >> PAGE_SHIFT)
		status = KVMAP_REFUSED_TOO_LARGE;
	else if (nr)
		status = map_create(pages, nr, flags, caller, &va);
	if (unlikely(status) && nr && reclaim_memory())
		status = map_create(pages, nr, flags, caller, &va);
	if (status) {
		vmalloc_refuse(status);
		return NULL;
	}
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

void *vm_map_ram(struct page *const *pages, u32 count, int node)
{
	const void *caller = __builtin_return_address(0);
	struct cpu_cache *cpu = this_cpu_cache();
	void *addr;

	(void)node;
	if (unlikely(count - 1 >= VMAP_BLOCK_MOST || in_interrupt())) /* of 0 too */
		return map_pages(pages, count, VM_MAP | VM_MAP_RAM, caller);
	addr = vmap_block_map(pages, count, caller);
	if (unlikely(!addr))
		return map_pages(pages, count, VM_MAP | VM_MAP_RAM, caller);
	cpu->stats.allocations++;
	cpu->stats.pages_mapped += count;
	cpu->vmalloc_status = KVMAP_OK;
	return addr;
}

/* `kind`: the flags that tell the function's own areas from others. count 0: as many pages as it has. */
static void unmap_pages(const void *addr, unsigned long kind, u32 count)
{
	struct vmap_area *va;
	u32 status = KVMAP_OK;

	if (vmalloc_refuse_in_interrupt())
		return;
	vmalloc_done();
	va = vmap_range_at((unsigned long)addr, &status);
	if (va && (va->vm->flags & (VM_MAP | VM_MAP_RAM)) != kind)
		status = KVMAP_REFUSED_OTHER_KIND;
	else if (va && count && count != va->vm->nr_pages)
		status = KVMAP_REFUSED_COUNT;
	else if (va && !vmap_claim(va))
		status = KVMAP_REFUSED_DOUBLE_FREE;
	if (status) {
		vmalloc_refuse(status);
		return;
	}
	va->unmapped = arch_unmap(va->va_start, va->vm->nr_pages);
	this_cpu_cache()->stats.frees++;
	this_cpu_cache()->stats.pages_unmapped += va->vm->nr_pages;
	vmap_lazy_add(va);
	vmap_deferred_run(&this_cpu_cache()->lazy, DEFERRED_AREAS);
}

void vunmap(const void *addr)
{
	vmalloc_done();
	if (addr)
		unmap_pages(addr, VM_MAP, 0);
}

void vm_unmap_ram(const void *addr, u32 count)
{
	struct vmap_block *block = is_vmalloc_addr(addr) ? vmap_block_at((unsigned long)addr) : NULL;
	u32 status;

	if (vmalloc_refuse_in_interrupt())
		return;
	if (unlikely(!count)) {
		vmalloc_refuse(KVMAP_REFUSED_ZERO_SIZE);
		return;
	}
	if (!block) {
		unmap_pages(addr, VM_MAP | VM_MAP_RAM, count);
		return;
	}
	status = vmap_block_unmap(block, (unsigned long)addr, count);
	if (unlikely(status))
		vmalloc_refuse(status);
	else
		vmalloc_done();
}

void vm_unmap_aliases(void)
{
	if (vmalloc_refuse_in_interrupt())
		return;
	vmalloc_done();
	vmalloc_purge();
}
