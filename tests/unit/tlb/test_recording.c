/* SPDX-License-Identifier: MIT */
/*
 * test_recording.c: random streams with all kinds of events, of a source whose tables are read by a callback: the replay of the
 * recording has the findings, the matches and the figures of the first run, with large limits and with small ones.
 */
#include "tlb/event_file.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define PAGES   24
#define EVENTS  1200
#define STREAMS 120

static uint64_t memory[PAGES][512];
static uint64_t random_state;

static uint64_t below(uint64_t bound)
{
	uint64_t z = random_state += 0x9E3779B97F4A7C15ull;

	z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9ull;
	z = (z ^ z >> 27) * 0x94D049BB133111EBull;
	return (z ^ z >> 31) % bound;
}

static unsigned int random_index(void)
{
	return (unsigned int[]){ 0, 0, 0, 1, 511 }[below(5)];
}

static uint64_t random_va(void)
{
	uint64_t va = 0;

	for (unsigned int shift = 12; shift < 48; shift += 9)
		va |= (uint64_t)random_index() << shift;
	return (uint64_t)((int64_t)(va << 16) >> 16);
}

static bool read_page(void *context, uint64_t gpa, uint64_t entries[512])
{
	(void)context;
	/* A few tables lie where nothing can be read. */
	if (gpa / 4096 >= PAGES - 2)
		return false;
	memcpy(entries, memory[gpa / 4096], 4096);
	return true;
}

static const uint8_t random_kinds[] = {
	TLB_STORE,         TLB_STORE,
	TLB_STORE,         TLB_STORE,
	TLB_STORE,         TLB_STORE,
	TLB_STORE,         TLB_ACCESS,
	TLB_ACCESS,        TLB_ACCESS,
	TLB_ACCESS,        TLB_ACCESS,
	TLB_INVLPG,        TLB_INVPCID,
	TLB_CR3,           TLB_CR3,
	TLB_CR4,           TLB_CR0,
	TLB_FLUSH_RANGE,   TLB_USER,
	TLB_KERNEL,        TLB_HALT,
	TLB_WAKE,          TLB_OPERATION_END,
	TLB_ROUND_REQUEST, TLB_ROUND_DONE,
	TLB_FRAMES_TAKEN,  TLB_FRAMES_RETURNED,
	TLB_RANGE_TAKEN,   TLB_RANGE_RETURNED,
	TLB_IPI,           TLB_FLUSH_BEGUN,
	TLB_FLUSHED,
};

static struct tlb_event random_event(unsigned int cpus)
{
	struct tlb_event event = { .kind = random_kinds[below(sizeof(random_kinds))],
				   .cpu = (uint16_t)below(cpus),
				   .thread = below(4) };

	event.address = random_va();
	event.value = below(4);
	switch (event.kind) {
	case TLB_STORE:
		event.address = below(PAGES) << 12 | random_index() * 8;
		event.value = below(4) ? below(PAGES) << 12 | 0x23 | below(2) << 2 | below(2) << 8 : 0;
		event.flags = below(4) ? TLB_STORE_OLD_KNOWN : 0;
		event.old = memory[event.address / 4096][event.address % 4096 / 8] ^ (below(40) ? 0 : 0x3000);
		if (!below(4))
			event.value = event.old ^ (below(2) ? 2 : 4);
		memory[event.address / 4096][event.address % 4096 / 8] = event.value;
		break;
	case TLB_ACCESS:
		event.flags = (uint8_t[]){ 0, 1, 2, 12, 13, 10, 8 + 0x30, 9 }[below(8)];
		event.value = below(PAGES) << 12;
		break;
	case TLB_INVPCID: event.flags = (uint8_t)below(4); break;
	case TLB_CR0: event.value = (below(10) ? 1ull << 31 : 0) | 1 << 16; break;
	case TLB_CR3: event.value = below(4) << 12 | below(3) | below(2) << 63; break;
	case TLB_CR4: event.value = 1 << 5 | (below(2) << 7) | (below(3) ? 1 << 17 : 0); break;
	case TLB_FLUSH_BEGUN: event.value = below(EVENTS); break;
	case TLB_FLUSHED:
		event.old = event.address | 0x3fffff;
		event.value = below(EVENTS);
		break;
	case TLB_ROUND_REQUEST:
	case TLB_FLUSH_RANGE:
	case TLB_RANGE_TAKEN:
	case TLB_RANGE_RETURNED:
		event.old = event.address | 0x3fffff;
		if (event.kind != TLB_ROUND_REQUEST)
			event.value = event.old;
		break;
	case TLB_FRAMES_TAKEN:
	case TLB_FRAMES_RETURNED:
		event.address = below(PAGES) << 12;
		event.value = event.address + (1 + below(4) * 5) * 4096;
		break;
	default: break;
	}
	return event;
}

static struct tlb_config random_config(void)
{
	struct tlb_config config = tlb_config_default();

	config.cpus = 1 + (unsigned int)below(4);
	config.rules = (1u << TLB_RULE_COUNT) - 1;
	config.strict = !below(4);
	config.disbelieve = below(2) ? 0 : 3;
	config.page = read_page;
	if (below(2))
		config.limits = (struct tlb_limits){ .pages = PAGES,
						     .debts = 60,
						     .debts_per_address = 3,
						     .contexts = 2,
						     .roots = 1,
						     .places = 5,
						     .findings = 4 };
	return config;
}

/* Feeds all events of a recording to a new model. */
static struct tlb *replay(const char *bytes, size_t size)
{
	struct event_reader reader;
	struct tlb_event event;
	struct error error = { 0 };
	struct tlb *tlb = NULL;
	int result;

	cr_assert_eq(event_reader_open(&reader, bytes, size, "recording", &error), 0, "%s", error.text);
	cr_assert_eq(tlb_create(&reader.config, &tlb, &error), 0);
	while ((result = event_reader_next(&reader, &event, &error)) > 0)
		cr_assert_eq(tlb_feed(tlb, &event, &error), 0, "%s", error.text);
	cr_assert_eq(result, 0, "%s", error.text);
	return tlb;
}

static void expect_same(const struct tlb *first, const struct tlb *second, uint64_t seed)
{
	struct tlb_stats a = *tlb_stats(first), b = *tlb_stats(second);

	a.events[TLB_PAGE] = b.events[TLB_PAGE] = 0;
	cr_expect_eq(memcmp(&a, &b, sizeof(a)), 0, "seed %" PRIu64 ": figures", seed);
	for (unsigned int i = 0; i < TLB_RULE_COUNT; i++)
		cr_expect_eq(tlb_matches(first, i), tlb_matches(second, i), "seed %" PRIu64 ": %s", seed,
			     tlb_rules[i].word);
	cr_assert_eq(tlb_findings(first)->count, tlb_findings(second)->count, "seed %" PRIu64, seed);
	for (size_t i = 0; i < tlb_findings(first)->count; i++) {
		const struct tlb_finding *x = &tlb_findings(first)->items[i],
					 *y = &tlb_findings(second)->items[i];

		cr_expect(x->rule == y->rule && x->seq == y->seq && x->cpu == y->cpu &&
				  x->address == y->address && x->debt.va == y->debt.va &&
				  x->debt.frame == y->debt.frame && x->debt.since == y->debt.since,
			  "seed %" PRIu64 ": finding %zu", seed, i);
	}
}

static void run(uint64_t seed, uint64_t matches[TLB_RULE_COUNT])
{
	static struct event_recorder recorder;
	struct tlb_config config;
	struct error error = { 0 };
	char *bytes = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&bytes, &size);
	struct tlb *again;

	random_state = seed;
	memset(memory, 0, sizeof(memory));
	config = random_config();
	cr_assert_eq(event_recorder_create(&recorder, stream, &config, &error), 0);
	for (uint16_t cpu = 0; cpu < config.cpus; cpu++) {
		struct tlb_event start[] = { { .kind = TLB_CR4, .cpu = cpu, .value = 1 << 5 },
					     { .kind = TLB_CR0, .cpu = cpu, .value = 1ull << 31 | 1 << 16 } };

		cr_assert_eq(event_recorder_feed(&recorder, &start[0], &error), 0);
		cr_assert_eq(event_recorder_feed(&recorder, &start[1], &error), 0);
	}
	for (unsigned int i = 0; i < EVENTS; i++) {
		struct tlb_event event = random_event(config.cpus);

		cr_assert_eq(event_recorder_feed(&recorder, &event, &error), 0, "%s", error.text);
	}
	event_recorder_end(&recorder);
	fclose(stream);
	again = replay(bytes, size);
	expect_same(recorder.tlb, again, seed);
	for (unsigned int i = 0; i < TLB_RULE_COUNT; i++)
		matches[i] += tlb_matches(again, i);
	tlb_destroy(recorder.tlb);
	tlb_destroy(again);
	free(bytes);
}

Test(tlb_recording, a_replay_is_the_run_it_recorded)
{
	uint64_t matches[TLB_RULE_COUNT] = { 0 };

	for (uint64_t seed = 1; seed <= STREAMS; seed++)
		run(seed, matches);
	for (unsigned int i = 0; i < TLB_RULE_COUNT; i++)
		cr_expect(matches[i] > 0, "%s is in none of the streams", tlb_rules[i].word);
}
