/* SPDX-License-Identifier: MIT */
/*
 * test_file.c: events in a file: the same verdict when they are replayed, and files that lie.
 */
#include "world.h"

#include "no_memory.h"
#include "tlb/event_file.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct world world;

/* A recording of a stream with two findings, whose tables are read by the callback. */
static char *record(size_t *size, uint64_t *matches)
{
	static struct event_recorder recorder;
	struct error error = { 0 };
	char *bytes = NULL;
	FILE *stream = open_memstream(&bytes, size);
	const struct tlb_event events[] = {
		{ .kind = TLB_CR4, .cpu = 1, .value = CR4_PAE },
		{ .kind = TLB_CR3, .cpu = 1, .value = PAGE_4K },
		{ .kind = TLB_CR0, .cpu = 1, .value = CR0_PE | CR0_PG | CR0_WP },
		{ .kind = TLB_STORE, .address = 4 * PAGE_4K, .value = 0, .thread = 3 },
		{ .kind = TLB_OPERATION_END, .thread = 3 },
		{ .kind = TLB_ACCESS,
		  .cpu = 1,
		  .address = KERNEL,
		  .flags = TLB_ACCESS_USED,
		  .value = FRAME(1) },
		{ .kind = TLB_RANGE_TAKEN, .cpu = 1, .address = KERNEL, .value = KERNEL + PAGE_4K },
		{ .kind = TLB_INVLPG, .cpu = 1, .address = KERNEL },
		{ .kind = TLB_IPI, .value = UINT64_MAX },
	};

	world_init(&world);
	world_map(&world, KERNEL, FRAME(1), 1, RW);
	cr_assert_eq(event_recorder_create(&recorder, stream, &world.config, &error), 0, "%s", error.text);
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
		cr_assert_eq(event_recorder_feed(&recorder, &events[i], &error), 0, "%s", error.text);
	event_recorder_end(&recorder);
	fclose(stream);
	*matches = 0;
	for (unsigned int i = 0; i < TLB_RULE_COUNT; i++)
		*matches = *matches * 8 + tlb_matches(recorder.tlb, i);
	cr_assert_eq(tlb_finding_count(recorder.tlb), 2);
	cr_assert_eq(tlb_findings(recorder.tlb)->items[0].seq, 6);
	tlb_destroy(recorder.tlb);
	return bytes;
}

/* 0, or -1 with the error. */
static int replay(const void *bytes, size_t size, struct tlb **out, struct error *error)
{
	struct event_reader reader;
	struct tlb_event event;
	int result;

	*out = NULL;
	if (event_reader_open(&reader, bytes, size, "a.events", error) < 0 ||
	    tlb_create(&reader.config, out, error) < 0)
		return -1;
	while ((result = event_reader_next(&reader, &event, error)) > 0)
		if (tlb_feed(*out, &event, error) < 0)
			return -1;
	return result;
}

Test(tlb_file, a_replay_has_the_same_verdict)
{
	struct error error = { 0 };
	uint64_t matches, replayed = 0;
	struct tlb *tlb;
	size_t size;
	char *bytes = record(&size, &matches);

	cr_assert_eq(replay(bytes, size, &tlb, &error), 0, "%s", error.text);
	for (unsigned int i = 0; i < TLB_RULE_COUNT; i++)
		replayed = replayed * 8 + tlb_matches(tlb, i);
	cr_expect_eq(replayed, matches);
	cr_assert_eq(tlb_findings(tlb)->count, 2);
	cr_expect_eq(tlb_findings(tlb)->items[0].seq, 6, "events have the numbers that they had");
	cr_expect_eq(tlb_findings(tlb)->items[0].rule, TLB_RULE_STALE_USE);
	cr_expect_eq(tlb_findings(tlb)->items[0].debt.since, 4);
	cr_expect_eq(tlb_seq(tlb), 9);
	cr_expect_eq(tlb_stats(tlb)->events[TLB_PAGE], 4, "the tables that were read");
	tlb_destroy(tlb);
	free(bytes);
}

Test(tlb_file, a_truncated_file_is_refused_with_the_offset)
{
	struct error error = { 0 };
	uint64_t matches;
	struct tlb *tlb;
	size_t size;
	char *bytes = record(&size, &matches), offset[40];

	for (size_t length = 0; length < size; length++) {
		char *copy = malloc(length ? length : 1);

		memcpy(copy, bytes, length);
		cr_expect_eq(replay(copy, length, &tlb, &error), -1, "%zu bytes", length);
		cr_expect_eq(error.kind, ERROR_INPUT);
		snprintf(offset, sizeof(offset), "a.events: offset %zu: ", length < 8 ? 0 : length);
		cr_expect(!strncmp(error.text, offset, strlen(offset)), "%zu bytes: %s", length, error.text);
		tlb_destroy(tlb);
		free(copy);
	}
	free(bytes);
}

/* Replaces bytes at `offset` of the recording, and expects a refusal there. */
static void expect_refusal(size_t offset, size_t length, const char *with, size_t refused_at, const char *why)
{
	struct error error = { 0 };
	uint64_t matches;
	struct tlb *tlb;
	size_t size;
	char *bytes = record(&size, &matches);

	memcpy(bytes + offset, with, length);
	cr_expect_eq(replay(bytes, size, &tlb, &error), -1, "%s", why);
	cr_expect_eq(error.address, refused_at, "%s: %s", why, error.text);
	cr_expect(strstr(error.text, why), "%s", error.text);
	tlb_destroy(tlb);
	free(bytes);
}

Test(tlb_file, what_cannot_be_is_refused_with_the_offset)
{
	size_t first = EVENT_FILE_HEADER_SIZE, page = first + 3 * 12 - 12;

	expect_refusal(0, 1, "X", 0, "not a file of TLB events");
	expect_refusal(8, 1, "\2", 8, "another version");
	expect_refusal(12, 1, "\0", 12, "number of CPUs");
	expect_refusal(14, 1, "\1", 12, "number of CPUs");
	expect_refusal(19, 1, "\1", 12, "rules that this version");
	expect_refusal(20, 1, "\4", 12, "flags that this version");
	expect_refusal(31, 1, "\1", 12, "limit of the model");
	expect_refusal(36, 1, "\0", 12, "limit of the model");
	expect_refusal(56, 8, "\1\0\0\0\0\0\0\0", 12, "a range that ends");
	expect_refusal(first, 1, "\377", first, "unknown kind");
	expect_refusal(first + 1, 1, "\1", first, "unknown flags");
	expect_refusal(first + 2, 1, "\2", first, "a CPU that there is not");
	/* The first page: its address, then the index of its first entry. */
	expect_refusal(page + 4, 1, "\1", page, "no GPA of a page");
	expect_refusal(page + 14, 2, "\0\2", page, "do not ascend below 512");
}

Test(tlb_file, entries_of_a_page_are_written_once_and_in_order)
{
	static const uint8_t indices[][2] = { { 1, 2 }, { 2, 2 }, { 2, 1 } };
	struct error error = { 0 };

	for (size_t i = 0; i < 3; i++) {
		uint8_t page[4 + 8 + 2 + 20] = { TLB_PAGE };
		struct event_reader reader;
		struct tlb_event event;

		page[12] = 2;
		page[14] = indices[i][0];
		page[24] = indices[i][1];
		reader = (struct event_reader){
			.bytes = page, .size = sizeof(page), .name = "a.events", .config.cpus = 1
		};
		cr_expect_eq(event_reader_next(&reader, &event, &error), i ? -1 : 1, "case %zu", i);
	}
}

Test(tlb_file, bytes_after_the_end_are_refused)
{
	struct error error = { 0 };
	uint64_t matches;
	struct tlb *tlb;
	size_t size;
	char *bytes = record(&size, &matches);

	bytes = realloc(bytes, size + 1);
	bytes[size] = 0;
	cr_expect_eq(replay(bytes, size + 1, &tlb, &error), -1);
	cr_expect(error.address == size && strstr(error.text, "bytes after the end"), "%s", error.text);
	tlb_destroy(tlb);
	bytes[size - 8]++;
	cr_expect_eq(replay(bytes, size, &tlb, &error), -1);
	cr_expect(error.address == size - 12 && strstr(error.text, "another number of records"), "%s",
		  error.text);
	tlb_destroy(tlb);
	free(bytes);
}

Test(tlb_file, memory_that_is_out_is_an_error_wherever_it_is)
{
	uint64_t matches;
	struct tlb *tlb;
	size_t size;
	char *bytes = record(&size, &matches);
	unsigned int failures = 0;

	for (unsigned int n = 1;; n++) {
		struct error error = { 0 };
		int result;

		no_memory_at(n);
		result = replay(bytes, size, &tlb, &error);
		if (!no_memory_failed())
			break;
		failures++;
		cr_expect(result == -1 && error.kind == ERROR_HOST, "allocation %u: %s", n, error.text);
		tlb_destroy(tlb);
	}
	no_memory_at(0);
	tlb_destroy(tlb);
	cr_expect_gt(failures, 15);
	free(bytes);
}
