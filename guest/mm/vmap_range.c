/* SPDX-License-Identifier: MIT */
/*
 * vmap_range.c: ranges for areas, and areas from addresses.
 */
#include "kvmap/layout.h"
#include "mm/arch.h"
#include "mm/frames.h"
#include "mm/slab.h"
#include "mm/vmap.h"

struct kmem_cache vm_struct_cache = { .name = "vm_struct", .object_size = sizeof(struct vm_struct) };

/* A range of so many bytes that has not been kept, in no tree yet; or NULL and why. */
static struct vmap_area *range_new(unsigned long size, u32 *status)
{
	struct vmap_area *va = vmap_free_take(size, status);
	struct vm_struct *vm;

	if (!va)
		return NULL;
	vm = kmem_cache_alloc(&vm_struct_cache);
	if (!vm) {
		vmap_free_put(va);
		*status = KVMAP_REFUSED_NO_MEMORY;
		return NULL;
	}
	vm->addr = (void *)va->va_start;
	vm->size = size;
	vm->pages = 0;
	vm->nr_pages = 0;
	va->vm = vm;
	va->shrunk = 0;
	va->lead = 0;
	va->state = VMAP_LIVE; /* what tells it from one that was kept */
	return va;
}

struct vmap_area *vmap_range_take(u32 nr_pages, u32 *status)
{
	struct vmap_area *va = vmap_kept_take(nr_pages);

	return va ? va : range_new(((unsigned long)nr_pages + 1) * PAGE_SIZE, status);
}

void vmap_range_live(struct vmap_area *va)
{
	va->handed = tlb_clock;
	if (va->state != VMAP_KEPT)
		vmap_busy_insert(va);
	va->state = VMAP_LIVE;
}

void vmap_range_undo(struct vmap_area *va)
{
	if (va->state == VMAP_KEPT) {
		vmap_kept_put(va);
	} else {
		kmem_cache_free(&vm_struct_cache, va->vm);
		vmap_free_put(va);
	}
}

struct vmap_area *vmap_range_split(struct vmap_area *va, u32 nr_pages)
{
	struct vmap_area *rest = kmem_cache_alloc(&vmap_area_cache);
	struct vm_struct *vm = kmem_cache_alloc(&vm_struct_cache);
	unsigned long end = va->va_start + ((unsigned long)nr_pages + 1) * PAGE_SIZE;

	if (!rest || !vm) {
		if (rest)
			kmem_cache_free(&vmap_area_cache, rest);
		if (vm)
			kmem_cache_free(&vm_struct_cache, vm);
		return NULL;
	}
	*vm = (struct vm_struct){
		.addr = (void *)end,
		.size = va->va_end - end,
		.requested_size = va->va_end - end,
		.flags = va->vm->flags,
		.caller = va->vm->caller,
	};
	rest->va_start = end;
	rest->va_end = va->va_end;
	rest->vm = vm;
	rest->handed = va->handed;
	rest->state = VMAP_LAZY;
	rest->shrunk = va->shrunk;
	rest->lead = 1;
	va->va_end = end;
	va->vm->size = end - va->va_start;
	vmap_busy_insert(rest);
	return rest;
}

void vmap_range_grown(struct vmap_area *va, struct vmap_area *more)
{
	va->va_end = more->va_end;
	va->vm->size = va->va_end - va->va_start;
	va->handed = tlb_clock;
	if (vmap_highest < va->va_end)
		vmap_highest = va->va_end;
	kmem_cache_free(&vmap_area_cache, more);
}

/*
 * The area that begins at addr, found from the page table and the struct page of its first frame: no search,
 * however many areas there are. NULL if it is none, or must be searched for.
 */
static struct vmap_area *area_mapped_at(unsigned long addr)
{
	u64 gpa = arch_virt_to_phys(addr);
	const struct page *page;
	struct vmap_area *va;

	if (gpa == ~0ul)
		return NULL;
	page = pfn_to_page((u32)(gpa >> PAGE_SHIFT));
	if (page->owner != PAGE_VMALLOC || page->vaddr != addr || !page->area)
		return NULL;
	/*
	 * Not the first frame: what stands there is left from an earlier use. Objects of that cache never
	 * become anything else, and none but the area's own begins where it does.
	 */
	va = __va((u64)page->area * 16);
	return va->va_start == addr && va->state == VMAP_LIVE ? va : NULL;
}

struct vmap_area *vmap_range_at(unsigned long addr, u32 *status)
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
	va = area_mapped_at(addr);
	if (likely(va))
		return va;
	va = vmap_busy_find(addr);
	if (!va || va->state != VMAP_LIVE) {
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
