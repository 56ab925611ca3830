/* SPDX-License-Identifier: MIT */
/*
 * vfree_atomic.c: areas freed where nothing can be waited for. Whoever frees one marks it and puts it on its
 * CPU's list, by one compare-and-exchange each; it stays mapped and keeps its frames. It is freed from there
 * by the next operation on areas of that CPU, a few with each, or by whoever purges.
 *
 * The interrupted code may be anywhere in the memory manager: the area is found without a lock.
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

/* The newest, or NULL. Its successor stays what it was meanwhile: only who has the lock takes one away. */
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
