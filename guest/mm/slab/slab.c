/* SPDX-License-Identifier: MIT */
/*
 * slab.c: slabs, and refilling and draining the lists of free objects.
 */
#include "mm/slab/slab.h"

#include "mm/arch.h"
#include "mm/locks.h"
#include "mm/page/nodes.h"
#include "mm/slab/debug.h"

/* The cache of index 0, which all frames that are not slabs have. It has no objects. */
static struct kmem_cache no_cache;
struct kmem_cache *kmem_caches[KMEM_CACHES_MAX] = { &no_cache };
u32 nr_kmem_caches = KMALLOC_CLASSES;

/* Allocates a cache index; 0 if none is left. */
static u32 index_alloc(void)
{
	u32 taken = READ_ONCE(nr_kmem_caches);

	while (taken + 1 < KMEM_CACHES_MAX)
		if (__atomic_compare_exchange_n(&nr_kmem_caches, &taken, taken + 1, false, __ATOMIC_RELAXED,
						__ATOMIC_RELAXED))
			return taken + 1;
	return 0;
}

static inline __attribute__((always_inline)) void cache_lock(struct kmem_cache *cache)
{
	lockdep_set_class(&cache->lock, "kmem_cache");
	spin_lock(&cache->lock);
}

/*
 * Initialises a cache at its first use. Its lock must be held. The index is stored last, so that a CPU that
 * reads it without the lock sees the other fields.
 */
static bool cache_register(struct kmem_cache *cache)
{
	u32 index = cache->index ? cache->index : index_alloc();

	lockdep_assert_held(&cache->lock);
	if (!index)
		return false;
	cache->order = cache->object_size > PAGE_SIZE;
	cache->per_slab = (u32)(PAGE_SIZE << cache->order) / cache->object_size;
	if (slab_debug && cache->frees_empty_slabs)
		cache->link = debug_link_offset(cache, (u32)PAGE_SIZE << cache->order++);
	cache->last = (cache->per_slab - 1) * cache->object_size;
	cache->limit = cpu_list_limit(cache->object_size);
	/* 0 disables the multiply-shift check: kfree() takes the slow path, which validates the object. */
	if (!slab_debug)
		cache->reciprocal = (u32)(((1ul << 32) + cache->object_size - 1) / cache->object_size);
	kmem_caches[index] = cache;
	/* kmalloc's classes have constant indices, which kmalloc() reads without the lock */
	if (!cache->index)
		__atomic_store_n(&cache->index, (u16)index, __ATOMIC_RELEASE);
	return true;
}

/* ---- slabs ---- */

static void slab_link(u32 *list, u32 pfn)
{
	struct page *page = pfn_to_page(pfn);

	page->next = *list;
	page->prev = 0;
	if (*list)
		pfn_to_page(*list)->prev = pfn;
	*list = pfn;
}

static void slab_unlink(u32 *list, const struct page *page)
{
	if (page->next)
		pfn_to_page(page->next)->prev = page->prev;
	if (page->prev)
		pfn_to_page(page->prev)->next = page->next;
	else
		*list = page->next;
}

/* pfn of the slab of an object. */
static u32 slab_of(const struct kmem_cache *cache, const void *object)
{
	return (u32)(__pa(object) >> PAGE_SHIFT) >> cache->order << cache->order;
}

/* The first object of a slab's freelist; NULL if it is empty. */
static void *slab_first(const struct page *page)
{
	char *slab = __va((u64)page_to_pfn(page) << PAGE_SHIFT);

	return page->freelist ? slab + (page->freelist - 1) * 8 : NULL;
}

static void slab_set_first(struct page *page, const void *object)
{
	const char *slab = __va((u64)page_to_pfn(page) << PAGE_SHIFT);

	page->freelist = object ? (u16)(((const char *)object - slab) / 8 + 1) : 0;
}

/* Returns an object to its slab. The cache's lock must be held. */
static void object_return(struct kmem_cache *cache, void *object)
{
	u32 pfn = slab_of(cache, object);
	struct page *page = pfn_to_page(pfn);

	lockdep_assert_held(&cache->lock);
	if (!page->nr_objects) {
		slab_unlink(&cache->full, page);
		slab_link(&cache->partial, pfn);
		cache->nr_partial++;
	}
	*kmem_link(object, cache->link) = slab_first(page);
	slab_set_first(page, object);
	if (++page->nr_objects < cache->per_slab)
		return;
	cache->nr_empty++;
	slab_unlink(&cache->partial, page);
	slab_link(&cache->partial, pfn);
}

/*
 * Removes empty slabs until the cache has at most `keep`; returns them as a chain through struct page.next, 0
 * = none. The cache's lock must be held. Slabs that became empty recently are near the front of the list.
 */
static u32 empty_take(struct kmem_cache *cache, u32 keep)
{
	u32 taken = 0, next;

	lockdep_assert_held(&cache->lock);
	for (u32 pfn = cache->partial; pfn && cache->nr_empty > keep; pfn = next) {
		struct page *page = pfn_to_page(pfn);

		next = page->next;
		if (page->nr_objects != cache->per_slab)
			continue;
		slab_unlink(&cache->partial, page);
		cache->nr_empty--;
		cache->nr_partial--;
		cache->nr_slabs--;
		page->next = taken;
		taken = pfn;
	}
	return taken;
}

/* With slab_debug: compares a slab that is on no list any more. */
static __attribute__((noinline)) void slab_check(const struct kmem_cache *cache, const struct page *page)
{
	spin_lock(&slab_debug_lock);
	debug_slab_free(cache, __va((u64)page_to_pfn(page) << PAGE_SHIFT), slab_first(page));
	spin_unlock(&slab_debug_lock);
}

/* Frees the slabs of a chain; returns the number of frames. The cache's lock must not be held. */
static u32 slabs_free(const struct kmem_cache *cache, u32 pfn)
{
	u32 frames = 0, next;

	for (; pfn; pfn = next) {
		struct page *page = pfn_to_page(pfn);

		next = page->next;
		if (unlikely(cache->link))
			slab_check(cache, page);
		page->prev = 0;
		page->nr_objects = 0;
		page->freelist = 0;
		frames += 1u << page->order;
		if (unlikely(log_is_on()))
			arch_log_frames(pfn, 1u << page->order, false);
		frames_free(pfn);
	}
	vm_stat_add(NR_SLAB_PAGES, -(s64)frames);
	return frames;
}

/* Allocates a slab, which is on no list yet, and adds its objects to a list; 0 without memory. */
static inline u32 slab_new(struct kmem_cache *cache, gfp_t gfp, struct kmem_list *list)
{
	u32 pfn = frames_alloc_gfp(gfp & GFP_PLACE, cache->order, PAGE_SLAB), i;
	struct page *page;
	char *object;

	if (!pfn)
		return 0;
	if (unlikely(log_is_on()))
		arch_log_frames(pfn, 1u << cache->order, true);
	page = pfn_to_page(pfn);
	page->cache = cache->index;
	page->nr_objects = 0;
	page->freelist = 0;
	vm_stat_add(NR_SLAB_PAGES, 1 << cache->order);

	/* last object first, so that objects are allocated in address order */
	object = __va((u64)pfn << PAGE_SHIFT);
	if (unlikely(cache->link))
		debug_slab_new(cache, object);
	object += (u64)cache->per_slab * cache->object_size;
	for (i = cache->per_slab; i > 0; i--) {
		object -= cache->object_size;
		kmem_list_add(list, object, cache->link);
	}
	return pfn;
}

/* Allocates a slab and adds its objects to a list of this CPU. */
static bool cache_grow(struct kmem_cache *cache, struct kmem_list *list)
{
	u32 pfn = slab_new(cache, 0, list);

	if (!pfn)
		return false;
	cache_lock(cache);
	slab_link(&cache->full, pfn);
	cache->nr_slabs++;
	spin_unlock(&cache->lock);
	return true;
}

/* ---- lists ---- */

/*
 * Moves nr objects, which the slab must have, from its freelist to the front of a list. The cache's lock must
 * be held.
 */
static void objects_take(struct kmem_cache *cache, struct page *page, struct kmem_list *to, u32 nr)
{
	void *first = slab_first(page), *last = first;

	for (u32 left = nr; left > 1; left--)
		last = *kmem_link(last, cache->link);
	cache->nr_empty -= page->nr_objects == cache->per_slab;
	page->nr_objects -= nr;
	slab_set_first(page, *kmem_link(last, cache->link));
	*kmem_link(last, cache->link) = to->free;
	to->free = first;
	to->nr += nr;
}

/* The slab's freelist is empty now. The cache's lock must be held. */
static void slab_exhausted(struct kmem_cache *cache, u32 pfn)
{
	slab_unlink(&cache->partial, pfn_to_page(pfn));
	slab_link(&cache->full, pfn);
	cache->nr_partial--;
}

/*
 * Fills a list with free objects of the slabs, up to half of its limit; false if there are none. The cache's
 * lock must be held.
 */
static bool list_fill(struct kmem_cache *cache, struct kmem_list *list)
{
	u32 wanted = cache->limit / 2;

	lockdep_assert_held(&cache->lock);
	if (!cache->partial)
		return false;
	while (wanted && cache->partial) {
		u32 pfn = cache->partial;
		struct page *page = pfn_to_page(pfn);
		u32 nr = page->nr_objects < wanted ? page->nr_objects : wanted;

		objects_take(cache, page, list, nr);
		wanted -= nr;
		if (page->nr_objects)
			break;
		slab_exhausted(cache, pfn);
	}
	return true;
}

void *kmem_cache_refill(struct kmem_cache *cache)
{
	struct kmem_list *list;
	bool registered, filled = false;

	cache_lock(cache);
	registered = likely(cache->per_slab) || cache_register(cache);
	list = &this_cpu_cache()->objects[cache->index];
	if (registered)
		filled = list_fill(cache, list);
	spin_unlock(&cache->lock);
	if (!registered || (!filled && !cache_grow(cache, list)))
		return NULL;
	return kmem_list_take(list, cache->link);
}

/*
 * Takes the first object of a slab of the partial list. If its link was overwritten, the others of the freelist
 * are not used any more, nor is the slab freed, as on Linux. The cache's lock must be held.
 */
static void *object_take(struct kmem_cache *cache, u32 pfn)
{
	struct page *page = pfn_to_page(pfn);
	struct kmem_list one = { 0 };

	lockdep_assert_held(&cache->lock);
	if (cache->link && !debug_link_check(cache, slab_first(page), page->nr_objects) &&
	    page->nr_objects > 1) {
		cache->nr_empty -= page->nr_objects == cache->per_slab;
		page->nr_objects = 1;
	}
	objects_take(cache, page, &one, 1);
	if (!page->nr_objects)
		slab_exhausted(cache, pfn);
	return kmem_list_take(&one, cache->link);
}

/* Slabs of the partial list that are searched for one of a NUMA node. */
#define NODE_SEARCH_MAX 64

/* The first object of the partial list's first slab of the node, or NULL. The cache's lock must be held. */
static void *object_of_node(struct kmem_cache *cache, u32 node)
{
	u64 start = node_start_pfn(node), end = node_start_pfn(node + 1);
	u32 pfn = cache->partial;

	lockdep_assert_held(&cache->lock);
	for (u32 left = NODE_SEARCH_MAX; pfn && (pfn < start || pfn >= end); pfn = pfn_to_page(pfn)->next)
		if (!--left)
			return NULL;
	return pfn ? object_take(cache, pfn) : NULL;
}

/*
 * Takes an object of a new slab, whose other objects stay in its freelist, for requests that name its node.
 */
static void *object_of_new_slab(struct kmem_cache *cache, gfp_t gfp)
{
	struct kmem_list list = { 0 };
	u32 pfn = slab_new(cache, gfp, &list);
	struct page *page = pfn_to_page(pfn);
	void *object;

	if (!pfn)
		return NULL;
	object = kmem_list_take(&list, cache->link);
	cache_lock(cache);
	slab_set_first(page, list.free);
	page->nr_objects = list.nr;
	cache->nr_slabs++;
	cache->nr_partial += list.nr != 0;
	slab_link(list.nr ? &cache->partial : &cache->full, pfn);
	spin_unlock(&cache->lock);
	return object;
}

void *kmem_cache_alloc_node(struct kmem_cache *cache, gfp_t gfp)
{
	void *object = NULL;
	bool registered;

	cache_lock(cache);
	registered = likely(cache->per_slab) || cache_register(cache);
	if (registered && gfp & GFP_PLACE)
		object = object_of_node(cache, gfp_node(gfp));
	else if (registered && cache->partial)
		object = object_take(cache, cache->partial);
	spin_unlock(&cache->lock);
	return object || !registered ? object : object_of_new_slab(cache, gfp);
}

void kmem_cache_free_to_slab(struct kmem_cache *cache, void *object)
{
	u32 empty;

	cache_lock(cache);
	object_return(cache, object);
	empty = empty_take(cache, EMPTY_SLABS_KEPT);
	spin_unlock(&cache->lock);
	slabs_free(cache, empty);
}

bool kmem_cache_has_free(struct kmem_cache *cache, const void *object)
{
	const struct page *page = pfn_to_page(slab_of(cache, object));
	void *next;
	u32 left;

	cache_lock(cache);
	next = slab_first(page);
	for (left = page->nr_objects; left && next && next != object; left--)
		next = debug_link_valid(cache, next) ? *kmem_link(next, cache->link) : NULL;
	spin_unlock(&cache->lock);
	return left && next == object;
}

void kmem_cache_drain(struct kmem_cache *cache, struct kmem_list *list)
{
	void **first = kmem_link(list->free, cache->link);
	u32 nr = list->nr / 2, empty = 0;

	cache_lock(cache);
	/* The first object stays: it is cache-hot, and kfree() compares with it to detect double frees. */
	list->nr -= nr;
	while (nr--) {
		void *object = *first;

		*first = *kmem_link(object, cache->link);
		object_return(cache, object);
	}
	if (cache->frees_empty_slabs && cache->nr_empty > EMPTY_SLABS_KEPT)
		empty = empty_take(cache, EMPTY_SLABS_KEPT);
	spin_unlock(&cache->lock);
	if (empty)
		slabs_free(cache, empty);
}

/* Moves the CPU's objects to their slabs, and frees empty slabs. */
static bool cache_drain_cpu(struct kmem_cache *cache, struct cpu_cache *cpu)
{
	struct kmem_list *list = &cpu->objects[cache->index];
	bool found = list->nr;
	void *object;
	u32 empty = 0;

	cache_lock(cache);
	while ((object = kmem_list_take(list, cache->link)))
		object_return(cache, object);
	if (cache->frees_empty_slabs)
		empty = empty_take(cache, 0);
	spin_unlock(&cache->lock);
	return slabs_free(cache, empty) || found;
}

bool kmem_drain_cpu(struct cpu_cache *cpu)
{
	bool found = false;

	for (u32 i = 1; i <= READ_ONCE(nr_kmem_caches); i++)
		if (kmem_caches[i])
			found |= cache_drain_cpu(kmem_caches[i], cpu);
	return found;
}
