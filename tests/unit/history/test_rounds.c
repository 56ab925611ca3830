/* SPDX-License-Identifier: MIT */
/*
 * test_rounds.c: flushes and rounds of flushes, and the order of the records of several CPUs.
 */
#include "guest.h"

#include "kvmap/boot.h"

static struct guest guest;

/* Requests a round of everything; returns its number. */
static uint32_t request(unsigned int cpu)
{
	guest_pair(&guest, cpu, KVMAP_LOG_ROUND, 0, UINT64_MAX);
	return guest.seq;
}

Test(rounds, a_round_is_complete_after_a_flush_of_each_cpu)
{
	/* Both flush; one does not; one flushes too little; one began before the request. */
	for (unsigned int way = 0; way < 4; way++) {
		uint32_t round;

		guest_start(&guest, KVMAP_POLICY_STRICT);
		guest_number(&guest, 0, KVMAP_LOG_BEGIN, 1);
		round = request(0);
		guest_flush_all(&guest, 0);
		if (way == 0)
			guest_flush_all(&guest, 1);
		if (way == 2)
			guest_flush(&guest, 1, 0, guest.seq);
		if (way == 3)
			guest_pair(&guest, 1, KVMAP_LOG_FLUSH, UINT64_MAX, round - 1);
		guest_number(&guest, 0, KVMAP_LOG_ROUND_DONE, round);
		if (way == 0)
			guest_expect_clean(&guest);
		else
			cr_expect_eq(guest_expect(&guest, HISTORY_ROUND_EARLY).cpu, 1, "way %u", way);
	}
}

Test(rounds, an_idle_cpu_flushes_before_it_wakes)
{
	for (unsigned int flushed = 0; flushed < 2; flushed++) {
		uint32_t round;

		guest_start(&guest, KVMAP_POLICY_STRICT);
		guest_number(&guest, 1, KVMAP_LOG_IDLE, 1);
		round = request(0);
		guest_flush_all(&guest, 0);
		guest_number(&guest, 0, KVMAP_LOG_ROUND_DONE, round);
		cr_expect_eq(guest_stop(&guest)->count, 0);
		cr_expect_eq(history_must_flush(guest.history, 1), round);
		cr_expect_eq(history_must_flush(guest.history, 0), 0);
		if (flushed)
			guest_flush_all(&guest, 1);
		cr_expect_eq(guest_take(&guest)->count, 0);
		cr_expect_eq(history_must_flush(guest.history, 1), flushed ? 0 : round);
		guest_number(&guest, 1, KVMAP_LOG_WAKE, 1);
		if (flushed)
			guest_expect_clean(&guest);
		else
			cr_expect_eq(guest_expect(&guest, HISTORY_WOKE_UNFLUSHED).claimed, round);
	}
}

Test(rounds, a_flush_covers_what_was_stored_before_it_began)
{
	for (unsigned int late = 0; late < 2; late++) {
		uint32_t begun;

		guest_start(&guest, KVMAP_POLICY_STRICT);
		guest_number(&guest, 0, KVMAP_LOG_BEGIN, 1);
		begun = guest.seq;
		guest_store(&guest, 0, 0, 0, 0);
		guest_flush(&guest, 0, 0, guest.seq);
		guest_flush(&guest, 1, 0, late ? begun : guest.seq - 1);
		guest_store(&guest, 0, 0, ENTRY(3), KVMAP_LOG_OWN);
		if (late)
			cr_expect_eq(guest_expect(&guest, HISTORY_RULE).tlb.debt.cpu, 1);
		else
			guest_expect_clean(&guest);
	}
}

Test(rounds, a_second_log_is_of_the_same_cpu_and_the_order_is_that_of_the_numbers)
{
	struct kvmap_log *second;
	struct kvmap_log_record *record;

	guest_start(&guest, KVMAP_POLICY_STRICT);
	guest_store(&guest, 0, 0, 0, 0);
	/* CPU 1 flushes in its handler; the record is written later than the next one of CPU 0. */
	guest.seq++;
	guest_flush(&guest, 0, 0, guest.seq - 1);
	guest_store(&guest, 0, 0, ENTRY(3), KVMAP_LOG_OWN);
	cr_expect_eq(guest_take(&guest)->count, 0);
	cr_expect_eq(history_stats(guest.history)->records, 1, "what follows waits for number 2");
	second = guest_log(&guest, 1, true);
	record = second->record;
	record->what = KVMAP_LOG_FLUSH;
	record->seq = 2;
	record->count = 1;
	record->pair[0] = (struct kvmap_log_pair){ UINT64_MAX, 1 };
	second->next += sizeof(*record) + sizeof(record->pair[0]);
	cr_expect_eq(guest_take(&guest)->count, 0);
	cr_expect_eq(history_stats(guest.history)->records, 4);
	guest_expect_clean(&guest);
}

Test(rounds, a_number_that_is_missing_at_a_stop_is_found)
{
	struct history_finding finding;

	guest_start(&guest, KVMAP_POLICY_STRICT);
	guest_number(&guest, 0, KVMAP_LOG_BEGIN, 1);
	guest.seq += 3;
	guest_number(&guest, 0, KVMAP_LOG_OPERATION, 1);
	cr_expect_eq(guest_take(&guest)->count, 0, "a CPU may be about to write it");
	finding = guest_expect(&guest, HISTORY_LOG_LOST);
	cr_expect_eq(finding.claimed, 3);
	cr_expect_eq(finding.found, 2);
}

Test(rounds, a_log_that_began_again_is_read_from_its_first_record)
{
	struct kvmap_log *log;

	guest_start(&guest, KVMAP_POLICY_STRICT);
	guest_number(&guest, 0, KVMAP_LOG_BEGIN, 1);
	cr_expect_eq(guest_take(&guest)->count, 0);
	log = guest_log(&guest, 0, false);
	log->laps = 1;
	log->next = KVMAP_DIRECT_BASE + LOG_GPA + sizeof(*log);
	guest_number(&guest, 0, KVMAP_LOG_OPERATION, 1);
	cr_expect_eq(guest_stop(&guest)->count, 0);
	cr_expect_eq(history_stats(guest.history)->records, 2);
	cr_expect_eq(history_stats(guest.history)->laps, 1);
	guest_expect_clean(&guest);
}
