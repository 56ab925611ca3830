/* SPDX-License-Identifier: MIT */
/*
 * kmalloc.c: size classes, and buddy blocks for larger sizes.
 */
#include "mm/slab/kmalloc.h"

#include "kvmap/operation.h"
#include "mm/arch.h"
#include "mm/interrupt.h"
#include "mm/locks.h"
#include "mm/page/page_alloc.h"
#include "mm/page/watermark.h"
#include "mm/reclaim.h"
#include "mm/slab/debug.h"
#include "mm/slab/object.h"
#include "mm/warn.h"

#define CALLER __builtin_return_address(0)

/* Class indices: for each size one without slack and one with it (object.h). */
#define SMALL_CLASSES 7
#define BIG_CLASSES   6
#define EXACT(small)  (small)
#define SLACK(small)  (SMALL_CLASSES + (small))
/* Above SMALL_MAX, by the highest set bit of size - 1: 7 to 12. */
#define BIG_EXACT(bit) (2 * SMALL_CLASSES + (bit)-7)
#define BIG_SLACK(bit) (BIG_EXACT(bit) + BIG_CLASSES)
static_assert(BIG_SLACK(12) + 1 == KMALLOC_CLASSES, "kmalloc's classes");

#define CLASS(number, text, size, has_slack)                                                                 \
	[number] = { .name = "kmalloc-" text,                                                                \
		     .object_size = (size),                                                                  \
		     .index = (number) + 1,                                                                  \
		     .frees_empty_slabs = 1,                                                                 \
		     .slack = (has_slack) }
#define CLASSES(exact, slack, text, size) CLASS(exact, text, size, 0), CLASS(slack, "slack-" text, size, 1)

/* Cache index = class index + 1; index 0 is invalid. */
static struct kmem_cache classes[KMALLOC_CLASSES] = {
	CLASSES(EXACT(0), SLACK(0), "8", 8),
	CLASSES(EXACT(1), SLACK(1), "16", 16),
	CLASSES(EXACT(2), SLACK(2), "32", 32),
	CLASSES(EXACT(3), SLACK(3), "64", 64),
	CLASSES(EXACT(4), SLACK(4), "96", 96),
	CLASSES(EXACT(5), SLACK(5), "128", 128),
	CLASSES(EXACT(6), SLACK(6), "192", 192),
	CLASSES(BIG_EXACT(7), BIG_SLACK(7), "256", 256),
	CLASSES(BIG_EXACT(8), BIG_SLACK(8), "512", 512),
	CLASSES(BIG_EXACT(9), BIG_SLACK(9), "1k", 1024),
	CLASSES(BIG_EXACT(10), BIG_SLACK(10), "2k", 2048),
	CLASSES(BIG_EXACT(11), BIG_SLACK(11), "4k", 4096),
	CLASSES(BIG_EXACT(12), BIG_SLACK(12), "8k", 8192),
};

/* Offset of a class's list in cpu_cache.objects, in bytes, and its inverse. */
#define LIST_OF(class) (((class) + 1) * sizeof(struct kmem_list))
#define CLASS_OF(list) ((list) / sizeof(struct kmem_list) - 1)
#define L(class)       ((u8)LIST_OF(class))

static_assert(LIST_OF(SLACK(SMALL_CLASSES - 1)) <= 0xff, "the place of a small class's list");

#define SMALL_MAX 192

/* The list offset for sizes up to SMALL_MAX. */
#define LISTS(below, class, size) [(below) + 1 ...(size) - 1] = L(SLACK(class)), [size] = L(EXACT(class))
static const u8 small_lists[SMALL_MAX + 1] = {
	LISTS(0, 0, 8),   LISTS(8, 1, 16),   LISTS(16, 2, 32),   LISTS(32, 3, 64),
	LISTS(64, 4, 96), LISTS(96, 5, 128), LISTS(128, 6, 192),
};

/* Flags that the objects of a CPU's list cannot satisfy, since they lie wherever their slab does. */
#define GFP_NOT_OF_A_LIST (GFP_PLACE | __GFP_NOFAIL)

/* Flags that no slab satisfies: a buddy block does. */
#define GFP_NOT_OF_A_SLAB (__GFP_DMA | __GFP_DMA32 | __GFP_NOFAIL)

static bool fast_path_disabled;

void kmalloc_disable_fast_path(void)
{
	fast_path_disabled = true;
}

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

/* Allocates a buddy block. */
static void *kmalloc_large(unsigned long size, gfp_t gfp)
{
	struct page *page;

	if (size > KMALLOC_MAX_SIZE)
		return refuse(KVMAP_REFUSED_TOO_LARGE);
	if (!size)
		return refuse(KVMAP_REFUSED_ZERO_SIZE);
	page = alloc_pages(gfp, get_order(size));
	if (!page)
		return refuse(page_alloc_status());
	page->requested = (u32)size;
	if (unlikely(slab_debug))
		debug_block_alloc(page_address(page), size, PAGE_SIZE << page->order);
	return page_address(page);
}

static void *object_find(struct kmem_cache *cache, gfp_t gfp)
{
	return unlikely(gfp & GFP_PLACE || slab_debug) ? kmem_cache_alloc_node(cache, gfp)
						       : kmem_cache_refill(cache);
}

/*
 * Refills this CPU's list from the slabs or a new slab; if there is no frame for it, uses the reserve or
 * reclaims.
 */
static void *class_refill(struct kmem_cache *cache, gfp_t gfp)
{
	void *object = object_find(cache, gfp);

	if (!object && reserve_open(gfp)) {
		object = object_find(cache, gfp);
		reserve_close();
	}
	if (!object && gfp_may_reclaim(gfp) && !cache->order && reclaim_pages(1))
		object = object_find(cache, gfp);
	if (!object && gfp_may_reclaim(gfp) && reclaim_memory())
		object = object_find(cache, gfp);
	return object ? object : refuse(KVMAP_REFUSED_NO_MEMORY);
}

static void *class_alloc(struct kmem_cache *cache, gfp_t gfp)
{
	void *object;

	if (should_fail_alloc())
		return refuse(KVMAP_REFUSED_NO_MEMORY);
	object = gfp & GFP_PLACE ? NULL
				 : kmem_list_take(&this_cpu_cache()->objects[cache->index], cache->link);
	return object ? object : class_refill(cache, gfp);
}

/* size: 1 to KMALLOC_MAX_CACHE_SIZE. *slack_out: whether its class has slack. */
static inline unsigned long list_of_size(unsigned long size, bool *slack_out)
{
	unsigned long list, bit;

	if (likely(size <= SMALL_MAX)) {
		list = small_lists[size];
		*slack_out = list >= LIST_OF(SLACK(0));
		return list;
	}
	bit = (unsigned long)__builtin_clzl(size - 1) ^ 63;
	*slack_out = size & (size - 1);
	list = bit * sizeof(struct kmem_list);
	return unlikely(*slack_out) ? LIST_OF(BIG_SLACK(0)) + list : LIST_OF(BIG_EXACT(0)) + list;
}

static void *class_alloc_debug(unsigned long size, gfp_t gfp)
{
	unsigned long larger = debug_size(size);
	bool slack;
	struct kmem_cache *cache = &classes[CLASS_OF(list_of_size(larger, &slack))];
	void *object;

	if (slack) /* the class of the same size without slack */
		cache -= larger <= SMALL_MAX ? SLACK(0) - EXACT(0) : BIG_SLACK(0) - BIG_EXACT(0);
	object = class_alloc(cache, gfp);
	if (!object)
		return NULL;
	spin_lock(&slab_debug_lock);
	debug_alloc(cache, object, size);
	spin_unlock(&slab_debug_lock);
	if (gfp & __GFP_ZERO)
		__builtin_memset(object, 0, size);
	return object;
}

static void *class_alloc_sized(unsigned long size, gfp_t gfp)
{
	bool slack;
	struct kmem_cache *cache = &classes[CLASS_OF(list_of_size(size, &slack))];
	void *object = class_alloc(cache, gfp);

	if (object && gfp & __GFP_ZERO)
		__builtin_memset(object, 0, cache->object_size);
	if (object && slack)
		object_record(object, cache->object_size, size);
	return object;
}

static void *kmalloc_find(unsigned long size, gfp_t gfp)
{
	if (size - 1 >= KMALLOC_MAX_CACHE_SIZE || gfp & GFP_NOT_OF_A_SLAB)
		return kmalloc_large(size, gfp);
	if (in_interrupt()) {
		if (gfp & __GFP_DIRECT_RECLAIM)
			return refuse(KVMAP_REFUSED_INTERRUPT);
	} else if (!fast_path_disabled) {
		this_cpu_cache()->kmalloc_fast_max = KMALLOC_MAX_CACHE_SIZE;
	}
	return slab_debug ? class_alloc_debug(size, gfp) : class_alloc_sized(size, gfp);
}

/* Slow path: this CPU's list is empty, or the request needs more than an object of it. */
static __attribute__((noinline)) void *kmalloc_slow(unsigned long size, gfp_t gfp, const void *caller)
{
	void *object = kmalloc_find(size, gfp);
	u32 status;

	if (likely(object))
		return object;
	status = this_cpu_cache()->kmalloc_status;
	refusal_record_request(status, 0, caller,
			       &(struct request){ .bytes = size,
						  .gfp = gfp,
						  .contiguous = true,
						  .which = KVMAP_LIMIT_KMALLOC,
						  .limit = KMALLOC_MAX_SIZE });
	return NULL;
}

static inline void *kmalloc_for(unsigned long size, gfp_t gfp, const void *caller)
{
	struct cpu_cache *cpu = this_cpu_cache();
	unsigned long offset;
	struct kmem_list *list;
	void *object;
	bool slack;

	/* also true for size 0 */
	if (unlikely(size - 1 >= cpu->kmalloc_fast_max || gfp & (GFP_NOT_OF_A_LIST | __GFP_ZERO)))
		return kmalloc_slow(size, gfp, caller);
	offset = list_of_size(size, &slack);
	list = (void *)((char *)cpu->objects + offset);
	if (unlikely(!list->free))
		return kmalloc_slow(size, gfp, caller);
	object = kmem_list_take(list, 0);
	if (slack)
		object_record(object, classes[CLASS_OF(offset)].object_size, size);
	return object;
}

void *kmalloc_for_caller(unsigned long size, gfp_t gfp, const void *caller)
{
	return kmalloc_slow(size, gfp, caller);
}

static void *refuse_to(u32 status, const void *caller)
{
	refusal_record_request(status, 0, caller,
			       &(struct request){ .which = KVMAP_LIMIT_PRODUCT, .limit = ~0ul });
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
	bool listed = debug_record_doubtful(cache, object) && kmem_cache_has_free(cache, object), freed;

	spin_lock(&slab_debug_lock);
	freed = debug_free(cache, object, listed);
	spin_unlock(&slab_debug_lock);
	if (!freed)
		return KVMAP_REFUSED_DOUBLE_FREE;
	kmem_cache_free_to_slab(cache, object);
	return KVMAP_OK;
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
	if (unlikely(slab_debug))
		debug_block_free(page_address(page), page->requested, PAGE_SIZE << page->order);
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
	kmem_list_add(list, (void *)object, 0);
}

/* The requested size of an object that kmalloc() returned. A record that was overwritten is not used. */
static unsigned long requested_of(const struct kmem_cache *cache, const void *object)
{
	const u8 *end = (const u8 *)object + cache->object_size;
	u32 slack;

	if (slab_debug)
		return debug_requested(cache, object);
	if (!cache->slack)
		return cache->object_size;
	slack = end[-1] == KMALLOC_SLACK_LONG ? ((const u16 *)(const void *)end)[-2] : end[-1];
	return slack && slack < cache->object_size ? cache->object_size - slack : cache->object_size - 1;
}

bool kmalloc_memory_at(const void *object, struct kmalloc_memory *out)
{
	u64 gpa = __pa(object);
	struct page *page;

	if (gpa >> PAGE_SHIFT >= max_pfn)
		return false;
	page = pfn_to_page((u32)(gpa >> PAGE_SHIFT));
	*out = (struct kmalloc_memory){ .page = page };
	if (page->owner == PAGE_SLAB) {
		out->cache = kmem_caches[page->cache];
		out->size = out->cache->object_size;
		out->requested = is_object(out->cache, gpa) ? requested_of(out->cache, object) : 0;
		return out->requested;
	}
	if (page->owner != PAGE_KMALLOC || gpa % PAGE_SIZE)
		return false;
	out->size = PAGE_SIZE << page->order;
	out->requested = page->requested ? page->requested : out->size;
	return true;
}

unsigned long ksize(const void *object)
{
	struct kmalloc_memory memory;

	return kmalloc_memory_at(object, &memory) ? memory.size : 0;
}
