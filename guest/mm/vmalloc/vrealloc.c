/* SPDX-License-Identifier: MIT */
/*
 * vrealloc.c: resizing areas. An area stays in place when it shrinks, and when it grows if the range after it
 * is free; else its pages are copied.
 *
 *   before  | 0 | 1 | 2 | 3 | guard |    page 2 becomes the guard page; the rest is a range of its own, which
 *   after   | 0 | 1 | guard |   |   |    keeps the frames of pages 2 and 3 until they are flushed
 *                           `- rest -'
 *
 * Pages are accessed through the direct map, so the area's permissions and TLB contents do not matter.
 */
#include "mm/page/frames.h"
#include "mm/slab/slab.h"
#include "mm/vmalloc/vmap.h"

static void *refuse(u32 status, const void *addr, const void *caller)
{
	vmalloc_refuse(status, addr, caller);
	return NULL;
}

static void *page_at(const struct vmap_area *va, u32 page)
{
	return __va(arch_virt_to_phys(va->va_start + (unsigned long)page * PAGE_SIZE));
}

static struct page *frame_at(const struct vmap_area *va, u32 page)
{
	return pfn_to_page(
		(u32)(arch_virt_to_phys(va->va_start + (unsigned long)page * PAGE_SIZE) >> PAGE_SHIFT));
}

/* Clears the rest of the page that contains `offset`, from there on. */
static void page_clear_from(const struct vmap_area *va, unsigned long offset)
{
	if (offset % PAGE_SIZE)
		__builtin_memset((char *)page_at(va, (u32)(offset >> PAGE_SHIFT)) + offset % PAGE_SIZE, 0,
				 PAGE_SIZE - offset % PAGE_SIZE);
}

/*
 * The frame that links the page's frame, or its block, to the next of the area's chain: a tail has no owner.
 */
static struct page *chain_link_at(const struct vmap_area *va, u32 page)
{
	struct page *frame = frame_at(va, page);

	return frame->owner == PAGE_VMALLOC ? frame
					    : pfn_to_page(ALIGN_DOWN(page_to_pfn(frame), VMAP_HUGE_PAGES));
}

struct vmap_area *vmap_area_cut(struct vmap_area *va, u32 nr)
{
	struct vmalloc_stats *stats = &this_cpu_cache()->stats;
	struct vm_struct *vm = va->vm;
	u32 gone = vm->nr_pages - nr;
	struct vmap_area *rest = vmap_range_split(va, nr);
	struct page *last;

	if (!rest)
		return NULL;
	last = chain_link_at(va, nr - 1);
	rest->vm->pages = last->next;
	rest->vm->nr_pages = gone;
	last->next = 0;
	vm->nr_pages = nr;
	va->shrunk = vm->flags & VM_EXEC ? vmap_unmap_executable(vmap_mapped_end(va), gone, false)
					 : arch_unmap(vmap_mapped_end(va), gone, 0);
	rest->unmapped = va->shrunk;
	vm_stat_add(NR_VMALLOC_PAGES, -(s64)gone);
	/* The rest counts as an area that was made and freed. */
	stats->allocations++;
	stats->frees++;
	stats->pages_unmapped += gone;
	return rest;
}

/* Shrinks to nr pages; enum kvmap_status. */
static u32 shrink(struct vmap_area *va, u32 nr)
{
	struct vmap_area *rest = vmap_area_cut(va, nr);
	enum reclaim_step step = RECLAIM_SOME;

	while (!rest && vmalloc_reclaim(&step, KVMAP_REFUSED_NO_MEMORY, 0))
		rest = vmap_area_cut(va, nr);
	if (!rest)
		return KVMAP_REFUSED_NO_MEMORY;
	vmap_lazy_add(rest);
	return KVMAP_OK;
}

/* Maps nr pages over the guard page and the range `more` after it; enum kvmap_status. */
static u32 grow_into(struct vmap_area *va, const struct vmap_area *more, u32 nr, gfp_t gfp)
{
	unsigned long end = vmap_mapped_end(va);
	u32 first, table = 0;

	/* The guard page was a page of this area, and a TLB may have its translation. */
	if (va->shrunk > va->allocated)
		vmap_flush(end, end + KVMAP_GUARD_SIZE);
	first = frames_alloc_chain_gfp(gfp, nr, PAGE_VMALLOC);
	if (!first)
		return KVMAP_REFUSED_NO_MEMORY;
	if (arch_map_chain(end, first, nr, PGPROT_READWRITE, &table)) {
		frames_free_chain(first, nr, 0);
		return KVMAP_REFUSED_NO_MEMORY;
	}
	frame_at(va, va->vm->nr_pages - 1)->next = first;
	if (va->unmapped < va->shrunk)
		va->unmapped = va->shrunk;
	if (va->unmapped < more->unmapped)
		va->unmapped = more->unmapped;
	return KVMAP_OK;
}

/* Grows to nr pages in place; enum kvmap_status. */
static u32 grow(struct vmap_area *va, u32 nr, gfp_t gfp)
{
	struct vm_struct *vm = va->vm;
	u32 add = nr - vm->nr_pages, status;
	struct vmap_area *more = vmap_free_take_at(va->va_end, (unsigned long)add * PAGE_SIZE, &status);

	if (!more)
		return status;
	status = grow_into(va, more, add, gfp);
	if (status) {
		vmap_free_put(more);
		return status;
	}
	vm->nr_pages = nr;
	vmap_range_grown(va, more);
	vm_stat_add(NR_VMALLOC_PAGES, add);
	this_cpu_cache()->stats.pages_mapped += add;
	return KVMAP_OK;
}

/* Copies the area to a new one. */
static void *move(const struct vmap_area *va, unsigned long size, gfp_t gfp, const void *caller)
{
	const struct vm_struct *vm = va->vm;
	void *new = vmalloc_area(size, gfp & ~__GFP_ZERO, vm->flags & VM_USERMAP, caller);
	struct vmap_area *to;
	u32 status;

	if (!new)
		return NULL;
	to = vmap_range_at((unsigned long)new, &status);
	for (u32 page = 0; page < vm->nr_pages && page < to->vm->nr_pages; page++)
		__builtin_memcpy(page_at(to, page), page_at(va, page), PAGE_SIZE);
	for (u32 page = vm->nr_pages; gfp & __GFP_ZERO && page < to->vm->nr_pages; page++)
		__builtin_memset(page_at(to, page), 0, PAGE_SIZE);
	if (gfp & __GFP_ZERO && size > vm->requested_size)
		page_clear_from(to, vm->requested_size);
	vfree(vm->addr);
	return new;
}

/* size: 1 to vmalloc_largest. */
static void *area_resize(struct vmap_area *va, unsigned long size, gfp_t gfp, const void *caller)
{
	struct vm_struct *vm = va->vm;
	u32 nr = area_pages(size), status = KVMAP_OK;

	if (vm->flags & VM_HUGE && nr != vm->nr_pages)
		return move(va, size, gfp, caller);
	if (nr < vm->nr_pages) {
		status = shrink(va, nr);
		if (status) {
			vmalloc_refuse_request(status, size, gfp, vm->addr, caller);
			return NULL;
		}
	} else if (nr > vm->nr_pages && grow(va, nr, gfp)) {
		return move(va, size, gfp, caller);
	}
	if (gfp & __GFP_ZERO && size > vm->requested_size)
		page_clear_from(va, vm->requested_size);
	vm->requested_size = size;
	vmalloc_done();
	return vm->addr;
}

void *vrealloc(const void *addr, unsigned long size, gfp_t gfp)
{
	const void *caller = __builtin_return_address(0);
	u32 status = vmalloc_gfp_status(gfp);
	struct vmap_area *va;

	if (vmalloc_refuse_in_interrupt(addr, caller))
		return NULL;
	if (status)
		return refuse(status, addr, caller);
	if (!addr)
		return vmalloc_area(size, gfp, 0, caller);
	va = vmap_range_at((unsigned long)addr, &status);
	if (!va)
		return refuse(status, addr, caller);
	if (va->vm->flags & VM_MAP)
		return refuse(KVMAP_REFUSED_OTHER_KIND, addr, caller);
	if (va->vm->flags & VM_READONLY)
		return refuse(KVMAP_REFUSED_RIGHTS, addr, caller);
	if (size > vmalloc_largest) {
		vmalloc_refuse_request(KVMAP_REFUSED_TOO_LARGE, size, gfp, addr, caller);
		return NULL;
	}
	if (size)
		return area_resize(va, size, gfp, caller);
	vfree(addr);
	return NULL;
}
