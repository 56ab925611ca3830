/* SPDX-License-Identifier: MIT */
/*
 * kvmalloc.c: kmalloc(), or vmalloc() if that fails.
 */
#include "mm/vmalloc/kvmalloc.h"

#include "mm/page/nodes.h"
#include "mm/slab/kmalloc.h"
#include "mm/slab/object.h"
#include "mm/vmalloc/vmap.h"
#include "mm/warn.h"

#define CALLER __builtin_return_address(0)

static void *refuse(u32 status, const void *addr, const void *caller)
{
	vmalloc_refuse(status, addr, caller);
	return NULL;
}

static void *refuse_product(const void *caller)
{
	vmalloc_refuse_product(caller);
	return NULL;
}

/* More than one contiguous page is worth neither reclaim nor a warning, since single frames will do. */
static gfp_t kmalloc_gfp(gfp_t gfp, unsigned long size)
{
	return size > PAGE_SIZE ? gfp | __GFP_NORETRY | __GFP_NOWARN : gfp;
}

/* kmalloc() has failed. */
static __attribute__((noinline)) void *kvmalloc_slow(unsigned long size, gfp_t gfp, const void *caller)
{
	if (size <= PAGE_SIZE || gfp & __GFP_NOFAIL || gfp_zones_conflict(gfp) ||
	    !(gfp & __GFP_DIRECT_RECLAIM)) {
		vmalloc_refuse_as(kmalloc_status(), NULL, caller,
				  &(struct request){ .bytes = size,
						     .gfp = gfp,
						     .contiguous = true,
						     .which = KVMAP_LIMIT_KMALLOC,
						     .limit = KMALLOC_MAX_SIZE });
		return NULL;
	}
	kmalloc_status(); /* resets it: the outcome of vmalloc_area() counts */
	return vmalloc_area(size, gfp, 0, caller);
}

static inline void *kvmalloc_from(unsigned long size, gfp_t gfp, const void *caller)
{
	void *object = kmalloc(size, kmalloc_gfp(gfp, size));

	if (unlikely(!object))
		return kvmalloc_slow(size, gfp, caller);
	vmalloc_done();
	return object;
}

/*
 * Copies an object of kmalloc() to memory of either kind. Pages of an area are reached through the direct
 * map.
 */
static void memory_copy(void *to, const void *from, unsigned long bytes)
{
	unsigned long piece;

	if (!is_vmalloc_addr(to)) {
		__builtin_memcpy(to, from, bytes);
		return;
	}
	for (unsigned long done = 0; done < bytes; done += piece) {
		piece = bytes - done < PAGE_SIZE ? bytes - done : PAGE_SIZE;
		__builtin_memcpy(__va(arch_virt_to_phys((unsigned long)to + done)), (const char *)from + done,
				 piece);
	}
}

void *kvmalloc(unsigned long size, gfp_t gfp)
{
	return kvmalloc_from(size, gfp, CALLER);
}

void *kvzalloc(unsigned long size, gfp_t gfp)
{
	return kvmalloc_from(size, gfp | __GFP_ZERO, CALLER);
}

static void *kvmalloc_array_from(unsigned long nr, unsigned long size, gfp_t gfp, const void *caller)
{
	unsigned long bytes;

	if (__builtin_mul_overflow(nr, size, &bytes))
		return refuse_product(caller);
	return kvmalloc_from(bytes, gfp, caller);
}

void *kvmalloc_array(unsigned long nr, unsigned long size, gfp_t gfp)
{
	return kvmalloc_array_from(nr, size, gfp, CALLER);
}

void *kvcalloc(unsigned long nr, unsigned long size, gfp_t gfp)
{
	return kvmalloc_array_from(nr, size, gfp | __GFP_ZERO, CALLER);
}

void *kvmalloc_node(unsigned long size, gfp_t gfp, int nid)
{
	if (gfp_on_node(&gfp, nid))
		return kvmalloc_from(size, gfp, CALLER);
	vmalloc_refuse_request(KVMAP_REFUSED_NO_MEMORY, size, gfp, NULL, CALLER); /* no such node */
	return NULL;
}

void *kvrealloc(const void *addr, unsigned long size, gfp_t gfp)
{
	struct kmalloc_memory memory;
	void *new;

	if (is_vmalloc_addr(addr))
		return vrealloc(addr, size, gfp);
	if (!addr)
		return kvmalloc_from(size, gfp, CALLER);
	if (!size) {
		kvfree(addr);
		return NULL;
	}
	if (gfp_zones_conflict(gfp))
		return refuse(KVMAP_REFUSED_FLAGS, addr, CALLER);
	if (!kmalloc_memory_at(addr, &memory))
		return refuse(KVMAP_REFUSED_NOT_AN_AREA, addr, CALLER);
	if (!kmalloc_resize(addr, &memory, size, gfp)) {
		new = kvmalloc_from(size, gfp, CALLER);
		if (!new)
			return NULL;
		memory_copy(new, addr, memory.requested < size ? memory.requested : size);
		kfree(addr);
		addr = new;
	}
	vmalloc_done();
	return (void *)addr;
}

void kvfree(const void *addr)
{
	struct cpu_cache *cpu;

	if (is_vmalloc_addr(addr))
		return vfree(addr);
	cpu = this_cpu_cache();
	cpu->vmalloc_status = cpu->kmalloc_status = KVMAP_OK; /* of earlier requests that were refused */
	kfree(addr);
	if (unlikely(cpu->kmalloc_status))
		vmalloc_refuse(kmalloc_status(), addr, CALLER);
}
