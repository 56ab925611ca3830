/* SPDX-License-Identifier: MIT */
/* The ring of flushes, and the host's log of its earlier entries. */
#include "damage.h"
#include "claims/layout.h"
#include "no_memory.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

TestSuite(flushes, .init = damage_begin, .fini = damage_end);

static void log_fill_from(uint64_t first, uint64_t count)
{
	struct tlb_flush *log = world_root(&world, "tlb_flush_log", struct tlb_flush);

	for (uint64_t stamp = first; stamp <= count; stamp++)
		log[stamp % TLB_FLUSH_LOG] = (struct tlb_flush){ .stamp = stamp };
	*world_root(&world, "tlb_gen", uint64_t) = count;
}

static void log_fill(uint32_t count)
{
	log_fill_from(1, count);
}

Test(flushes, a_ring_of_flushes_that_wrapped_is_read_oldest_first)
{
	uint32_t count = TLB_FLUSH_LOG + 5;

	log_fill(count);
	world_read(&world, &claims);
	cr_expect_eq(claims.damages.count, 0);
	cr_expect_eq(claims.flush_count, count);
	cr_assert_eq(claims.flushes.count, TLB_FLUSH_LOG);
	cr_expect_eq(claims.flushes.items[0].stamp, 6);
	cr_expect_eq(claims.flushes.items[TLB_FLUSH_LOG - 1].stamp, count);
}

Test(flushes, an_entry_that_is_not_written_yet_hides_all_older_ones)
{
	uint32_t count = TLB_FLUSH_LOG + 5;

	log_fill(count);
	world_root(&world, "tlb_flush_log", struct tlb_flush)[(count - 3) % TLB_FLUSH_LOG].stamp -=
		TLB_FLUSH_LOG;
	world_read(&world, &claims);
	cr_expect_eq(claims.damages.count, 0);
	cr_expect_eq(claims.flush_count, count);
	cr_assert_eq(claims.flushes.count, 3);
	cr_expect_eq(claims.flushes.items[0].stamp, count - 2);
}

/* Stamps of more than 32 bits, near the end of that and near their own. */
Test(flushes, a_generation_beyond_32_bits_is_one_number)
{
	static const uint64_t ends[] = { (1ull << 32) + 5, (1ull << 33) + 1, 1ull << 63, UINT64_MAX - 1 };
	struct flush_log flushes = { 0 };
	struct error error;

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		claims_destroy(&claims);
		log_fill_from(ends[i] - TLB_FLUSH_LOG - 8, ends[i]);
		world_read(&world, &claims);
		cr_expect_eq(claims.damages.count, 0);
		cr_expect_eq(claims.flush_generation, ends[i]);
		cr_assert_eq(claims.flushes.count, TLB_FLUSH_LOG);
		cr_expect_eq(claims.flushes.items[TLB_FLUSH_LOG - 1].stamp, ends[i]);
		cr_assert_eq(claims_take_flushes(&world.view, &world.mode, world.layout, &flushes, &error),
			     0);
		cr_expect_eq(flushes.count, TLB_FLUSH_LOG);
		cr_expect_eq(flushes.last, ends[i]);
	}
	flush_log_destroy(&flushes);
}

/* ---- the flush log ---- */

static struct flush_log flushes;

static void take(void)
{
	struct error error;

	cr_assert_eq(claims_take_flushes(&world.view, &world.mode, world.layout, &flushes, &error), 0);
}

static void read_logged(void)
{
	struct error error;

	claims_destroy(&claims);
	cr_assert_eq(claims_read_logged(&world.view, &world.mode, world.layout, &flushes, &claims, &error),
		     0);
}

/* The generation advances to `count` in steps; the host takes the new entries after each. */
static void take_up_to(uint32_t from, uint32_t count)
{
	for (uint32_t generation = from; generation < count; generation += TLB_FLUSH_LOG_HALF) {
		log_fill(generation);
		take();
	}
	log_fill(count);
}

Test(flushes, a_log_that_is_taken_in_time_has_all_flushes_since_boot)
{
	take_up_to(7, 20000);
	read_logged();
	cr_assert_eq(claims.flushes.count, 20000);
	for (uint32_t i = 0; i < 20000; i++)
		cr_assert_eq(claims.flushes.items[i].stamp, i + 1);
	cr_expect_eq(claims.damages.count, 0);
	flush_log_destroy(&flushes);
}

Test(flushes, older_entries_are_dropped_if_the_ring_wrapped_between_two_snapshots)
{
	take_up_to(7, 3 * TLB_FLUSH_LOG);
	log_fill(6 * TLB_FLUSH_LOG);
	read_logged();
	cr_assert_eq(claims.flushes.count, TLB_FLUSH_LOG);
	take();
	log_fill(6 * TLB_FLUSH_LOG + 9);
	read_logged();
	cr_assert_eq(claims.flushes.count, TLB_FLUSH_LOG + 9);
	cr_expect_eq(claims.flushes.items[0].stamp, 5 * TLB_FLUSH_LOG + 1);
	flush_log_destroy(&flushes);
}

Test(flushes, an_entry_that_is_being_written_is_taken_later)
{
	struct tlb_flush *log = world_root(&world, "tlb_flush_log", struct tlb_flush);

	log_fill(100);
	log[90].stamp = 0;
	take();
	cr_assert_eq(flushes.count, 89);
	log_fill(TLB_FLUSH_LOG);
	take();
	read_logged();
	cr_assert_eq(claims.flushes.count, TLB_FLUSH_LOG);
	flush_log_destroy(&flushes);
}

Test(flushes, a_generation_that_goes_back_or_far_ahead_only_empties_the_log)
{
	take_up_to(7, 5000);
	take();
	log_fill(3);
	read_logged();
	cr_expect_eq(claims.flushes.count, 3);
	take();
	cr_expect_eq(flushes.count, 3);
	*world_root(&world, "tlb_gen", uint64_t) = UINT32_MAX;
	take();
	cr_expect_eq(flushes.count, 0);
	*world_root(&world, "tlb_gen", uint64_t) = UINT64_MAX;
	take();
	cr_expect_eq(flushes.count, 0);
	read_logged();
	cr_expect_eq(claims.flushes.count, 0);
	flush_log_destroy(&flushes);
}

Test(flushes, a_log_is_bounded)
{
	take_up_to(TLB_FLUSH_LOG_HALF, FLUSH_LOG_MAX + 4 * TLB_FLUSH_LOG);
	take();
	cr_expect_leq(flushes.count, FLUSH_LOG_MAX);
	cr_expect_geq(flushes.count, FLUSH_LOG_MAX / 2);
	read_logged();
	cr_assert_eq(claims.flushes.count, flushes.count);
	cr_expect_eq(claims.flushes.items[claims.flushes.count - 1].stamp, claims.flush_count);
	flush_log_destroy(&flushes);
}

/* ---- limits ---- */

static void expect_missing(uint32_t missing, bool too_many)
{
	struct tlb_flush *log = world_root(&world, "tlb_flush_log", struct tlb_flush);

	log_fill(20);
	for (uint32_t i = 0; i < missing; i++)
		log[5 + i].stamp = 0;
	claims_destroy(&claims);
	world_read(&world, &claims);
	cr_expect_eq(claims.flushes.count, 20 - 4 - missing);
	if (too_many)
		EXPECT_DAMAGES(&claims,
			       { "V9", FLUSH(0), missing,
				 "tlb_flush_log: more entries are missing than CPUs can be writing" });
	else
		cr_expect_eq(claims.damages.count, 0);
}

Test(flushes, two_entries_of_each_cpu_may_be_missing)
{
	expect_missing(2, false);
	expect_missing(3, true);
	*world_root(&world, "arch_nr_cpus", uint32_t) = 3;
	expect_missing(6, false);
	expect_missing(7, true);
}

Test(flushes, a_damaged_entry_is_left_out)
{
	struct tlb_flush *log = world_root(&world, "tlb_flush_log", struct tlb_flush);

	log_fill(20);
	log[10].begun = 10;
	world_read(&world, &claims);
	EXPECT_DAMAGES(&claims, { "V9", FLUSH(10), 10, "tlb_flush_log: flush that ended before it began" });
	cr_expect_eq(claims.flushes.count, 10);
	claims_destroy(&claims);
	log[10].begun = 9;
	world_read(&world, &claims);
	cr_expect_eq(claims.damages.count, 0);
	cr_expect_eq(claims.flushes.count, 20);
	claims_destroy(&claims);
	log[10].stamp = 9;
	world_read(&world, &claims);
	EXPECT_DAMAGES(&claims,
		       { "V9", FLUSH(10), 9, "tlb_flush_log: stamp of another slot, or ahead of tlb_gen" });
	cr_expect_eq(claims.flushes.count, 10);
	claims_destroy(&claims);
	log[10].stamp = 10 + TLB_FLUSH_LOG;
	world_read(&world, &claims);
	EXPECT_DAMAGES(&claims, { "V9", FLUSH(10), 10 + TLB_FLUSH_LOG,
				  "tlb_flush_log: stamp of another slot, or ahead of tlb_gen" });
}

Test(flushes, the_ring_holds_as_many_as_it_has_slots)
{
	for (uint32_t count = TLB_FLUSH_LOG - 1; count <= TLB_FLUSH_LOG + 1; count++) {
		log_fill(count);
		claims_destroy(&claims);
		world_read(&world, &claims);
		cr_expect_eq(claims.damages.count, 0);
		cr_expect_eq(claims.flushes.count, count < TLB_FLUSH_LOG ? count : TLB_FLUSH_LOG);
		cr_expect_eq(claims.flushes.items[0].stamp, count <= TLB_FLUSH_LOG ? 1 : 2);
	}
}

Test(flushes, a_log_is_continued_if_the_ring_begins_at_its_end)
{
	for (uint32_t more = 0; more < 2; more++) {
		const uint32_t taken = 100, count = taken + TLB_FLUSH_LOG + more;

		log_fill(taken);
		take();
		cr_expect_eq(flushes.last, taken);
		log_fill(count);
		read_logged();
		cr_expect_eq(claims.damages.count, 0);
		cr_expect_eq(claims.flushes.count, more ? TLB_FLUSH_LOG : count);
		take();
		cr_expect_eq(flushes.count, more ? TLB_FLUSH_LOG : count);
		cr_expect_eq(flushes.last, count);
		for (size_t i = 0; i < flushes.count; i++)
			cr_assert_eq(flushes.items[i].stamp, count - flushes.count + 1 + i);
		flush_log_destroy(&flushes);
		cr_expect(!flushes.items && !flushes.count && !flushes.last);
	}
}

/* A log whose last entry is that of the generation has nothing to take from the ring. */
Test(flushes, a_log_that_is_at_the_generation_is_whole)
{
	log_fill(100);
	take();
	memset(world_root(&world, "tlb_flush_log", struct tlb_flush), 0, 200 * sizeof(struct tlb_flush));
	take();
	cr_expect_eq(flushes.count, 100);
	read_logged();
	cr_expect_eq(claims.flushes.count, 100);
	cr_expect_eq(claims.damages.count, 0);
	flush_log_destroy(&flushes);
}

Test(flushes, a_full_log_drops_its_older_half)
{
	flushes.items = calloc(FLUSH_LOG_MAX, sizeof(*flushes.items));
	flushes.count = flushes.capacity = FLUSH_LOG_MAX;
	flushes.last = FLUSH_LOG_MAX;
	for (uint32_t i = 0; i < FLUSH_LOG_MAX; i++)
		flushes.items[i].stamp = i + 1;
	log_fill(FLUSH_LOG_MAX + 5);
	for (uint32_t i = 0; i < 5; i++)
		world_root(&world, "tlb_flush_log",
			   struct tlb_flush)[(FLUSH_LOG_MAX + 1 + i) % TLB_FLUSH_LOG] =
			(struct tlb_flush){ .stamp = FLUSH_LOG_MAX + 1 + i, .begun = 9, .cpu = i };
	take();
	cr_assert_eq(flushes.count, FLUSH_LOG_MAX / 2 + 5);
	for (uint32_t i = 0; i < flushes.count; i++)
		cr_assert_eq(flushes.items[i].stamp, FLUSH_LOG_MAX / 2 + 1 + i);
	cr_expect_eq(flushes.items[flushes.count - 1].cpu, 4);
	flush_log_destroy(&flushes);
}

Test(flushes, what_cannot_be_read_or_stored_ends_a_take)
{
	struct error error;

	log_fill(PAGE_SIZE / sizeof(struct tlb_flush) + 9);
	*world_pte(&world, ROOT("tlb_flush_log") + PAGE_SIZE, 1) = 0;
	take();
	cr_expect_eq(flushes.count, PAGE_SIZE / sizeof(struct tlb_flush) - 1);
	flush_log_destroy(&flushes);
	world_root(&world, "tlb_flush_log", struct tlb_flush)[7].begun = 7;
	take();
	cr_expect_eq(flushes.count, 6);
	flush_log_destroy(&flushes);
	no_memory_at(1);
	cr_expect_eq(claims_take_flushes(&world.view, &world.mode, world.layout, &flushes, &error), -1);
	cr_expect(error.kind == ERROR_HOST && !error.errnum && !error.address);
	cr_expect_str_eq(error.text, "out of memory for the log of flushes");
	flush_log_destroy(&flushes);
	/* tlb_gen that is not mapped is a damage of claims that are not kept. */
	world.layout->roots[ROOT_tlb_gen].gva = NOWHERE;
	take();
	cr_expect_eq(flushes.count, 0);
}
