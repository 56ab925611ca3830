/* SPDX-License-Identifier: MIT */
/*
 * vfree_atomic.c: freeing areas in interrupts. The area is marked and pushed on this CPU's deferred list,
 * with one compare-and-exchange each; it stays mapped and keeps its frames. It is freed by a later operation
 * on areas of this CPU, a few at a time, or by a purge.
 *
 * The interrupted code may be anywhere in the memory manager, so the area is found without waiting for a
 * lock.
 */
#include "mm/arch.h"
#include "mm/vmalloc/vmap.h"

static void deferred_add(struct vmap_lazy *lazy, struct vmap_area *va)
{
	struct vmap_area *first = READ_ONCE(lazy->deferred);

	do {
		va->next = first;
	} while (!__atomic_compare_exchange_n(&lazy->deferred, &first, va, false, __ATOMIC_RELEASE,
					      __ATOMIC_RELAXED));
}

/*
 * Pops the newest area, or NULL. lazy->lock must be held: areas are popped only so, and the successor cannot
 * change meanwhile.
 */
static struct vmap_area *deferred_pop(struct vmap_lazy *lazy)
{
	struct vmap_area *first = __atomic_load_n(&lazy->deferred, __ATOMIC_ACQUIRE);

	lockdep_assert_held(&lazy->lock);
	while (first && !__atomic_compare_exchange_n(&lazy->deferred, &first, first->next, false,
						     __ATOMIC_ACQUIRE, __ATOMIC_ACQUIRE))
		;
	return first;
}

static struct vmap_area *deferred_take(struct vmap_lazy *lazy)
{
	struct vmap_area *first;

	spin_lock(&lazy->lock);
	first = deferred_pop(lazy);
	spin_unlock(&lazy->lock);
	return first;
}

/* Whether the area's last page is mapped by a 2M leaf: it is the tail of a block, which has no owner. */
static bool ends_in_leaf(const struct vmap_area *va)
{
	unsigned long last = vmap_mapped_end(va) - PAGE_SIZE;

	return va->vm->flags & VM_HUGE &&
	       pfn_to_page((u32)(arch_virt_to_phys(last) >> PAGE_SHIFT))->owner != PAGE_VMALLOC;
}

/*
 * Pages to unmap from the end of an area, so that it is no more than `most`; 0: all of it. No leaf is split.
 */
static u32 pages_to_cut(const struct vmap_area *va, u32 most)
{
	u32 nr = va->vm->nr_pages, behind = nr % VMAP_HUGE_PAGES;

	if (nr <= most || ends_in_leaf(va))
		return 0;
	return va->vm->flags & VM_HUGE && behind && behind < most ? behind : most;
}

/* Frees the last pages of an area, which stays on the list; without memory none. */
static void deferred_cut(struct vmap_lazy *lazy, struct vmap_area *va, u32 cut)
{
	struct vmap_area *rest = vmap_area_cut(va, va->vm->nr_pages - cut);

	if (rest)
		va->vm->requested_size = (unsigned long)va->vm->nr_pages << PAGE_SHIFT;
	deferred_add(lazy, va);
	if (rest)
		vmap_lazy_add_deferred(rest);
}

u32 vmap_deferred_free(struct vmap_lazy *lazy, u32 areas, u32 pages)
{
	struct vmap_area *va;
	u32 nr = 0;

	while (nr < areas && pages && (va = deferred_take(lazy))) {
		u32 cut = pages_to_cut(va, pages), freed = va->vm->nr_pages;

		if (cut) {
			deferred_cut(lazy, va, cut);
			break;
		}
		WRITE_ONCE(va->state, VMAP_LAZY);
		vmap_area_free_deferred(va);
		pages -= freed < pages ? freed : pages;
		nr++;
	}
	return nr;
}

void vfree_atomic(const void *addr)
{
	u32 status = KVMAP_OK;
	struct vmap_area *va;

	vmalloc_done();
	if (!addr)
		return;
	va = vmap_range_at_atomic((unsigned long)addr, &status);
	if (va && va->vm->flags & VM_MAP)
		status = KVMAP_REFUSED_OTHER_KIND;
	else if (va && !vmap_claim_as(va, VMAP_DEFERRED))
		status = KVMAP_REFUSED_DOUBLE_FREE;
	if (status)
		vmalloc_refuse(status, addr, __builtin_return_address(0));
	else
		deferred_add(&this_cpu_cache()->lazy, va);
}
