/* SPDX-License-Identifier: MIT */
/*
 * entries_loops.h: the loops in vectors of four entries. entries.c includes this for each set of instructions, with
 *
 *	TARGET		attribute of functions, for the instructions that they may use
 *	NAMED(name)	the name for this set
 */

/*
 * Copies 64 entries; *last is the vector before them and becomes the last of them. Returns a bit for each entry that
 * differs from the one before it in a bit of `alike`.
 */
TARGET static inline uint64_t NAMED(copy)(uint64_t *to, const uint64_t *from, const uint64_t *ahead,
					  uint64_t alike, quad *last)
{
	quad bit = { 1, 2, 4, 8 }, bits = { 0 }, before = *last;

	for (unsigned int i = 0; i < 64; i += 4, bit <<= 4) {
		quad here = *(const quad *)(from + i);
		quad differ = here ^ __builtin_shufflevector(before, here, 3, 4, 5, 6);

		if (i % 8 == 0)
			__builtin_prefetch(ahead + i);
		*(quad *)(to + i) = here;
		bits |= (quad)((differ & alike) != 0) & bit;
		before = here;
	}
	*last = before;
	return bits[0] | bits[1] | bits[2] | bits[3];
}

TARGET static unsigned int NAMED(take)(uint64_t *to, const uint64_t *from, const void *ahead, uint64_t alike,
				       uint16_t *list)
{
	const uint64_t *next = ahead;
	unsigned int count = 0;
	quad last = { 0 };

	for (unsigned int first = 0; first < PAGE_TABLE_ENTRIES; first += 64)
		count += list_bits(list + count,
				   NAMED(copy)(to + first, from + first, next + first, alike, &last), first);
	return count;
}

/* Without a branch per entry, and without a loop over single entries at the end: most runs are short. */
TARGET static struct entries_tally NAMED(tally)(const uint64_t *entries, unsigned int count, uint64_t size,
						uint64_t bits)
{
	const uint64_t address = PTE_ADDRESS & ~(size - 1), first = entries[0];
	quad contiguous = { 0 }, differ = { 0 };
	signed_quad left = (int64_t)count - 1 - (signed_quad){ 0, 1, 2, 3 };

	for (unsigned int i = 0; i + 1 < count; i += 4, left -= 4) {
		quad here = *(const quad *)(entries + i), next = *(const quad *)(entries + i + 1);
		quad valid = (quad)(left > 0);

		/* The mask drops a carry out of the address bits. */
		contiguous -= (quad)(((next ^ (here + size)) & address) == 0) & valid;
		differ |= (next ^ first) & valid;
	}
	return (struct entries_tally){
		.differ = (differ[0] | differ[1] | differ[2] | differ[3]) & bits,
		.jumps = count - 1 -
			 (unsigned int)(contiguous[0] + contiguous[1] + contiguous[2] + contiguous[3]),
	};
}

#undef TARGET
#undef NAMED
