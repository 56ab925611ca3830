/* SPDX-License-Identifier: MIT */
/*
 * vmalloc.c: an area is made of a range, a description, frames and table entries, in this order, and taken
 * apart in the opposite one. Each step that fails undoes those before it.
 */
#include "mm/vmalloc.h"

#include "kvmap/layout.h"
#include "mm/arch.h"
#include "mm/frames.h"
#include "mm/slab.h"
#include "mm/vmap.h"

struct vmalloc_stats vmalloc_stats;
u32 vmalloc_policy;
struct kmem_cache vm_struct_cache = { .name = "vm_struct", .object_size = sizeof(struct vm_struct) };

static u32 last_status;
static u64 largest_size; /* bytes of memory under management */

void vmalloc_init(u32 policy)
{
	vmalloc_policy = policy;
	largest_size = frames_total_count() << PAGE_SHIFT;
	/* Without memory for its one node the space stays empty and every request is refused. */
	vmap_free_init(KVMAP_VMALLOC_START, KVMAP_VMALLOC_END);
}

u32 vmalloc_status(void)
{
	return last_status;
}

static void *refuse(u32 status)
{
	last_status = status;
	vmalloc_stats.refused++;
	return NULL;
}

/* Gives the area its frames, mapped; enum kvmap_status. */
static u32 area_populate(struct vmap_area *va, struct vm_struct *vm)
{
	enum pgprot prot = vm->flags & VM_READONLY ? PGPROT_READONLY : PGPROT_READWRITE;

	vm->pages = vm->flags & VM_ZERO ? frames_alloc_chain_zeroed(vm->nr_pages, PAGE_VMALLOC)
					: frames_alloc_chain(vm->nr_pages, PAGE_VMALLOC);
	if (!vm->pages)
		return KVMAP_REFUSED_NO_MEMORY;
	if (arch_map_chain(va->va_start, vm->pages, vm->nr_pages, prot)) {
		frames_free_chain(vm->pages, vm->nr_pages, 0);
		return KVMAP_REFUSED_NO_MEMORY;
	}
	return KVMAP_OK;
}

/* One attempt, all or nothing; enum kvmap_status. */
static u32 area_create(unsigned long size, unsigned long flags, const void *caller, struct vmap_area **out)
{
	unsigned long mapped = ALIGN_UP(size, PAGE_SIZE);
	struct vmap_area *va;
	struct vm_struct *vm;
	u32 status;

	va = vmap_free_take(mapped + PAGE_SIZE, &status);
	if (!va)
		return status;
	vm = kmem_cache_alloc(&vm_struct_cache);
	if (!vm) {
		vmap_free_put(va);
		return KVMAP_REFUSED_NO_MEMORY;
	}
	vm->addr = (void *)va->va_start;
	vm->size = mapped + PAGE_SIZE;
	vm->requested_size = size;
	vm->flags = flags;
	vm->nr_pages = (u32)(mapped >> PAGE_SHIFT);
	vm->caller = caller;
	status = area_populate(va, vm);
	if (status) {
		kmem_cache_free(&vm_struct_cache, vm);
		vmap_free_put(va);
		return status;
	}
	va->vm = vm;
	va->handed = tlb_clock;
	*out = va;
	return KVMAP_OK;
}

static void *area_alloc(unsigned long size, unsigned long flags, const void *caller)
{
	struct vmap_area *va;
	u32 status;

	if (!size)
		return refuse(KVMAP_REFUSED_ZERO_SIZE);
	/* From here on the size fits in RAM: rounding it up and adding the guard page cannot overflow. */
	if (size > largest_size)
		return refuse(KVMAP_REFUSED_TOO_LARGE);

	status = area_create(size, flags, caller, &va);
	if (unlikely(status) && vmalloc_purge())
		status = area_create(size, flags, caller, &va);
	if (status)
		return refuse(status);

	vmap_busy_insert(va);
	vm_stat[NR_VMALLOC_PAGES] += va->vm->nr_pages;
	vmalloc_stats.allocations++;
	vmalloc_stats.pages_mapped += va->vm->nr_pages;
	last_status = KVMAP_OK;
	return va->vm->addr;
}

void *vmalloc(unsigned long size)
{
	return area_alloc(size, VM_ALLOC, __builtin_return_address(0));
}

void *vzalloc(unsigned long size)
{
	return area_alloc(size, VM_ALLOC | VM_ZERO, __builtin_return_address(0));
}

/* The area that begins at addr; or NULL and why there is none. */
static struct vmap_area *area_to_free(unsigned long addr, u32 *status)
{
	struct vmap_area *va;

	if (addr < KVMAP_VMALLOC_START || addr >= KVMAP_VMALLOC_END) {
		*status = KVMAP_REFUSED_NOT_AN_AREA;
		return NULL;
	}
	if (addr % PAGE_SIZE) {
		*status = KVMAP_REFUSED_UNALIGNED;
		return NULL;
	}
	va = vmap_busy_find(addr);
	if (!va) {
		/* Freed, and waiting for its flush, or free again already. */
		*status = addr < vmap_highest ? KVMAP_REFUSED_DOUBLE_FREE : KVMAP_REFUSED_NOT_AN_AREA;
		return NULL;
	}
	if (va->va_start != addr) {
		*status = KVMAP_REFUSED_INTERIOR;
		return NULL;
	}
	return va;
}

void vfree(const void *addr)
{
	struct vmap_area *va;
	u32 status, nr;

	last_status = KVMAP_OK;
	if (!addr)
		return;
	va = area_to_free((unsigned long)addr, &status);
	if (!va) {
		refuse(status);
		return;
	}
	nr = va->vm->nr_pages;
	vmap_busy_remove(va);
	va->unmapped = arch_unmap(va->va_start, nr);
	vm_stat[NR_VMALLOC_PAGES] -= nr;
	vmalloc_stats.frees++;
	vmalloc_stats.pages_unmapped += nr;
	vmap_lazy_add(va);
}

struct vm_struct *find_vm_area(const void *addr)
{
	struct vmap_area *va = vmap_busy_find((unsigned long)addr);

	return va ? va->vm : NULL;
}
