/* SPDX-License-Identifier: MIT */
/*
 * kmalloc.c: size classes, and buddy blocks for larger sizes.
 */
#include "mm/slab/kmalloc.h"

#include "kvmap/operation.h"
#include "mm/arch.h"
#include "mm/interrupt.h"
#include "mm/locks.h"
#include "mm/page/nodes.h"
#include "mm/page/page_alloc.h"
#include "mm/reclaim.h"
#include "mm/slab/slab.h"
#include "mm/warn.h"

#define CALLER __builtin_return_address(0)

#define POISON_WORD (POISON_FREE * 0x0101010101010101ul)

#define CLASS(number, text, size)                                                                            \
	[number] = { .name = "kmalloc-" text,                                                                \
		     .object_size = (size),                                                                  \
		     .index = (number) + 1,                                                                  \
		     .frees_empty_slabs = 1 }

/* Cache index = class index + 1; index 0 is invalid. */
static struct kmem_cache classes[KMALLOC_CLASSES] = {
	CLASS(0, "8", 8),      CLASS(1, "16", 16),   CLASS(2, "32", 32),    CLASS(3, "64", 64),
	CLASS(4, "96", 96),    CLASS(5, "128", 128), CLASS(6, "192", 192),  CLASS(7, "256", 256),
	CLASS(8, "512", 512),  CLASS(9, "1k", 1024), CLASS(10, "2k", 2048), CLASS(11, "4k", 4096),
	CLASS(12, "8k", 8192),
};

/* Offset of a class's list in cpu_cache.objects, in bytes, and its inverse. */
#define LIST_OF(class) (((class) + 1) * sizeof(struct kmem_list))
#define CLASS_OF(list) ((list) / sizeof(struct kmem_list) - 1)
#define L(class)       ((u8)LIST_OF(class))

static_assert(LIST_OF(6) <= 0xff, "the place of a small class's list");

#define SMALL_MAX 192

/*
 * The list offset for sizes up to SMALL_MAX, by (size - 1) / 8. Above, the class index is the highest set bit
 * of size - 1.
 */
static const u8 small_lists[SMALL_MAX / 8] = { L(0), L(1), L(2), L(2), L(3), L(3), L(3), L(3),
					       L(4), L(4), L(4), L(4), L(5), L(5), L(5), L(5),
					       L(6), L(6), L(6), L(6), L(6), L(6), L(6), L(6) };

/* Flags that objects of a class cannot satisfy, since they lie wherever their slab does. */
#define GFP_NOT_OF_A_CLASS (GFP_PLACE | __GFP_NOFAIL)

static bool fast_path_disabled;

void kmalloc_disable_fast_path(void)
{
	fast_path_disabled = true;
}

/* Protected by slab_debug_lock. */
static struct kmalloc_damage last_damage;

u32 kmalloc_status(void)
{
	struct cpu_cache *cpu = this_cpu_cache();
	u32 status = cpu->kmalloc_status;

	cpu->kmalloc_status = KVMAP_OK;
	return status;
}

static void *refuse(u32 status)
{
	this_cpu_cache()->kmalloc_status = status;
	return NULL;
}

struct kmalloc_damage kmalloc_damage(void)
{
	struct kmalloc_damage damage = { 0 };

	if (!slab_debug)
		return damage;
	spin_lock(&slab_debug_lock);
	damage = last_damage;
	last_damage.address = 0;
	spin_unlock(&slab_debug_lock);
	return damage;
}

/* The first word after the link that is not poison, or NULL. */
static const u64 *poison_damage(const struct kmem_cache *cache, const void *object)
{
	const u64 *word = object, *end = word + cache->object_size / sizeof(*word);

	for (word++; word < end; word++)
		if (*word != POISON_WORD)
			return word;
	return NULL;
}

/* Checks an object that is about to be allocated. */
static void debug_alloc(const struct kmem_cache *cache, const void *object)
{
	const u64 *word = poison_damage(cache, object);

	if (!word)
		return;
	last_damage.address = (unsigned long)word;
	last_damage.expected = POISON_WORD;
	last_damage.found = *word;
}

/* Poisons an object that is about to be freed; false if it is free already. */
static bool debug_free(struct kmem_cache *cache, void *object)
{
	if (!poison_damage(cache, object) && kmem_cache_has_free(cache, object))
		return false;
	__builtin_memset(object, POISON_FREE, cache->object_size);
	return true;
}

/* Allocates a buddy block. */
static void *kmalloc_large(unsigned long size, gfp_t gfp)
{
	const struct page *page;

	if (!size)
		return refuse(KVMAP_REFUSED_ZERO_SIZE);
	if (size > KMALLOC_MAX_SIZE)
		return refuse(KVMAP_REFUSED_TOO_LARGE);
	page = alloc_pages(gfp, get_order(size));
	return page ? page_address(page) : refuse(page_alloc_status());
}

/* Refills this CPU's list from the slabs or a new slab; reclaims memory if there is no frame for it. */
static void *class_refill(struct kmem_cache *cache, gfp_t gfp)
{
	void *object = kmem_cache_refill(cache);

	if (!object && gfp_may_reclaim(gfp) && reclaim_memory())
		object = kmem_cache_refill(cache);
	return object ? object : refuse(KVMAP_REFUSED_NO_MEMORY);
}

static void *class_alloc(struct kmem_cache *cache, gfp_t gfp)
{
	void *object;

	if (should_fail_alloc())
		return refuse(KVMAP_REFUSED_NO_MEMORY);
	object = kmem_list_take(&this_cpu_cache()->objects[cache->index]);
	return object ? object : class_refill(cache, gfp);
}

static void *class_alloc_debug(struct kmem_cache *cache, gfp_t gfp)
{
	void *object;

	spin_lock(&slab_debug_lock);
	object = class_alloc(cache, gfp);
	if (object)
		debug_alloc(cache, object);
	spin_unlock(&slab_debug_lock);
	return object;
}

/* size: 1 to KMALLOC_MAX_CACHE_SIZE. */
static inline unsigned long list_of_size(unsigned long size)
{
	return likely(size <= SMALL_MAX) ? small_lists[(size - 1) / 8]
					 : LIST_OF(63 - (unsigned long)__builtin_clzl(size - 1));
}

static void *kmalloc_find(unsigned long size, gfp_t gfp)
{
	struct kmem_cache *cache;
	void *object;

	if (size - 1 >= KMALLOC_MAX_CACHE_SIZE || gfp & GFP_NOT_OF_A_CLASS)
		return kmalloc_large(size, gfp);
	if (in_interrupt()) {
		if (gfp & __GFP_DIRECT_RECLAIM)
			return refuse(KVMAP_REFUSED_INTERRUPT);
	} else if (!fast_path_disabled) {
		this_cpu_cache()->kmalloc_fast_max = KMALLOC_MAX_CACHE_SIZE;
	}
	cache = &classes[CLASS_OF(list_of_size(size))];
	object = slab_debug ? class_alloc_debug(cache, gfp) : class_alloc(cache, gfp);
	if (object && gfp & __GFP_ZERO)
		__builtin_memset(object, 0, cache->object_size);
	return object;
}

/* Slow path: this CPU's list is empty, or the request needs more than an object of it. */
static __attribute__((noinline)) void *kmalloc_slow(unsigned long size, gfp_t gfp, const void *caller)
{
	void *object = kmalloc_find(size, gfp);
	u32 status;

	if (likely(object))
		return object;
	status = this_cpu_cache()->kmalloc_status;
	refusal_record(status, 0, warn_caller(status, gfp, caller));
	return NULL;
}

static inline void *kmalloc_for(unsigned long size, gfp_t gfp, const void *caller)
{
	struct cpu_cache *cpu = this_cpu_cache();
	struct kmem_list *list;

	/* also true for size 0 */
	if (unlikely(size - 1 >= cpu->kmalloc_fast_max || gfp & (GFP_NOT_OF_A_CLASS | __GFP_ZERO)))
		return kmalloc_slow(size, gfp, caller);
	list = (void *)((char *)cpu->objects + list_of_size(size));
	return likely(list->free) ? kmem_list_take(list) : kmalloc_slow(size, gfp, caller);
}

static void *refuse_to(u32 status, const void *caller)
{
	refusal_record(status, 0, caller);
	return refuse(status);
}

static void *kmalloc_array_for(unsigned long nr, unsigned long size, gfp_t gfp, const void *caller)
{
	unsigned long bytes;

	if (__builtin_mul_overflow(nr, size, &bytes))
		return refuse_to(KVMAP_REFUSED_TOO_LARGE, caller);
	return kmalloc_for(bytes, gfp, caller);
}

void *kmalloc(unsigned long size, gfp_t gfp)
{
	return kmalloc_for(size, gfp, CALLER);
}

void *kzalloc(unsigned long size, gfp_t gfp)
{
	return kmalloc_slow(size, gfp | __GFP_ZERO, CALLER);
}

void *kmalloc_array(unsigned long nr, unsigned long size, gfp_t gfp)
{
	return kmalloc_array_for(nr, size, gfp, CALLER);
}

void *kcalloc(unsigned long nr, unsigned long size, gfp_t gfp)
{
	return kmalloc_array_for(nr, size, gfp | __GFP_ZERO, CALLER);
}

void *kmalloc_node(unsigned long size, gfp_t gfp, int nid)
{
	return gfp_on_node(&gfp, nid) ? kmalloc_for(size, gfp, CALLER)
				      : refuse_to(KVMAP_REFUSED_NO_MEMORY, CALLER);
}

/* Whether gpa is the start of an object. gpa lies in the first page of the slab. */
static bool is_object(const struct kmem_cache *cache, u64 gpa)
{
	u32 offset = gpa % PAGE_SIZE;

	return offset % cache->object_size == 0 && offset / cache->object_size < cache->per_slab;
}

static u32 kfree_object_debug(struct kmem_cache *cache, void *object)
{
	u32 status = KVMAP_REFUSED_DOUBLE_FREE;

	spin_lock(&slab_debug_lock);
	if (debug_free(cache, object)) {
		kmem_cache_free(cache, object);
		status = KVMAP_OK;
	}
	spin_unlock(&slab_debug_lock);
	return status;
}

static u32 kfree_object(struct kmem_cache *cache, void *object)
{
	if (!is_object(cache, __pa(object)))
		return KVMAP_REFUSED_INTERIOR;
	if (slab_debug)
		return kfree_object_debug(cache, object);
	if (object == this_cpu_cache()->objects[cache->index].free)
		return KVMAP_REFUSED_DOUBLE_FREE;
	kmem_cache_free(cache, object);
	return KVMAP_OK;
}

static u32 kfree_large(struct page *page, u64 gpa)
{
	u32 owner = READ_ONCE(page->owner);

	if (owner != PAGE_KMALLOC)
		return owner == PAGE_FREE || owner == PAGE_PCP ? KVMAP_REFUSED_DOUBLE_FREE
							       : KVMAP_REFUSED_NOT_AN_AREA;
	if (gpa % PAGE_SIZE)
		return KVMAP_REFUSED_INTERIOR;
	if (slab_debug)
		__builtin_memset(page_address(page), POISON_FREE, PAGE_SIZE << page->order);
	__free_pages(page, page->order);
	return KVMAP_OK;
}

/*
 * Slow path: anything but an ordinary object, and objects that exceed the list's limit. Validates the object.
 */
static __attribute__((noinline)) void kfree_slow(const void *object, const void *caller)
{
	u64 gpa = __pa(object);
	struct page *page;
	u32 status;

	if (!object)
		return;
	if (gpa >> PAGE_SHIFT < max_pfn) {
		page = pfn_to_page((u32)(gpa >> PAGE_SHIFT));
		status = page->owner == PAGE_SLAB ? kfree_object(kmem_caches[page->cache], (void *)object)
						  : kfree_large(page, gpa);
	} else {
		status = KVMAP_REFUSED_NOT_AN_AREA;
	}
	if (!status)
		return;
	this_cpu_cache()->kmalloc_status = status;
	refusal_record(status, (unsigned long)object, caller);
}

void kfree(const void *object)
{
	u64 gpa = __pa(object);
	const struct kmem_cache *cache;
	struct kmem_list *list;
	const struct page *page;
	u32 offset = gpa % PAGE_SIZE;

	if (unlikely(gpa >> PAGE_SHIFT >= max_pfn))
		return kfree_slow(object, CALLER);
	page = &mem_map[gpa >> PAGE_SHIFT];
	cache = kmem_caches[page->cache]; /* not a slab: no_cache, whose reciprocal is 0 */
	list = &this_cpu_cache()->objects[page->cache];
	/* The product wraps to less than the reciprocal if and only if the size divides the offset. */
	if (unlikely(offset * cache->reciprocal >= cache->reciprocal || offset > cache->last ||
		     object == list->free))
		return kfree_slow(object, CALLER);
	if (unlikely(list->nr >= cache->limit))
		return kfree_slow(object, CALLER);
	kmem_list_add(list, (void *)object);
}

unsigned long ksize(const void *object)
{
	u64 gpa = __pa(object);
	const struct page *page;

	if (gpa >> PAGE_SHIFT >= max_pfn)
		return 0;
	page = pfn_to_page((u32)(gpa >> PAGE_SHIFT));
	if (page->owner == PAGE_SLAB)
		return is_object(kmem_caches[page->cache], gpa) ? kmem_caches[page->cache]->object_size : 0;
	return page->owner == PAGE_KMALLOC && gpa % PAGE_SIZE == 0 ? PAGE_SIZE << page->order : 0;
}

void *krealloc(const void *object, unsigned long size, gfp_t gfp)
{
	unsigned long old;
	void *new;

	if (!object)
		return kmalloc_slow(size, gfp, CALLER);
	if (!size) {
		kfree(object);
		return NULL;
	}
	old = ksize(object);
	if (!old) {
		refusal_record(KVMAP_REFUSED_NOT_AN_AREA, (unsigned long)object, CALLER);
		return refuse(KVMAP_REFUSED_NOT_AN_AREA);
	}
	if (size <= old)
		return (void *)object;
	new = kmalloc_slow(size, gfp, CALLER);
	if (!new)
		return NULL;
	__builtin_memcpy(new, object, old);
	kfree(object);
	return new;
}
