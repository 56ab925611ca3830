/* SPDX-License-Identifier: MIT */
/*
 * op_bench.c: the cost of allocations: pairs of one allocation and one free, timed with the time-stamp
 * counter.
 *
 * A function that can be measured is a row of KVMAP_FUNCTIONS and one line of PAIRS().
 */
#include "agent/agent.h"
#include "agent/operations.h"
#include "arch/cycles.h"
#include "kvmap/bounds.h"
#include "lib/platform.h"
#include "mm/slab/kmalloc.h"
#include "mm/vmalloc/kvmalloc.h"
#include "mm/page/page_alloc.h"
#include "mm/vmalloc/vmalloc.h"

/* The calls of which a pair consists. The last two are of a page, for what the pair has left to later calls. */
enum call { MAKE, FREE, MAKE_PAGE, FREE_PAGE, NR_CALLS };

struct pairs {
	u64 size, count;
	bool together; /* other CPUs run operations, too: take part in their TLB shootdowns between pairs */
	u64 ticks;     /* of all pairs and of the purge after them */
	u64 further;   /* timed besides the pairs: as many again */
	struct extremes {
		u64 most, least; /* of a single call; most 0: there was none */
	} calls[NR_CALLS];
};

static inline void call_note(struct pairs *pairs, enum call call, u64 ticks)
{
	struct extremes *extremes = &pairs->calls[call];

	if (ticks > extremes->most)
		extremes->most = ticks;
	if (!extremes->least || ticks < extremes->least)
		extremes->least = ticks;
}

/* Ticks of the most expensive single call. */
static u64 pairs_worst(const struct pairs *pairs)
{
	u64 worst = 0;

	for (u32 i = 0; i < NR_CALLS; i++)
		if (pairs->calls[i].most > worst)
			worst = pairs->calls[i].most;
	return worst;
}

/*
 * Ticks of the most expensive call beyond the cheapest of its kind: work done for other calls, since all calls of a kind
 * have the same size.
 */
static u64 pairs_beyond(const struct pairs *pairs)
{
	u64 beyond = 0;

	for (u32 i = 0; i < NR_CALLS; i++)
		if (pairs->calls[i].most - pairs->calls[i].least > beyond)
			beyond = pairs->calls[i].most - pairs->calls[i].least;
	return beyond;
}

/*
 * Defines a function that runs the pairs; false if an allocation fails. `allocation` may use `size`,
 * `release` also `memory`.
 */
#define PAIRS(name, allocation, release) PAIRS_AND(name, allocation, release, true)

/* Also `further` after each pair; false ends them. */
#define PAIRS_AND(name, allocation, release, further)                                                        \
	static bool name(struct pairs *pairs)                                                                \
	{                                                                                                    \
		unsigned long size = pairs->size;                                                            \
		u64 start = get_cycles();                                                                    \
                                                                                                             \
		(void)size;                                                                                  \
		for (u64 left = pairs->count; left; left--) {                                                \
			u64 before, between;                                                                 \
			void *memory = NULL;                                                                 \
                                                                                                             \
			if (pairs->together)                                                                 \
				arch_relax();                                                                \
			before = get_cycles();                                                               \
			memory = (allocation);                                                               \
			if (!memory)                                                                         \
				return false;                                                                \
			between = get_cycles();                                                              \
			release;                                                                             \
			call_note(pairs, FREE, get_cycles() - between);                                      \
			call_note(pairs, MAKE, between - before);                                            \
			if (!(further))                                                                      \
				return false;                                                                \
		}                                                                                            \
		vmalloc_purge();                                                                             \
		pairs->ticks = get_cycles() - start;                                                         \
		return true;                                                                                 \
	}

/* The pages that vmap() and vm_map_ram() map: frames of an area that exists meanwhile. */
#define MAPPED_PAGES_MAX 4096
static struct page *mapped_pages[MAPPED_PAGES_MAX];

/* Makes and frees an area of a page, by which a part is freed of what interrupts have left. */
static bool page_pair(struct pairs *pairs)
{
	u64 before = get_cycles(), between;
	void *page = vmalloc(PAGE_SIZE);

	between = get_cycles();
	vfree(page);
	call_note(pairs, FREE_PAGE, get_cycles() - between);
	call_note(pairs, MAKE_PAGE, between - before);
	pairs->further++;
	return page;
}

/* Flushes all when as many areas wait as a CPU keeps without a flush. All of it is work for others. */
static bool aliases_unmap(struct pairs *pairs)
{
	static u32 waiting;
	u64 before;

	if (++waiting % (LAZY_MAX_AREAS - 1))
		return true;
	before = get_cycles();
	vm_unmap_aliases();
	call_note(pairs, FREE_PAGE, get_cycles() - before);
	pairs->calls[FREE_PAGE].least = 1;
	return true;
}

PAIRS(pairs_of_nothing, pairs, (void)memory)
PAIRS(pairs_of_vmalloc, vmalloc(size), vfree(memory))
PAIRS_AND(pairs_of_vfree_atomic, vmalloc(size), vfree_atomic(memory), page_pair(pairs))
PAIRS_AND(pairs_of_vm_unmap_aliases, vmalloc(size), vfree(memory), aliases_unmap(pairs))
PAIRS(pairs_of_vzalloc, vzalloc(size), vfree(memory))
PAIRS(pairs_of_vmalloc_huge, vmalloc_huge(size, GFP_KERNEL), vfree(memory))
PAIRS(pairs_of_kvmalloc, kvmalloc(size, GFP_KERNEL), kvfree(memory))
PAIRS(map_and_unmap, vmap(mapped_pages, (u32)(size >> PAGE_SHIFT), 0, PGPROT_READWRITE), vunmap(memory))
PAIRS(map_and_unmap_ram, vm_map_ram(mapped_pages, (u32)(size >> PAGE_SHIFT), NUMA_NO_NODE),
      vm_unmap_ram(memory, (u32)(size >> PAGE_SHIFT)))
PAIRS(pairs_of_kmalloc, kmalloc(size, GFP_KERNEL), kfree(memory))
PAIRS(pairs_of_alloc_pages, alloc_pages(GFP_KERNEL, get_order(size)), __free_pages(memory, get_order(size)))

/* Runs the pairs with the frames of a new area in mapped_pages[]. The area itself is not measured. */
static bool with_mapped_pages(struct pairs *pairs, bool (*run)(struct pairs *pairs))
{
	u64 nr = ALIGN_UP(pairs->size, PAGE_SIZE) >> PAGE_SHIFT;
	char *area;
	bool done;

	if (nr > MAPPED_PAGES_MAX)
		return false;
	pairs->size = nr << PAGE_SHIFT;
	area = vmalloc(pairs->size);
	if (!area)
		return false;
	for (u64 i = 0; i < nr; i++)
		mapped_pages[i] = vmalloc_to_page(area + i * PAGE_SIZE);
	done = run(pairs);
	vfree(area);
	return done;
}

static bool pairs_of_vmap(struct pairs *pairs)
{
	return with_mapped_pages(pairs, map_and_unmap);
}

static bool pairs_of_vm_map_ram(struct pairs *pairs)
{
	return with_mapped_pages(pairs, map_and_unmap_ram);
}

#define FUNCTION(NAME, function, value) [KVMAP_FUNCTION_##NAME] = { #function, pairs_of_##function },
static const struct {
	const char *name;
	bool (*run)(struct pairs *pairs);
} functions[] = { KVMAP_FUNCTIONS(FUNCTION) };

const char *op_pair_function(u64 number)
{
	return number < ARRAY_SIZE(functions) && functions[number].name ? functions[number].name : "unknown";
}

static u64 difference(u64 ticks, u64 fixed)
{
	return ticks > fixed ? ticks - fixed : 0;
}

/* Why an allocation of the pairs was refused. No status is of an earlier operation. */
static u32 pairs_status(void)
{
	u32 status = vmalloc_status();

	if (!status)
		status = kmalloc_status();
	if (!status)
		status = page_alloc_status();
	return status ? status : KVMAP_REFUSED_NO_MEMORY;
}

u32 op_pair(struct operation *operation)
{
	u64 number = operation->operand[0];
	struct pairs pairs = {
		.size = operation->operand[1],
		.count = operation->operand[2],
		.together = agent.parallel,
	};
	/* the loop, and reading the counter */
	struct pairs fixed = { .count = pairs.count, .together = pairs.together };

	operation->size = pairs.size;
	if (number >= ARRAY_SIZE(functions) || !functions[number].run)
		return KVMAP_REFUSED_UNKNOWN;
	vmalloc_purge();
	pairs_of_nothing(&fixed);
	if (!functions[number].run(&pairs))
		return pairs_status();
	if (pairs.count)
		fixed.ticks += fixed.ticks / pairs.count * pairs.further;
	operation->result = difference(pairs.ticks, fixed.ticks);
	operation->address = difference(pairs_worst(&pairs), pairs_worst(&fixed));
	operation->expected = pairs.count ? pairs_beyond(&pairs) : 0;
	return KVMAP_OK;
}

/* Frees areas that are linked through their first words: all, or the first of every two. */
static void areas_free(void **area, bool every_second)
{
	while (area) {
		void **next = *area;

		vfree(area);
		area = every_second && next ? *next : next;
	}
}

u32 op_areas(struct operation *operation)
{
	void **newest = NULL;

	operation->size = operation->operand[1];
	for (u64 left = operation->operand[0]; left; left--) {
		void **area = vmalloc(operation->size);

		if (!area) {
			u32 status = vmalloc_status();

			areas_free(newest, false);
			return status;
		}
		*area = newest;
		newest = area;
	}
	if (operation->operand[2])
		areas_free(newest, true);
	operation->result = operation->operand[0];
	return KVMAP_OK;
}
