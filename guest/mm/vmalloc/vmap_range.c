/* SPDX-License-Identifier: MIT */
/*
 * vmap_range.c: ranges for areas, and areas by address.
 */
#include "kvmap/layout.h"
#include "mm/arch.h"
#include "mm/page/frames.h"
#include "mm/slab/slab.h"
#include "mm/vmalloc/vmap.h"

struct kmem_cache vm_struct_cache = { .name = "vm_struct", .object_size = sizeof(struct vm_struct) };

/*
 * Prepares a range taken from the free tree for an area; NULL and *status without memory. va NULL: the range
 * could not be taken, and *status is set.
 */
static struct vmap_area *range_new(struct vmap_area *va, u32 *status)
{
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
	vm->size = va->va_end - va->va_start;
	vm->pages = 0;
	vm->nr_pages = 0;
	va->vm = vm;
	va->shrunk = 0;
	va->lead = 0;
	va->table = 0;
	WRITE_ONCE(va->state, VMAP_NEW); /* distinguishes it from a cached range */
	return va;
}

struct vmap_area *vmap_range_take(u32 nr_pages, u32 *status)
{
	struct vmap_area *va = vmap_cached_take(nr_pages);

	if (likely(va))
		return va;
	vmap_deferred_run(&this_cpu_cache()->lazy, DEFERRED_AREAS, DEFERRED_PAGES);
	return range_new(vmap_free_take(vmap_range_size(nr_pages), status), status);
}

struct vmap_area *vmap_range_take_aligned(u32 nr_pages, unsigned long align, u32 *status)
{
	return range_new(vmap_free_take_aligned(vmap_range_size(nr_pages), align, status), status);
}

void vmap_range_live(struct vmap_area *va)
{
	bool cached = va->state == VMAP_CACHED;

	va->allocated = READ_ONCE(tlb_gen);
	__atomic_store_n(&va->state, VMAP_LIVE, __ATOMIC_RELEASE);
	if (!cached)
		vmap_busy_insert(va);
}

void vmap_range_undo(struct vmap_area *va)
{
	if (va->state == VMAP_CACHED) {
		vmap_cached_put(va);
	} else {
		kmem_cache_free(&vm_struct_cache, va->vm);
		vmap_free_put(va);
	}
}

/* Changes the end of a range in the busy tree, which searches compare. vmap_area_lock must be held. */
static inline void busy_end_set(struct vmap_area *va, unsigned long end)
{
	lockdep_assert_held(&vmap_area_lock);
	va->va_end = end;
	if (vmap_highest < end)
		WRITE_ONCE(vmap_highest, end);
}

struct vmap_area *vmap_range_split(struct vmap_area *va, u32 nr_pages)
{
	struct vmap_area *rest = kmem_cache_alloc(&vmap_area_cache);
	struct vm_struct *vm = kmem_cache_alloc(&vm_struct_cache);
	unsigned long end = va->va_start + vmap_range_size(nr_pages);

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
		.gfp = va->vm->gfp,
	};
	rest->va_start = end;
	rest->va_end = va->va_end;
	rest->vm = vm;
	rest->allocated = va->allocated;
	rest->state = VMAP_LAZY;
	rest->shrunk = va->shrunk;
	rest->lead = KVMAP_GUARD_PAGES;
	rest->table = 0;
	spin_lock(&vmap_area_lock);
	busy_end_set(va, end);
	spin_unlock(&vmap_area_lock);
	va->vm->size = end - va->va_start;
	vmap_busy_insert(rest);
	return rest;
}

void vmap_range_grown(struct vmap_area *va, struct vmap_area *more)
{
	spin_lock(&vmap_area_lock);
	busy_end_set(va, more->va_end);
	spin_unlock(&vmap_area_lock);
	va->vm->size = va->va_end - va->va_start;
	va->allocated = READ_ONCE(tlb_gen);
	kmem_cache_free(&vmap_area_cache, more);
}

/*
 * The live area that begins at addr, found through the page table and the struct page of its first frame,
 * without a search. NULL if there is none, or if it must be searched for.
 */
static struct vmap_area *area_mapped_at(unsigned long addr)
{
	u64 gpa = arch_virt_to_phys(addr);
	const struct page *page;
	struct vmap_area *va;
	u32 reference;

	if (gpa == ~0ul)
		return NULL;
	page = pfn_to_page((u32)(gpa >> PAGE_SHIFT));
	reference = READ_ONCE(page->area);
	if (READ_ONCE(page->owner) != PAGE_VMALLOC || !reference)
		return NULL;
	/*
	 * If this is not the first frame of an area, page->area is left over from an earlier use. Its memory
	 * is still a vmap_area (that cache keeps its slabs), and only the area at addr has this va_start.
	 */
	va = __va((u64)reference * 16);
	return READ_ONCE(va->va_start) == addr && READ_ONCE(va->state) == VMAP_LIVE ? va : NULL;
}

/* area_mapped_at() by a search, which also finds the reason if there is none. vmap_area_lock must be held. */
static struct vmap_area *area_searched(unsigned long addr, u32 *status)
{
	struct vmap_area *va = vmap_busy_find(addr);

	lockdep_assert_held(&vmap_area_lock);
	if (va && READ_ONCE(va->state) == VMAP_BLOCK) {
		*status = vmap_block_status(va->vmap_block, addr);
		va = NULL;
	} else if (!va || READ_ONCE(va->state) != VMAP_LIVE) {
		/* lazily freed, or free again */
		*status = addr < vmap_highest ? KVMAP_REFUSED_DOUBLE_FREE : KVMAP_REFUSED_NOT_AN_AREA;
		va = NULL;
	} else if (va->va_start != addr) {
		*status = KVMAP_REFUSED_INTERIOR;
		va = NULL;
	}
	return va;
}

/* Whether an area can begin at addr; enum kvmap_status. */
static u32 start_status(unsigned long addr)
{
	if (addr < KVMAP_VMALLOC_START || addr >= KVMAP_VMALLOC_END)
		return KVMAP_REFUSED_NOT_AN_AREA;
	return addr % PAGE_SIZE ? KVMAP_REFUSED_UNALIGNED : KVMAP_OK;
}

struct vmap_area *vmap_range_search(unsigned long addr, u32 *status)
{
	u32 wrong = start_status(addr);
	struct vmap_area *va;

	if (unlikely(wrong)) {
		*status = wrong;
		return NULL;
	}
	spin_lock(&vmap_area_lock);
	va = area_searched(addr, status);
	spin_unlock(&vmap_area_lock);
	return va;
}

struct vmap_area *vmap_range_at(unsigned long addr, u32 *status)
{
	struct vmap_area *va = likely(!start_status(addr)) ? area_mapped_at(addr) : NULL;

	return likely(va) ? va : vmap_range_search(addr, status);
}

/* Attempts to take the lock; its holder may be the interrupted code. */
#define LOCK_ATTEMPTS 1000

struct vmap_area *vmap_range_at_atomic(unsigned long addr, u32 *status)
{
	u32 wrong = start_status(addr);
	struct vmap_area *va;

	if (wrong) {
		*status = wrong;
		return NULL;
	}
	va = area_mapped_at(addr);
	if (va)
		return va;
	*status = KVMAP_REFUSED_INTERRUPT;
	for (u32 i = 0; i < LOCK_ATTEMPTS; i++) {
		if (!spin_trylock(&vmap_area_lock)) {
			arch_relax();
			continue;
		}
		va = area_searched(addr, status);
		spin_unlock(&vmap_area_lock);
		return va;
	}
	return NULL;
}
