/* SPDX-License-Identifier: MIT */
/*
 * test_entries.c: the loops over entries do the same in vectors of every width as one entry at a time, on random tables.
 */
#include "paging/entries.h"

#include "base/page.h"
#include "tables.h"

#include <criterion/criterion.h>
#include <string.h>

#define UNUSED_LIST 0xbeef

static uint64_t from[PAGE_TABLE_ENTRIES];
static uint64_t to[PAGE_TABLE_ENTRIES + 1 + ENTRIES_SPARE];

/* A valid entry, one that differs from it in any one bit, none, and any bits at all. */
static uint64_t random_entry(uint64_t *state, uint64_t before)
{
	uint64_t random = random_next(state), entry = before + PAGE_4K;

	switch (random >> 8 & 15) {
	case 0: return 0;
	case 1: return random_next(state);
	case 2: return before;
	case 3: return entry ^ 1ull << (random >> 16 & 63);
	case 4: return before ^ 1ull << (random >> 16 & 63);
	case 5: return before ^ PTE_A;
	case 6: return entry ^ PTE_D;
	case 7: return (random_next(state) & PTE_ADDRESS) | PTE_P | PTE_W;
	default: return entry;
	}
}

static void random_table(uint64_t *state, uint64_t *table, size_t count)
{
	uint64_t entry = PTE_P | PTE_W;

	for (size_t i = 0; i < count; i++)
		table[i] = entry = random_entry(state, entry);
}

static void expect_taken(const struct entries_loops *loops, uint64_t alike)
{
	uint16_t list[PAGE_TABLE_ENTRIES + ENTRIES_SPARE + 1];
	unsigned int count = 0, taken;

	list[PAGE_TABLE_ENTRIES + ENTRIES_SPARE] = UNUSED_LIST;
	memset(to, 0, sizeof(to));
	taken = loops->take(to, from, from, alike, list);
	cr_expect_arr_eq(to, from, sizeof(from), "%s copies other entries", loops->name);
	for (unsigned int i = 1; i < PAGE_TABLE_ENTRIES; i++)
		if ((from[i] ^ from[i - 1]) & alike)
			cr_assert(count < taken && list[count++] == i, "%s: entry %u", loops->name, i);
	cr_expect_eq(taken, count, "%s lists %u for %u", loops->name, taken, count);
	cr_expect_eq(list[PAGE_TABLE_ENTRIES + ENTRIES_SPARE], UNUSED_LIST);
}

static void expect_tallied(const struct entries_loops *loops, const uint64_t *entries, unsigned int count,
			   uint64_t size, uint64_t bits)
{
	const uint64_t address = PTE_ADDRESS & ~(size - 1);
	struct entries_tally tally = loops->tally(entries, count, size, bits), slow = { 0 };

	for (unsigned int i = 1; i < count; i++) {
		slow.differ |= (entries[i] ^ entries[0]) & bits;
		slow.jumps += (entries[i] & address) != ((entries[i - 1] + size) & address);
	}
	cr_expect_eq(tally.differ, slow.differ, "%s of %u entries", loops->name, count);
	cr_expect_eq(tally.jumps, slow.jumps, "%s of %u entries: %u, not %u", loops->name, count, tally.jumps,
		     slow.jumps);
}

/* The entries after the first that differ, of a table with none, with all, and of random ones. */
Test(entries, takes_a_table)
{
	static const uint64_t alike[] = { PTE_P | PTE_W | PTE_U | PTE_NX | PTE_PS, ~0ull, PTE_P, 1ull << 63,
					  0 };
	uint64_t state = 1;

	for (unsigned int width = 0; width < ENTRIES_WIDTHS; width++) {
		const struct entries_loops *loops = entries_loops_of(width);

		for (unsigned int round = 0; loops && round < 200; round++) {
			random_table(&state, from, PAGE_TABLE_ENTRIES);
			for (size_t i = 0; round < 2 && i < PAGE_TABLE_ENTRIES; i++)
				from[i] = round && i % 2 ? 0 : PTE_P;
			for (size_t i = 0; i < sizeof(alike) / sizeof(*alike); i++)
				expect_taken(loops, alike[i]);
		}
	}
}

/* Runs of every length, at every alignment, with other entries after them. */
Test(entries, tallies_runs)
{
	static const uint64_t sizes[] = { PAGE_4K, PAGE_2M, PAGE_1G };
	uint64_t state = 2;

	for (unsigned int width = 0; width < ENTRIES_WIDTHS; width++) {
		const struct entries_loops *loops = entries_loops_of(width);

		for (unsigned int count = 1; loops && count <= PAGE_TABLE_ENTRIES; count++) {
			random_table(&state, to, sizeof(to) / sizeof(*to));
			for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
				uint64_t bits = count % 3 ? PTE_A | PTE_D : ~0ull;

				expect_tallied(loops, to, count, sizes[i], bits);
				if (count < PAGE_TABLE_ENTRIES)
					expect_tallied(loops, to + 1, count, sizes[i], bits);
			}
		}
	}
}

/* Addresses do not wrap into the flags above them, and all bits count. */
Test(entries, tallies_the_last_frame)
{
	for (unsigned int width = 0; width < ENTRIES_WIDTHS; width++) {
		const struct entries_loops *loops = entries_loops_of(width);

		if (!loops)
			continue;
		memset(to, 0xff, sizeof(to));
		to[0] = PTE_ADDRESS | PTE_P;
		to[1] = PTE_P | PTE_NX;
		to[2] = PTE_P | PTE_NX | 2 * PAGE_4K;
		for (unsigned int count = 1; count <= 3; count++) {
			expect_tallied(loops, to, count, PAGE_4K, ~0ull);
			cr_expect_eq(loops->tally(to, count, PAGE_4K, 0).jumps, count / 3);
		}
	}
}

Test(entries, has_loops_for_every_processor)
{
	cr_assert_not_null(entries_loops_of(ENTRIES_PLAIN));
	cr_expect_not_null(entries_loops());
}
