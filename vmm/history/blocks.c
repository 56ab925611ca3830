/* SPDX-License-Identifier: MIT */
/*
 * blocks.c: the buddy blocks and slabs that records say are allocated, by their first frames: a bitmap that grows up to the last
 * of them, 8 MiB at most.
 */
#include "history/internal.h"

#include <string.h>

/* Frames beyond this number (256 GiB) are not known. */
#define FRAMES_MAX (1ull << 26)

/* The word of a frame, if the bitmap has one; `grow`: made if there is none. NULL: there is none; -1 in *result: no memory. */
static uint64_t *word_of(struct history *history, uint64_t pfn, bool grow, int *result)
{
	size_t at = pfn / 64;

	*result = 0;
	while (grow && pfn < FRAMES_MAX && history->blocks.count <= at)
		if (array_push(&history->blocks, (uint64_t)0) < 0) {
			*result = no_memory(history);
			return NULL;
		}
	return at < history->blocks.count ? &history->blocks.items[at] : NULL;
}

int blocks_note(struct history *history, uint64_t pfn, bool taken)
{
	int result;
	uint64_t *word = word_of(history, pfn, taken, &result);

	if (word && taken)
		*word |= 1ull << pfn % 64;
	else if (word)
		*word &= ~(1ull << pfn % 64);
	return result;
}

bool history_has_block(const struct history *history, uint64_t pfn)
{
	return pfn / 64 < history->blocks.count && history->blocks.items[pfn / 64] >> pfn % 64 & 1;
}

bool history_knows_block(uint64_t pfn)
{
	return pfn < FRAMES_MAX;
}

uint64_t history_next_block(const struct history *history, uint64_t from)
{
	for (size_t at = from / 64; at < history->blocks.count; at++, from = at * 64) {
		uint64_t left = history->blocks.items[at] >> from % 64;

		if (left)
			return from + (uint64_t)__builtin_ctzll(left);
	}
	return UINT64_MAX;
}
