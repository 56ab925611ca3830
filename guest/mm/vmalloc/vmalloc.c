/* SPDX-License-Identifier: MIT */
/*
 * vmalloc.c: making an area takes a range, a vm_struct, frames and PTEs, in this order; freeing releases them
 * in reverse order. A step that fails undoes those before it.
 */
#include "mm/vmalloc/vmalloc.h"

#include "kvmap/layout.h"
#include "mm/arch.h"
#include "mm/page/watermark.h"
#include "mm/vmalloc/vmap.h"
#include "mm/warn.h"

u32 vmalloc_policy;

u64 vmalloc_largest;

void vmalloc_init(u32 policy)
{
	vmalloc_policy = policy;
	vmalloc_largest = frames_total_count() << PAGE_SHIFT;
	/* Without memory for its one rb_node the free tree stays empty, and every request is refused. */
	vmap_free_init(KVMAP_VMALLOC_START, KVMAP_VMALLOC_END);
}

u32 vmalloc_status(void)
{
	return this_cpu_cache()->vmalloc_status;
}

/* Sets vmalloc_status() and counts the refusal. */
static void refusal_count(u32 status)
{
	struct cpu_cache *cpu = this_cpu_cache();

	cpu->vmalloc_status = status;
	/* Atomic: an interrupt may be refused something while this CPU counts. */
	__atomic_fetch_add(&cpu->stats.refused, 1, __ATOMIC_RELAXED);
}

void vmalloc_refuse(u32 status, const void *addr, const void *caller)
{
	refusal_count(status);
	refusal_record(status, (unsigned long)addr, caller);
}

void vmalloc_refuse_as(u32 status, const void *addr, const void *caller, const struct request *request)
{
	refusal_count(status);
	refusal_record_request(status, (unsigned long)addr, caller, request);
}

void vmalloc_refuse_request(u32 status, unsigned long bytes, gfp_t gfp, const void *addr, const void *caller)
{
	vmalloc_refuse_as(
		status, addr, caller,
		&(struct request){
			.bytes = bytes, .gfp = gfp, .which = KVMAP_LIMIT_MEMORY, .limit = vmalloc_largest });
}

void vmalloc_refuse_product(const void *caller)
{
	vmalloc_refuse_as(KVMAP_REFUSED_TOO_LARGE, NULL, caller,
			  &(struct request){ .which = KVMAP_LIMIT_PRODUCT, .limit = ~0ul });
}

static void *refuse_request(u32 status, unsigned long size, gfp_t gfp, const void *caller)
{
	vmalloc_refuse_request(status, size, gfp, NULL, caller);
	return NULL;
}

static void *refuse(u32 status, const void *caller)
{
	vmalloc_refuse(status, NULL, caller);
	return NULL;
}

/* The value of struct page.area for this area. */
static u32 area_reference(const struct vmap_area *va)
{
	u64 reference = __pa(va) / 16;

	return reference == (u32)reference ? (u32)reference : 0;
}

void vmap_area_refer(const struct vmap_area *va)
{
	WRITE_ONCE(pfn_to_page(va->vm->pages)->area, area_reference(va));
}

/* Allocates and maps the area's frames; enum kvmap_status. */
static inline u32 area_populate(struct vmap_area *va, struct vm_struct *vm, gfp_t gfp)
{
	u32 nr = vmap_pages(va), first = frames_alloc_chain_gfp(gfp, nr, PAGE_VMALLOC);

	if (!first)
		return KVMAP_REFUSED_NO_MEMORY;
	if (arch_map_chain(va->va_start, first, nr, PGPROT_READWRITE, &va->table)) {
		frames_free_chain(first, nr, 0);
		return KVMAP_REFUSED_NO_MEMORY;
	}
	vm->pages = first;
	vm->nr_pages = nr;
	vmap_area_refer(va);
	return KVMAP_OK;
}

/* One attempt; NULL and *status on failure. */
static inline struct vmap_area *area_create(unsigned long size, gfp_t gfp, unsigned long flags,
					    const void *caller, u32 *status)
{
	struct vmap_area *va = vmap_range_take(area_pages(size), status);

	if (unlikely(!va))
		return NULL;
	va->vm->requested_size = size;
	va->vm->flags = flags | VM_ALLOC | (gfp & __GFP_ZERO ? VM_ZERO : 0);
	va->vm->caller = caller;
	*status = area_populate(va, va->vm, gfp);
	if (unlikely(*status)) {
		vmap_range_undo(va);
		return NULL;
	}
	vmap_range_live(va);
	return va;
}

/* area_create() for the slow path; the fast path inlines it. */
static __attribute__((noinline)) struct vmap_area *
area_create_once(unsigned long size, gfp_t gfp, unsigned long flags, const void *caller, u32 *status)
{
	return area_create(size, gfp, flags, caller, status);
}

/* Further attempts: with the reserve, then with reclaimed memory. */
static struct vmap_area *area_create_again(unsigned long size, gfp_t gfp, unsigned long flags,
					   const void *caller, u32 *status)
{
	enum reclaim_step step = RECLAIM_SOME;
	struct vmap_area *va = NULL;

	if (reserve_open(gfp)) {
		va = area_create_once(size, gfp, flags, caller, status);
		reserve_close();
	}
	while (!va && gfp_may_reclaim(gfp) && vmalloc_reclaim(&step, *status, area_pages(size)))
		va = area_create_once(size, gfp, flags, caller, status);
	return va;
}

void *vmalloc_area(unsigned long size, gfp_t gfp, unsigned long flags, const void *caller)
{
	struct cpu_cache *cpu = this_cpu_cache();
	struct vmap_area *va;
	u32 status;

	if (unlikely(cpu->in_interrupt))
		return refuse(KVMAP_REFUSED_INTERRUPT, caller);
	if (!size)
		return refuse(KVMAP_REFUSED_ZERO_SIZE, caller);
	/* The size fits in RAM, so that rounding it up and adding the guard page cannot overflow. */
	if (size > vmalloc_largest)
		return refuse_request(KVMAP_REFUSED_TOO_LARGE, size, gfp, caller);

	va = area_create(size, gfp, flags, caller, &status);
	if (unlikely(!va))
		va = area_create_again(size, gfp, flags, caller, &status);
	if (unlikely(!va))
		return refuse_request(status, size, gfp, caller);

	cpu->vm_stat[NR_VMALLOC_PAGES] += va->vm->nr_pages;
	cpu->stats.allocations++;
	cpu->stats.pages_mapped += va->vm->nr_pages;
	cpu->vmalloc_status = KVMAP_OK;
	return va->vm->addr;
}

void *vmalloc(unsigned long size)
{
	return vmalloc_area(size, GFP_KERNEL, 0, __builtin_return_address(0));
}

void *vzalloc(unsigned long size)
{
	return vmalloc_area(size, GFP_KERNEL | __GFP_ZERO, 0, __builtin_return_address(0));
}

u64 vmap_unmap_executable(unsigned long start, u32 nr, bool huge)
{
	u64 stamp = arch_unmap_executable(start, nr, huge);

	vmap_flush(start, start + (unsigned long)nr * PAGE_SIZE);
	return stamp;
}

void vmap_area_unmap(struct vmap_area *va)
{
	const struct vm_struct *vm = va->vm;

	if (likely(!(vm->flags & (VM_HUGE | VM_EXEC))))
		va->unmapped = arch_unmap(va->va_start, vm->nr_pages, va->table);
	else if (vm->flags & VM_EXEC)
		va->unmapped = vmap_unmap_executable(va->va_start, vm->nr_pages, vm->flags & VM_HUGE);
	else
		va->unmapped = arch_unmap_huge(va->va_start, vm->nr_pages);
}

static inline void area_unmap(struct vmap_area *va)
{
	struct cpu_cache *cpu = this_cpu_cache();
	u32 nr = va->vm->nr_pages;

	vmap_area_unmap(va);
	cpu->vm_stat[NR_VMALLOC_PAGES] -= nr;
	cpu->stats.frees++;
	cpu->stats.pages_unmapped += nr;
}

void vmap_area_free(struct vmap_area *va)
{
	area_unmap(va);
	vmap_lazy_add(va);
}

void vmap_area_free_deferred(struct vmap_area *va)
{
	area_unmap(va);
	vmap_lazy_add_deferred(va);
}

void vfree(const void *addr)
{
	struct cpu_cache *cpu = this_cpu_cache();
	struct vmap_area *va;
	u32 status;

	if (unlikely(cpu->in_interrupt))
		return vfree_atomic(addr);
	cpu->vmalloc_status = KVMAP_OK;
	if (!addr)
		return;
	va = vmap_range_at((unsigned long)addr, &status);
	if (va && unlikely(va->vm->flags & VM_MAP)) {
		status = KVMAP_REFUSED_OTHER_KIND;
		va = NULL;
	}
	if (va && unlikely(!vmap_claim(va))) {
		status = KVMAP_REFUSED_DOUBLE_FREE;
		va = NULL;
	}
	if (!va) {
		vmalloc_refuse(status, addr, __builtin_return_address(0));
		return;
	}
	vmap_area_free(va);
	vmap_deferred_run(&cpu->lazy, DEFERRED_AREAS, DEFERRED_PAGES);
}
