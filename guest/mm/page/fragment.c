/* SPDX-License-Identifier: MIT */
/*
 * fragment.c: makes memory look as after months of uptime: part of the frames of a range is allocated, the
 * others are on the free lists in random order.
 */
#include "mm/arch.h"
#include "mm/page/buddy.h"

u32 held_pages;

/* Protects held_pages. */
static struct spinlock held_lock;

/* xorshift64*, by Vigna; the upper half of the product is random enough for this purpose. */
static u32 random_next(u64 *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return (u32)((*state * 0x2545f4914f6cdd1du) >> 32);
}

#define SHUFFLE_HEAPS 64

/*
 * Distributes the frames of a chain over heaps at random, and concatenates the heaps. Returns the new first
 * frame.
 */
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
	u64 wanted = bytes >> PAGE_SHIFT, state = seed * 2 + 1; /* never 0, a fixed point of xorshift */
	u32 nr, left, hold, held = 0, pfn;
	struct chain chain;

	pcp_drain();
	nr = (u32)(wanted < frames_free_count() ? wanted : frames_free_count());
	if (percent > 100)
		percent = 100;
	chain_init(&chain);
	left = chain_take_all(&chain, nr, PAGE_HELD, true); /* one contiguous range if it is large enough */
	nr = left + chain_take_all(&chain, nr - left, PAGE_HELD, false);

	/* Two passes with 64 heaps spread adjacent frames over 4096 places. */
	pfn = chain_shuffle(chain.first, &state);
	pfn = chain_shuffle(pfn, &state);

	hold = (u32)((u64)nr * percent / 100);
	spin_lock(&held_lock);
	for (left = nr; left; left--) {
		u32 next = pfn_to_page(pfn)->next;

		/* With probability hold/left, so that exactly `hold` frames are held in the end. */
		if (((u64)random_next(&state) * left) >> 32 < hold) {
			pfn_to_page(pfn)->next = held_pages;
			held_pages = pfn;
			hold--;
			held++;
		} else {
			zones_free(pfn); /* not to the per-CPU list, which would keep their order */
		}
		pfn = next;
	}
	spin_unlock(&held_lock);
	vm_stat_add(NR_HELD_PAGES, held);
	return held;
}
