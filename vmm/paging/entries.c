/* SPDX-License-Identifier: MIT */
/*
 * entries.c: the loops over the entries of a table for each width of vectors.
 */
#include "paging/entries.h"

#include "base/page.h"

#include <immintrin.h>
#include <stdbool.h>
#include <stddef.h>

/* A table in memory is aligned for one entry at least. */
typedef uint64_t quad __attribute__((vector_size(32), aligned(8), may_alias));
typedef int64_t signed_quad __attribute__((vector_size(32)));

/* The index of the lowest bit, which is removed; anything if there is none. */
static inline __attribute__((always_inline)) uint16_t bit_pop(uint64_t *bits, unsigned int first)
{
	unsigned int bit = (unsigned int)__builtin_ctzll(*bits | 1ull << 63);

	*bits &= *bits - 1;
	return (uint16_t)(first + bit);
}

/*
 * Lists the entries of these bits, of 64 from `first` on, without the first entry of the table; returns how many. Four
 * are listed at a time, because a branch per entry is never predicted.
 */
static inline __attribute__((always_inline)) unsigned int list_bits(uint16_t *list, uint64_t bits,
								    unsigned int first)
{
	unsigned int count;

	bits &= first ? ~0ull : ~1ull;
	count = (unsigned int)__builtin_popcountll(bits);
	for (unsigned int i = 0; i < count; i += 4) {
		list[i] = bit_pop(&bits, first);
		list[i + 1] = bit_pop(&bits, first);
		list[i + 2] = bit_pop(&bits, first);
		list[i + 3] = bit_pop(&bits, first);
	}
	return count;
}

#define TARGET
#define NAMED(name) name##_plain
#include "paging/entries_loops.h"

#define TARGET      __attribute__((target("avx2,bmi,popcnt")))
#define NAMED(name) name##_avx2
#include "paging/entries_loops.h"

/*
 * Eight entries at once, with a mask register for what the loops above keep in vectors: compilers make no use of them
 * of their own accord.
 */
#define AVX512 __attribute__((target("avx512f,bmi,popcnt")))

AVX512 static inline uint64_t copy_avx512(uint64_t *to, const uint64_t *from, const uint64_t *ahead,
					  __m512i alike, __m512i *last)
{
	uint64_t bits = 0;

	for (unsigned int i = 0; i < 64; i += 8) {
		__m512i here = _mm512_loadu_si512(from + i);
		__m512i differ = _mm512_xor_si512(here, _mm512_alignr_epi64(here, *last, 7));

		__builtin_prefetch(ahead + i);
		_mm512_storeu_si512(to + i, here);
		bits |= (uint64_t)_mm512_test_epi64_mask(differ, alike) << i;
		*last = here;
	}
	return bits;
}

AVX512 static unsigned int take_avx512(uint64_t *to, const uint64_t *from, const void *ahead, uint64_t alike,
				       uint16_t *list)
{
	const uint64_t *next = ahead;
	__m512i mask = _mm512_set1_epi64((int64_t)alike), last = _mm512_setzero_si512();
	unsigned int count = 0;

	for (unsigned int first = 0; first < PAGE_TABLE_ENTRIES; first += 64)
		count += list_bits(list + count,
				   copy_avx512(to + first, from + first, next + first, mask, &last), first);
	return count;
}

/* Leaves are compared with these values, eight at a time. */
struct tally_avx512 {
	__m512i address, step, first;
	__m512i differ;
	unsigned int jumps;
};

/* Compares the leaves at entries[1] to [8] with those before them; of `valid` only. */
AVX512 static inline __attribute__((always_inline)) void tally_eight(struct tally_avx512 *tally,
								     const uint64_t *entries, __mmask8 valid)
{
	__m512i here = _mm512_loadu_si512(entries), next = _mm512_loadu_si512(entries + 1);
	__m512i jump = _mm512_xor_si512(next, _mm512_add_epi64(here, tally->step));

	tally->jumps +=
		(unsigned int)__builtin_popcount(_mm512_mask_test_epi64_mask(valid, jump, tally->address));
	tally->differ = _mm512_mask_or_epi64(tally->differ, valid, tally->differ,
					     _mm512_xor_si512(next, tally->first));
}

AVX512 static struct entries_tally tally_avx512(const uint64_t *entries, unsigned int count, uint64_t size,
						uint64_t bits)
{
	struct tally_avx512 tally = {
		.address = _mm512_set1_epi64((int64_t)(PTE_ADDRESS & ~(size - 1))),
		.step = _mm512_set1_epi64((int64_t)size),
		.first = _mm512_set1_epi64((int64_t)entries[0]),
		.differ = _mm512_setzero_si512(),
	};
	unsigned int left = count - 1;
	uint64_t differ = 0;

	for (; left >= 8; left -= 8, entries += 8)
		tally_eight(&tally, entries, 255);
	tally_eight(&tally, entries, (__mmask8)((1u << left) - 1));
	/* The sum over a vector takes as long as the loop over a short run: mostly there is nothing in it. */
	if (_mm512_test_epi64_mask(tally.differ, _mm512_set1_epi64((int64_t)bits)))
		differ = (uint64_t)_mm512_reduce_or_epi64(tally.differ) & bits;
	return (struct entries_tally){ differ, tally.jumps };
}

static const struct entries_loops loops[ENTRIES_WIDTHS] = {
	[ENTRIES_PLAIN] = { "plain", take_plain, tally_plain },
	[ENTRIES_AVX2] = { "AVX2", take_avx2, tally_avx2 },
	[ENTRIES_AVX512] = { "AVX-512", take_avx512, tally_avx512 },
};

const struct entries_loops *entries_loops_of(enum entries_width width)
{
	bool has = true;

	__builtin_cpu_init();
	if (width != ENTRIES_PLAIN)
		has = __builtin_cpu_supports("bmi") && __builtin_cpu_supports("popcnt");
	if (width == ENTRIES_AVX2)
		has &= __builtin_cpu_supports("avx2") != 0;
	if (width == ENTRIES_AVX512)
		has &= __builtin_cpu_supports("avx512f") != 0;
	return has ? &loops[width] : NULL;
}

const struct entries_loops *entries_loops(void)
{
	const struct entries_loops *fastest = NULL;

	for (unsigned int width = ENTRIES_WIDTHS; !fastest; width--)
		fastest = entries_loops_of(width - 1);
	return fastest;
}
