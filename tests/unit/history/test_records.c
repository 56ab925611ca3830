/* SPDX-License-Identifier: MIT */
/*
 * test_records.c: stores, frames, ranges and operations.
 */
#include "guest.h"

#include "base/x86.h"
#include "kvmap/boot.h"

static struct guest guest;

Test(history, a_guest_that_logs_what_it_does_has_no_finding)
{
	guest_start(&guest, KVMAP_POLICY_STRICT);
	guest_store(&guest, 0, 1, ENTRY(1), KVMAP_LOG_OWN);
	guest_store(&guest, 1, 1, 0, 0);
	guest_flush_all(&guest, 0);
	guest_flush_all(&guest, 1);
	guest_store(&guest, 0, 1, ENTRY(2), KVMAP_LOG_OWN);
	cr_expect_eq(guest_stop(&guest)->count, 0);
	cr_expect_eq(history_stats(guest.history)->records, 5);
	cr_expect_eq(history_stats(guest.history)->stores, 3);
	cr_expect_eq(history_stats(guest.history)->flushes, 2);
	cr_expect_eq(history_stats(guest.history)->needless, 0);
	cr_expect_eq(history_stats(guest.history)->entries_compared, 4 * 512);
	cr_expect_gt(history_new_checks(guest.history), 4 * 512);
	cr_expect_eq(history_new_checks(guest.history), 0);
	guest_expect_clean(&guest);
}

Test(history, an_entry_that_was_written_without_a_record_is_found_at_the_stop)
{
	struct history_finding finding;

	guest_start(&guest, KVMAP_POLICY_STRICT);
	*tables_entry(&guest.tables, PAGE(0), 1) &= ~PTE_W;
	cr_expect_eq(guest_take(&guest)->count, 0, "only a stop compares");
	finding = guest_expect(&guest, HISTORY_ENTRY);
	cr_expect_eq(finding.va, PAGE(0));
	cr_expect_eq(finding.claimed ^ finding.found, PTE_W);
}

Test(history, an_entry_is_found_once)
{
	guest_start(&guest, KVMAP_POLICY_STRICT);
	*tables_entry(&guest.tables, PAGE(3), 1) = ENTRY(3);
	cr_expect_eq(guest_stop(&guest)->count, 1);
	guest_expect_clean(&guest);
}

Test(history, accessed_and_dirty_bits_are_no_difference)
{
	guest_start(&guest, KVMAP_POLICY_STRICT);
	*tables_entry(&guest.tables, PAGE(0), 1) |= PTE_A | PTE_D;
	guest_expect_clean(&guest);
}

Test(history, a_record_without_its_store_is_found)
{
	struct history_finding finding;

	guest_start(&guest, KVMAP_POLICY_STRICT);
	guest_pair(&guest, 0, PAGE(1) | KVMAP_LOG_STORE | KVMAP_LOG_LEVEL(1), 0, ENTRY(1));
	finding = guest_expect(&guest, HISTORY_ENTRY);
	cr_expect_eq(finding.claimed, ENTRY(1));
	cr_expect_eq(finding.found, 0);
}

Test(history, an_old_value_that_no_record_leads_to_is_found)
{
	struct history_finding finding;

	guest_start(&guest, KVMAP_POLICY_STRICT);
	*tables_entry(&guest.tables, PAGE(0), 1) = ENTRY(9);
	guest_store(&guest, 0, 0, 0, 0);
	finding = guest_expect(&guest, HISTORY_OLD_VALUE);
	cr_expect_eq(finding.claimed, ENTRY(9));
	cr_expect_eq(finding.found & PTE_ADDRESS, FRAME(0));
}

Test(history, a_control_register_that_changed_is_found)
{
	guest_start(&guest, KVMAP_POLICY_STRICT);
	guest.tables.view.cpus[1].cr3 += K4;
	cr_expect_eq(guest_expect(&guest, HISTORY_REGISTER).cpu, 1);
}

Test(history, a_new_table_is_linked_empty)
{
	uint64_t *entry, old;
	struct kvmap_log_pair pairs[2] = { { 0, 0 }, { 0, 0 } };

	guest_start(&guest, KVMAP_POLICY_STRICT);
	entry = tables_entry(&guest.tables, PAGE(512), 2);
	old = *entry;
	*entry = tables_new(&guest.tables) | PTE_P | PTE_W;
	pairs[0] = (struct kvmap_log_pair){ (uint64_t)((uint8_t *)entry - guest.tables.low), old };
	pairs[1].first = *entry;
	guest_record(&guest, 0, KVMAP_LOG_TABLE, 2, pairs);
	guest_store(&guest, 0, 512, ENTRY(5), KVMAP_LOG_OWN);
	guest_expect_clean(&guest);
}

Test(history, a_frame_is_used_again_where_an_entry_for_it_comes_in)
{
	static const struct {
		uint32_t policy;
		bool flushed, own;
		size_t findings;
	} ways[] = {
		{ KVMAP_POLICY_STRICT, false, true, 2 }, /* both CPUs */
		{ KVMAP_POLICY_STRICT, true, true, 0 },
		{ KVMAP_POLICY_LAZY, false, true, 0 },
		{ KVMAP_POLICY_EAGER, false, true, 2 },
		{ KVMAP_POLICY_STRICT, false, false, 0 }, /* an alias of the same owner */
	};

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		const struct history_findings *findings;

		guest_start(&guest, ways[i].policy);
		guest_store(&guest, 0, 0, 0, 0);
		for (unsigned int cpu = 0; ways[i].flushed && cpu < CPUS; cpu++)
			guest_flush(&guest, cpu, 0, guest.seq);
		guest_store(&guest, 0, 4, ENTRY(0), ways[i].own ? KVMAP_LOG_OWN : 0);
		findings = guest_stop(&guest);
		cr_expect_eq(findings->count, ways[i].findings, "way %zu: %zu", i, findings->count);
		for (size_t j = 0; j < findings->count; j++)
			cr_expect_eq(findings->items[j].tlb.rule, TLB_RULE_FRAME_REUSE);
		guest_end(&guest);
	}
}

Test(history, an_address_is_used_again_where_an_entry_for_it_comes_in)
{
	guest_start(&guest, KVMAP_POLICY_LAZY);
	guest_store(&guest, 0, 0, 0, 0);
	guest_flush(&guest, 0, 0, guest.seq);
	guest_store(&guest, 0, 0, ENTRY(7), KVMAP_LOG_OWN);
	cr_expect_eq(guest_expect(&guest, HISTORY_RULE).tlb.rule, TLB_RULE_RANGE_REUSE);
}

Test(history, nothing_waits_after_a_promise_of_an_operation_that_ran_alone)
{
	/* Alone; another one ran when it began; another one began meanwhile; one followed. */
	for (unsigned int way = 0; way < 4; way++) {
		guest_start(&guest, KVMAP_POLICY_STRICT);
		if (way == 1)
			guest_number(&guest, 1, KVMAP_LOG_BEGIN, 1);
		guest_number(&guest, 0, KVMAP_LOG_BEGIN, 7);
		if (way == 2) {
			guest_number(&guest, 1, KVMAP_LOG_BEGIN, 1);
			guest_number(&guest, 1, KVMAP_LOG_OPERATION, 1);
		}
		guest_number(&guest, 0, KVMAP_LOG_OPERATION, 7);
		if (way == 3)
			guest_number(&guest, 0, KVMAP_LOG_BEGIN, 1);
		cr_expect_eq(guest_stop(&guest)->count, 0);
		cr_expect_eq(history_is_purged(guest.history), way == 0, "way %u", way);
		guest_end(&guest);
	}
}

Test(history, a_promise_is_of_what_had_returned_when_the_operation_began)
{
	/* Unmapped by an operation that has returned; by one that has not; and flushed. */
	for (unsigned int way = 0; way < 3; way++) {
		guest_start(&guest, KVMAP_POLICY_STRICT);
		guest_number(&guest, 1, KVMAP_LOG_BEGIN, 6);
		guest_store(&guest, 1, 0, 0, 0);
		if (way != 1)
			guest_number(&guest, 1, KVMAP_LOG_OPERATION, 6);
		guest_number(&guest, 0, KVMAP_LOG_BEGIN, 7);
		for (unsigned int cpu = 0; cpu < CPUS - (way != 2); cpu++)
			guest_flush_all(&guest, cpu);
		guest_number(&guest, 0, KVMAP_LOG_OPERATION, 7);
		if (way)
			guest_expect_clean(&guest);
		else
			cr_expect_eq(guest_expect(&guest, HISTORY_RULE).tlb.rule, TLB_RULE_FLUSH_PROMISED);
	}
}
