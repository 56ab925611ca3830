/* SPDX-License-Identifier: MIT */
/*
 * slab.c: where the lists of free objects come from and go to.
 */
#include "mm/slab.h"

#include "mm/arch.h"
#include "mm/frames.h"

/* A CPU keeps at most so many free bytes of a cache, within bounds: then half of it goes to the others. */
#define CPU_LIST_BYTES 16384
#define CPU_LIST_MIN   4
#define CPU_LIST_MAX   128

struct kmem_cache *kmem_caches[KMEM_CACHES_MAX];
u32 nr_kmem_caches = KMALLOC_CLASSES;
bool slab_debug;
struct spinlock slab_debug_lock;

/* The next number of a cache, 0 if there is none left. */
static u32 number_take(void)
{
	u32 taken = READ_ONCE(nr_kmem_caches);

	while (taken + 1 < KMEM_CACHES_MAX)
		if (__atomic_compare_exchange_n(&nr_kmem_caches, &taken, taken + 1, false, __ATOMIC_RELAXED,
						__ATOMIC_RELAXED))
			return taken + 1;
	return 0;
}

/*
 * Gives a cache that is used for the first time its number, and works out what follows from its size. Under
 * its lock. The number comes last: whoever sees it needs no lock for the rest.
 */
static bool cache_register(struct kmem_cache *cache)
{
	u32 limit = CPU_LIST_BYTES / cache->object_size;
	u32 index = cache->index ? cache->index : number_take();

	if (!index)
		return false;
	cache->order = cache->object_size > PAGE_SIZE;
	cache->per_slab = (u32)(PAGE_SIZE << cache->order) / cache->object_size;
	cache->last = (cache->per_slab - 1) * cache->object_size;
	cache->limit = limit < CPU_LIST_MIN ? CPU_LIST_MIN : limit > CPU_LIST_MAX ? CPU_LIST_MAX : limit;
	/* Of 0, kfree() finds that it divides no offset, and takes the way on which it looks closer. */
	if (!slab_debug)
		cache->reciprocal = (u32)(((1ul << 32) + cache->object_size - 1) / cache->object_size);
	kmem_caches[index] = cache;
	if (!cache->index) /* kmalloc's classes have theirs, and are looked at by it without the lock */
		__atomic_store_n(&cache->index, (u16)index, __ATOMIC_RELEASE);
	return true;
}

/* Adds the objects of a new slab to a list. */
static bool cache_grow(struct kmem_cache *cache, struct kmem_list *list)
{
	u32 pfn = frames_alloc(cache->order, PAGE_SLAB), i;
	struct page *page;
	char *object;

	if (!pfn)
		return false;
	page = pfn_to_page(pfn);
	page->cache = cache->index;
	spin_lock(&cache->lock);
	page->next = cache->pages;
	cache->pages = pfn;
	cache->nr_slabs++;
	spin_unlock(&cache->lock);
	vm_stat_add(NR_SLAB_PAGES, 1 << cache->order);

	/* from the last to the first, so that objects are handed out in the order of their addresses */
	object = __va((u64)pfn << PAGE_SHIFT);
	if (slab_debug)
		__builtin_memset(object, POISON_FREE, PAGE_SIZE << cache->order);
	object += (u64)cache->per_slab * cache->object_size;
	for (i = cache->per_slab; i > 0; i--) {
		object -= cache->object_size;
		kmem_list_add(list, object);
	}
	return true;
}

/* Moves nr objects, which there are, from the place on to which *link leads. */
static void list_move(struct kmem_list *to, struct kmem_list *from, void **link, u32 nr)
{
	void **last = *link, *first = last, *rest;
	u32 left;

	for (left = nr; left > 1; left--)
		last = *last;
	from->nr -= nr;
	to->nr += nr;
	rest = *last;
	*last = to->free;
	to->free = first;
	*link = rest;
}

void *kmem_cache_refill(struct kmem_cache *cache)
{
	struct kmem_list *list, *shared = &cache->shared;
	bool registered, grow = true;

	spin_lock(&cache->lock);
	registered = likely(cache->per_slab) || cache_register(cache);
	list = &this_cpu_cache()->objects[cache->index];
	if (registered && shared->nr) {
		list_move(list, shared, &shared->free,
			  shared->nr < cache->limit / 2 ? shared->nr : cache->limit / 2);
		grow = false;
	}
	spin_unlock(&cache->lock);
	if (!registered || (grow && !cache_grow(cache, list)))
		return NULL;
	return kmem_list_take(list);
}

void kmem_cache_drain(struct kmem_cache *cache, struct kmem_list *list)
{
	spin_lock(&cache->lock);
	/* The first stays: it is warm, and kfree() knows it if it is freed again. */
	list_move(&cache->shared, list, list->free, list->nr / 2);
	spin_unlock(&cache->lock);
}

static bool list_has(const struct kmem_list *list, const void *object)
{
	void **free;

	for (free = list->free; free; free = *free)
		if (free == object)
			return true;
	return false;
}

bool kmem_cache_has_free(const struct kmem_cache *cache, const void *object)
{
	u32 cpu;

	for (cpu = 0; cpu < NR_CPUS; cpu++)
		if (list_has(&cpu_caches[cpu].objects[cache->index], object))
			return true;
	return list_has(&cache->shared, object);
}
