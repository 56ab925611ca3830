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
 * Pops the newest area, or NULL. Its successor cannot change meanwhile, since areas are popped only with the
 * lock held.
 */
static struct vmap_area *deferred_take(struct vmap_lazy *lazy)
{
	struct vmap_area *first;

	spin_lock(&lazy->lock);
	first = __atomic_load_n(&lazy->deferred, __ATOMIC_ACQUIRE);
	while (first && !__atomic_compare_exchange_n(&lazy->deferred, &first, first->next, false,
						     __ATOMIC_ACQUIRE, __ATOMIC_ACQUIRE))
		;
	spin_unlock(&lazy->lock);
	return first;
}

u32 vmap_deferred_free(struct vmap_lazy *lazy, u32 most)
{
	struct vmap_area *va;
	u32 nr = 0;

	while (nr < most && (va = deferred_take(lazy))) {
		WRITE_ONCE(va->state, VMAP_LAZY);
		vmap_area_free(va);
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
