/* SPDX-License-Identifier: MIT */
/*
 * fragment.c: a machine that has been up for months, in one call: a stretch of memory with part of its frames
 * gone and the rest on the free lists in no order.
 */
#include "mm/arch.h"
#include "mm/page/buddy.h"

u32 held_pages;

/* Of held_pages. */
static struct spinlock held_lock;

/* xorshift64*, by Vigna; the upper half of the product is good enough for what is only to look disorderly. */
static u32 random_next(u64 *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return (u32)((*state * 0x2545f4914f6cdd1du) >> 32);
}

#define SHUFFLE_HEAPS 64

/* Deals the frames of a chain onto heaps at random and picks these up one after another. Returns the new
 * first. */
static u32 chain_shuffle(u32 pfn, u64 *state)
{
	u32 top[SHUFFLE_HEAPS] = { 0 }, bottom[SHUFFLE_HEAPS], first = 0;
	unsigned int heap;

	while (pfn) {
		u32 next = pfn_to_page(pfn)->next;

		heap = random_next(state) % SHUFFLE_HEAPS;
		if (!top[heap])
			bottom[heap] = pfn;
		pfn_to_page(pfn)->next = top[heap];
		top[heap] = pfn;
		pfn = next;
	}
	for (heap = 0; heap < SHUFFLE_HEAPS; heap++) {
		if (!top[heap])
			continue;
		pfn_to_page(bottom[heap])->next = first;
		first = top[heap];
	}
	return first;
}

u32 frames_fragment(unsigned int percent, u64 bytes, u64 seed)
{
	u64 wanted = bytes >> PAGE_SHIFT, state = seed * 2 + 1; /* never 0, which xorshift does not leave */
	u32 nr, left, hold, held = 0, pfn;
	struct chain chain;

	pcp_drain();
	nr = (u32)(wanted < frames_free_count() ? wanted : frames_free_count());
	if (percent > 100)
		percent = 100;
	chain_init(&chain);
	left = chain_take_all_fresh(&chain, nr, PAGE_HELD); /* one stretch, if it is large enough */
	nr = left + chain_take_all_free(&chain, nr - left, PAGE_HELD);

	/* Two deals with 64 heaps spread neighbours over 4096 places. */
	pfn = chain_shuffle(chain.first, &state);
	pfn = chain_shuffle(pfn, &state);

	hold = (u32)((u64)nr * percent / 100);
	spin_lock(&held_lock);
	for (left = nr; left; left--) {
		u32 next = pfn_to_page(pfn)->next;

		/* Each is held with probability hold/left: exactly as many as wanted in the end. */
		if (((u64)random_next(&state) * left) >> 32 < hold) {
			pfn_to_page(pfn)->next = held_pages;
			held_pages = pfn;
			hold--;
			held++;
		} else {
			zones_free(pfn); /* not kept: it is to lie in no order */
		}
		pfn = next;
	}
	spin_unlock(&held_lock);
	vm_stat_add(NR_HELD_PAGES, held);
	return held;
}
