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

/* What struct page.area says of it. */
static u32 area_reference(const struct vmap_area *va)
{
	u64 reference = __pa(va) / 16;

	return reference == (u32)reference ? (u32)reference : 0;
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

/* Gives the area its frames, mapped; enum kvmap_status. */
static u32 area_populate(struct vmap_area *va, struct vm_struct *vm)
{
	enum pgprot prot = vm->flags & VM_READONLY ? PGPROT_READONLY : PGPROT_READWRITE;
	u32 nr = vmap_pages(va);
	u32 first = vm->flags & VM_ZERO ? frames_alloc_chain_zeroed(nr, PAGE_VMALLOC)
					: frames_alloc_chain(nr, PAGE_VMALLOC);

	if (!first)
		return KVMAP_REFUSED_NO_MEMORY;
	if (arch_map_chain(va->va_start, first, nr, prot)) {
		frames_free_chain(first, nr, 0);
		return KVMAP_REFUSED_NO_MEMORY;
	}
	vm->pages = first;
	vm->nr_pages = nr;
	pfn_to_page(first)->area = area_reference(va);
	return KVMAP_OK;
}

/* A range of so many bytes that has not been kept, with a vm_struct, in no tree yet; or NULL and why. */
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
	return va;
}

static void range_undo(struct vmap_area *va)
{
	kmem_cache_free(&vm_struct_cache, va->vm);
	vmap_free_put(va);
}

/* One attempt, all or nothing; enum kvmap_status. */
static u32 area_create(unsigned long size, unsigned long flags, const void *caller, struct vmap_area **out)
{
	unsigned long mapped = ALIGN_UP(size, PAGE_SIZE);
	struct vmap_area *va = vmap_kept_take((u32)(mapped >> PAGE_SHIFT));
	bool kept = va;
	u32 status;

	if (!kept) {
		va = range_new(mapped + PAGE_SIZE, &status);
		if (!va)
			return status;
	}
	va->vm->requested_size = size;
	va->vm->flags = flags;
	va->vm->caller = caller;
	status = area_populate(va, va->vm);
	if (unlikely(status)) {
		if (kept)
			vmap_kept_put(va);
		else
			range_undo(va);
		return status;
	}
	va->handed = tlb_clock;
	va->state = VMAP_LIVE;
	if (!kept)
		vmap_busy_insert(va);
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
	va->unmapped = arch_unmap(va->va_start, nr);
	vm_stat[NR_VMALLOC_PAGES] -= nr;
	vmalloc_stats.frees++;
	vmalloc_stats.pages_unmapped += nr;
	vmap_lazy_add(va);
}

struct vm_struct *find_vm_area(const void *addr)
{
	struct vmap_area *va = vmap_busy_find((unsigned long)addr);

	return va && va->state == VMAP_LIVE ? va->vm : NULL;
}
