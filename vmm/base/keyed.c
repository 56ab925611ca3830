/* SPDX-License-Identifier: MIT */
/*
 * keyed.c: a radix sort by bytes. Most bytes of GVAs and frame numbers are the same in all keys; those cost
 * nothing.
 */
#include "base/keyed.h"

#include "base/lower_bound.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Bits in which keys differ; 0 as well if they are in order already. */
static uint64_t unsorted_bits(const struct keyed_array *array)
{
	uint64_t differ = 0;
	bool sorted = true;

	for (size_t i = 1; i < array->count; i++) {
		differ |= array->items[i].key ^ array->items[0].key;
		sorted = sorted && array->items[i - 1].key <= array->items[i].key;
	}
	return sorted ? 0 : differ;
}

static void sort_byte(const struct keyed *from, struct keyed *to, size_t count, unsigned int shift)
{
	size_t place[256] = { 0 }, next = 0;

	for (size_t i = 0; i < count; i++)
		place[from[i].key >> shift & 0xff]++;
	for (unsigned int digit = 0; digit < 256; digit++) {
		size_t here = place[digit];

		place[digit] = next;
		next += here;
	}
	for (size_t i = 0; i < count; i++)
		to[place[from[i].key >> shift & 0xff]++] = from[i];
}

int keyed_sort(struct keyed_array *array)
{
	uint64_t differ = unsorted_bits(array);
	struct keyed *from = array->items, *to;

	if (!differ)
		return 0;
	to = malloc(array->count * sizeof(*to));
	if (!to)
		return -1;
	for (unsigned int shift = 0; shift < 64; shift += 8) {
		struct keyed *sorted = to;

		if (!(differ >> shift & 0xff))
			continue;
		sort_byte(from, to, array->count, shift);
		to = from;
		from = sorted;
	}
	if (from != array->items) {
		memcpy(array->items, from, array->count * sizeof(*from));
		to = from;
	}
	free(to);
	return 0;
}

size_t keyed_find(const struct keyed_array *array, uint64_t key)
{
	return lower_bound(array->count, i, array->items[i].key < key);
}
