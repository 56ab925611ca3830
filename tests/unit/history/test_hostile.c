/* SPDX-License-Identifier: MIT */
/*
 * test_hostile.c: logs that cannot be. Each is a finding that names what cannot be, and nothing else happens.
 */
#include "guest.h"

#include "base/x86.h"
#include "kvmap/boot.h"

static struct guest guest;

static void expect_damaged(const char *what)
{
	struct history_finding finding = guest_expect(&guest, HISTORY_LOG_DAMAGED);

	cr_expect_str_eq(finding.what ? finding.what : "", what);
}

Test(hostile_log, records_that_cannot_be)
{
	static const struct {
		uint64_t what, first, second;
		uint32_t count;
		const char *wrong;
	} records[] = {
		{ 0, 0, 0, 0, "a record of an unknown kind" },
		{ 15, 0, 0, 0, "a record of an unknown kind" },
		{ KVMAP_LOG_STORE, 0, 0, 0, "a record with a wrong number of pairs" },
		{ KVMAP_LOG_TABLE, 0, 0, 1, "a record with a wrong number of pairs" },
		{ KVMAP_LOG_WAKE, 0, 0, 1, "a record with a wrong number of pairs" },
		{ KVMAP_LOG_ROUND, 0, 0, 5, "a record with a wrong number of pairs" },
		{ KVMAP_LOG_STORE | KVMAP_LOG_LEVEL(1), 0, 0, 1,
		  "a store to an entry of neither the vmalloc space nor the image" },
		{ PAGE(0) | KVMAP_LOG_STORE, 0, 0, 1,
		  "a store to an entry of neither the vmalloc space nor the image" },
		{ PAGE(0) | KVMAP_LOG_STORE | KVMAP_LOG_LEVEL(4), 0, 0, 1,
		  "a store to an entry of neither the vmalloc space nor the image" },
		{ PAGE(511) | KVMAP_LOG_STORE | KVMAP_LOG_LEVEL(1), 0, 0, 2,
		  "a store to entries without a page table" },
		{ PAGE(512) | KVMAP_LOG_STORE | KVMAP_LOG_LEVEL(1), 0, 0, 1,
		  "a store to entries without a page table" },
		{ KVMAP_LOG_TABLE, 0x2ff000, 0, 2, "a new table below what is no page table" },
		{ KVMAP_LOG_TABLE, UINT64_MAX, 0, 2, "a new table below what is no page table" },
		{ PAGE(1) | KVMAP_LOG_FLUSH, PAGE(0), 0, 1, "a flush that ended before it began" },
		{ PAGE(0) | KVMAP_LOG_FLUSH, PAGE(1), 1, 1, "a flush that ended before it began" },
		{ PAGE(0) | KVMAP_LOG_FLUSH, PAGE(1), UINT64_MAX, 1, "a flush that ended before it began" },
		{ KVMAP_LOG_ROUND, 2, 1, 1, "a range that ends before it begins" },
		{ KVMAP_LOG_ROUND_DONE | 9 << 12, 0, 0, 0, "the end of a round that was not requested" },
		{ KVMAP_LOG_IDLE | 9 << 12, 0, 0, 0, "another CPU that is idle" },
		{ KVMAP_LOG_WAKE | 1 << 12, 0, 0, 0, "another CPU that wakes" },
		{ KVMAP_LOG_FRAMES_TAKEN, UINT64_MAX, 0, 1, "frames outside of what an entry can address" },
		{ ~0xfffull | KVMAP_LOG_FRAMES_RETURNED, 1, 0, 1,
		  "frames outside of what an entry can address" },
		{ KVMAP_LOG_RANGE_TAKEN, PAGE(1), 0, 1, "a range outside of the vmalloc space" },
		{ PAGE(1) | KVMAP_LOG_RANGE_TAKEN, PAGE(0), 0, 1, "a range outside of the vmalloc space" },
		{ PAGE(0) | KVMAP_LOG_RANGE_RETURNED, UINT64_MAX, 0, 1,
		  "a range outside of the vmalloc space" },
	};

	for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++) {
		const struct kvmap_log_pair pairs[5] = { { records[i].first, records[i].second } };

		guest_start(&guest, KVMAP_POLICY_STRICT);
		guest_record(&guest, 0, records[i].what, records[i].count, pairs);
		expect_damaged(records[i].wrong);
	}
}

Test(hostile_log, positions_and_lengths_that_cannot_be)
{
	static const uint64_t ends[] = { 0x1000, KVMAP_DIRECT_BASE + LOG_GPA,
					 KVMAP_DIRECT_BASE + LOG_GPA + 72,
					 KVMAP_DIRECT_BASE + LOG_GPA + LOG_SIZE + 16, UINT64_MAX };

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		guest_start(&guest, KVMAP_POLICY_STRICT);
		guest_log(&guest, 0, false)->next = ends[i];
		expect_damaged("an end outside of the log, or before what was read");
	}
	guest_start(&guest, KVMAP_POLICY_STRICT);
	guest_log(&guest, 0, false)->laps = 2;
	expect_damaged("a number of laps that cannot be");
	guest_start(&guest, KVMAP_POLICY_STRICT);
	guest_record(&guest, 0, KVMAP_LOG_WAKE, 0, NULL)->count = UINT32_MAX;
	expect_damaged("a record that ends after its log");
	guest_start(&guest, KVMAP_POLICY_STRICT);
	guest_record(&guest, 0, KVMAP_LOG_WAKE, 0, NULL)->count = 1;
	expect_damaged("a record that ends after its log");
}

Test(hostile_log, numbers_that_cannot_be)
{
	static const uint32_t numbers[] = { 0, 1, UINT32_MAX };

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		guest_start(&guest, KVMAP_POLICY_STRICT);
		guest_number(&guest, 0, KVMAP_LOG_BEGIN, 1);
		cr_expect_eq(guest_take(&guest)->count, 0);
		guest_record(&guest, 0, KVMAP_LOG_OPERATION, 0, NULL)->seq = numbers[i];
		expect_damaged("a number that another record had");
	}
	/* Two records with one number. */
	guest_start(&guest, KVMAP_POLICY_STRICT);
	guest_number(&guest, 0, KVMAP_LOG_BEGIN, 1);
	guest.seq = 0;
	guest_number(&guest, 1, KVMAP_LOG_BEGIN, 1);
	expect_damaged("a number that another record had");
}

Test(hostile_log, rounds_without_an_end_are_bounded)
{
	guest_start(&guest, KVMAP_POLICY_STRICT);
	for (unsigned int i = 0; i < 65; i++)
		guest_pair(&guest, 0, KVMAP_LOG_ROUND, 0, 1);
	expect_damaged("more rounds of flushes than CPUs can have requested");
}

Test(hostile_log, findings_are_bounded)
{
	guest_start(&guest, KVMAP_POLICY_STRICT);
	for (unsigned int i = 0; i < 5; i++) {
		for (unsigned int j = 0; j < 250; j++)
			guest_record(&guest, i % CPUS, 0, 0, NULL);
		cr_expect_eq(history_take(guest.history, &guest.tables.view, &guest.error), 0);
	}
	cr_expect_eq(guest_stop(&guest)->count, 1024);
	guest_expect_clean(&guest);
}

/* A table that leads to itself: the walk ends. */
Test(hostile_log, tables_that_lead_to_themselves_are_walked_once)
{
	guest_start(&guest, KVMAP_POLICY_STRICT);
	*tables_slot(&guest.tables, guest.tables.mode.root, 5) = guest.tables.mode.root | PTE_P | PTE_W;
	cr_expect_eq(guest_stop(&guest)->count, 1);
	guest_expect_clean(&guest);
}
