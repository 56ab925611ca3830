/* SPDX-License-Identifier: MIT */
/*
 * test_random.c: random streams, in which the model and the reference must agree after each event: on what each CPU owes,
 * on needless flushes, on late uses and on writes to former tables.
 *
 * KVMAP_TLB_EVENTS=N: N events in total instead of EVENTS_DEFAULT. KVMAP_TLB_SEED=N: the first stream's seed.
 */
#include "reference.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EVENTS_DEFAULT 40000
#define STREAM         400

static uint64_t random_state;

static uint64_t random_next(void)
{
	uint64_t z = random_state += 0x9E3779B97F4A7C15ull;

	z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9ull;
	z = (z ^ z >> 27) * 0x94D049BB133111EBull;
	return z ^ z >> 31;
}

static uint64_t below(uint64_t bound)
{
	return random_next() % bound;
}

/* ---- the stream ---- */

struct stream {
	struct reference reference;
	struct tlb *tlb;
	bool five_levels, has_pcids;
	unsigned int pages;
};

static uint64_t random_va(const struct stream *stream)
{
	uint64_t va = 0;

	for (unsigned int level = 1; level <= (stream->five_levels ? 5 : 4); level++)
		va |= (uint64_t)reference_indices[below(REFERENCE_INDICES)] << (12 + 9 * (level - 1));
	return stream->five_levels ? (uint64_t)((int64_t)(va << 7) >> 7)
				   : (uint64_t)((int64_t)(va << 16) >> 16);
}

/* Tables lie in the first pages of memory; large pages lie elsewhere, so that no entry with PS is followed there. */
static uint64_t random_entry(const struct stream *stream)
{
	uint64_t entry = 1 | (below(3) ? 2 : 0) | (below(3) ? 4 : 0) | (below(4) ? 0 : 1ull << 63) |
			 (below(4) ? 0 : 0x100) | (below(4) ? 0 : 0x60) | (below(8) ? 0 : 0x200);

	if (below(5) < 2)
		return below(4) ? 0 : entry & ~1ull;
	if (!below(5))
		return entry | 0x80 | (below(3) + 1) << 30 | below(2) << 21;
	return entry | below(stream->pages) << 12;
}

static uint64_t random_cr3(const struct stream *stream)
{
	uint64_t value = below(3) << 12 | (stream->has_pcids ? below(REFERENCE_PCIDS) : 0);

	return value | (stream->has_pcids && below(2) ? 1ull << 63 : 0);
}

static uint64_t random_cr4(const struct stream *stream)
{
	return 1 << 5 | (stream->five_levels ? 1 << 12 : 0) | (below(4) ? 1 << 7 : 0) |
	       (below(4) ? 1 << 20 : 0) | (stream->has_pcids && below(4) ? 1 << 17 : 0);
}

/* Often one that the CPU holds a translation of. */
static uint64_t random_held_va(const struct stream *stream, unsigned int cpu)
{
	const struct reference_cpu *state = &stream->reference.cpu[cpu];

	if (!state->count || !below(4))
		return random_va(stream);
	return state->held[below((uint64_t)state->count)].va + below(2) * below(512) * 4096;
}

static struct tlb_event random_event(const struct stream *stream)
{
	struct tlb_event event = { .cpu = (uint16_t)below(stream->reference.cpus) };
	uint64_t kind = below(100);

	if (kind < 45) {
		event.kind = TLB_STORE;
		event.address = below(stream->pages) << 12 | reference_indices[below(REFERENCE_INDICES)] * 8;
		event.value = random_entry(stream);
		event.thread = below(3);
	} else if (kind < 70) {
		event.kind = TLB_ACCESS;
		event.address = random_held_va(stream, event.cpu);
		event.flags = (uint8_t[]){ 0, 1, 2, 4, 5, 6 }[below(6)];
	} else if (kind < 80) {
		event.kind = TLB_INVLPG;
		event.address = random_held_va(stream, event.cpu);
	} else if (kind < 85) {
		event.kind = TLB_INVPCID;
		event.flags = (uint8_t)below(4);
		event.value = below(REFERENCE_PCIDS);
		event.address = random_held_va(stream, event.cpu);
	} else if (kind < 94) {
		event.kind = TLB_CR3;
		event.value = random_cr3(stream);
	} else if (kind < 98) {
		event.kind = TLB_CR4;
		event.value = random_cr4(stream);
	} else {
		event.kind = TLB_CR0;
		event.value = (below(8) ? 1ull << 31 : 0) | (below(4) ? 1 << 16 : 0);
	}
	return event;
}

static bool read_page(void *context, uint64_t gpa, uint64_t entries[512])
{
	const struct stream *stream = context;

	if (gpa / 4096 >= REFERENCE_PAGES)
		return false;
	memcpy(entries, stream->reference.memory[gpa / 4096], 4096);
	return true;
}

/* ---- what each CPU owes ---- */

struct owed {
	struct held items[REFERENCE_HELD];
	size_t count;
};

static int compare(const void *left, const void *right)
{
	const struct held *a = left, *b = right;

#define ORDER(member)                                                                                        \
	if (a->member != b->member)                                                                          \
	return a->member < b->member ? -1 : 1
	ORDER(va);
	ORDER(level);
	ORDER(is_table);
	ORDER(frame);
	ORDER(is_global);
	ORDER(pcid);
	ORDER(rights);
#undef ORDER
	return 0;
}

static void add(struct owed *owed, const struct held *held)
{
	struct held *item = &owed->items[owed->count];

	if (owed->count == REFERENCE_HELD)
		return;
	*item = (struct held){ .va = held->va,
			       .frame = held->frame,
			       .level = held->level,
			       .rights = held->rights,
			       .pcid = held->is_global ? 0 : held->pcid,
			       .is_table = held->is_table,
			       .is_global = held->is_global };
	owed->count++;
}

static void add_debt(void *context, const struct tlb_debt *debt)
{
	const struct held held = { .va = debt->va,
				   .frame = debt->frame,
				   .level = debt->level,
				   .rights = debt->rights,
				   .pcid = debt->pcid,
				   .is_table = debt->is_table,
				   .is_global = debt->is_global };

	add(context, &held);
}

static bool is_same_key(const struct held *a, struct held b)
{
	b.rights = a->rights;
	return compare(a, &b) == 0;
}

/* Sorts, and drops each item that another of the same key allows, too. An item with more rights sorts after the others of its key. */
static void settle(struct owed *owed)
{
	size_t kept = 0;

	qsort(owed->items, owed->count, sizeof(owed->items[0]), compare);
	for (size_t i = 0; i < owed->count; i++) {
		bool is_less = false;

		for (size_t j = i + 1; j < owed->count && is_same_key(&owed->items[i], owed->items[j]); j++)
			is_less |= !(owed->items[i].rights & ~owed->items[j].rights);
		if (!is_less)
			owed->items[kept++] = owed->items[i];
	}
	owed->count = kept;
}

static void print_owed(const char *name, const struct owed *owed)
{
	fprintf(stderr, "%s: %zu\n", name, owed->count);
	for (size_t i = 0; i < owed->count && i < 40; i++)
		fprintf(stderr, "  va %016" PRIx64 " level %u %s frame %" PRIx64 " rights %x pcid %u%s\n",
			owed->items[i].va, owed->items[i].level, owed->items[i].is_table ? "table" : "page",
			owed->items[i].frame, owed->items[i].rights, owed->items[i].pcid,
			owed->items[i].is_global ? " global" : "");
}

/* memcmp() would compare padding, too, which is not defined. */
static bool is_equal(const struct owed *a, const struct owed *b)
{
	bool is_equal = a->count == b->count;

	for (size_t i = 0; is_equal && i < a->count; i++)
		is_equal = compare(&a->items[i], &b->items[i]) == 0;
	return is_equal;
}

static bool is_agreed(struct stream *stream, unsigned int cpu)
{
	static struct owed model, reference;

	model.count = reference.count = 0;
	tlb_for_each_debt(stream->tlb, cpu, add_debt, &model);
	for (int i = 0; i < stream->reference.cpu[cpu].count; i++)
		if (reference_owes(&stream->reference, cpu, &stream->reference.cpu[cpu].held[i]))
			add(&reference, &stream->reference.cpu[cpu].held[i]);
	settle(&model);
	settle(&reference);
	if (is_equal(&model, &reference))
		return true;
	print_owed("model", &model);
	print_owed("reference", &reference);
	return false;
}

/* ---- one stream ---- */

static void feed_both(struct stream *stream, const struct tlb_event *event, uint64_t seed)
{
	const struct tlb_stats *now = tlb_stats(stream->tlb);
	const struct tlb_stats before = *now;
	const struct reference *reference = &stream->reference;
	struct error error;
	bool is_flush, is_needless;

	reference_feed(&stream->reference, event);
	cr_assert_eq(tlb_feed(stream->tlb, event, &error), 0, "%s", error.text);
	/* The bound of work ends a comparison, too. */
	stream->reference.is_full |= now->work_dropped > 0;
	if (reference->is_full)
		return;
	is_flush = now->flushes[event->kind] > before.flushes[event->kind];
	is_needless = now->needless[event->kind] > before.needless[event->kind];
#define AGREE(model, of_reference)                                                                           \
	cr_assert_eq(model, of_reference, "seed %" PRIu64 ", event %" PRIu64 " (%s): " #of_reference, seed,  \
		     tlb_seq(stream->tlb), tlb_event_word(event->kind))
	AGREE(is_flush, reference->was_flush);
	AGREE(is_needless, reference->was_needless);
	AGREE(now->uses_late > before.uses_late, reference->was_late_use);
	AGREE(now->table_writes > before.table_writes, reference->was_table_write);
#undef AGREE
}

static void run_stream(uint64_t seed, unsigned int events, unsigned int check_every, uint64_t totals[5])
{
	static struct stream stream;
	struct tlb_config config = tlb_config_default();
	struct error error;

	random_state = seed;
	stream.five_levels = below(3) == 0;
	stream.has_pcids = below(2);
	stream.pages = 4 + (unsigned int)below(REFERENCE_PAGES - 3);
	reference_init(&stream.reference, 1 + (unsigned int)below(REFERENCE_CPUS));
	config.cpus = stream.reference.cpus;
	config.strict = true;
	config.page = read_page;
	config.context = &stream;
	config.limits.roots = 0;
	config.limits.debts = 1u << 18;
	config.limits.debts_per_address = 1u << 14;
	config.limits.places = 1u << 12;
	cr_assert_eq(tlb_create(&config, &stream.tlb, &error), 0);
	for (unsigned int cpu = 0; cpu < config.cpus; cpu++) {
		const struct tlb_event start[] = {
			{ .kind = TLB_CR4,
			  .cpu = (uint16_t)cpu,
			  .value = 1 << 5 | (stream.five_levels ? 1 << 12 : 0) },
			{ .kind = TLB_CR0, .cpu = (uint16_t)cpu, .value = 1ull << 31 | 1 << 16 },
		};

		feed_both(&stream, &start[0], seed);
		feed_both(&stream, &start[1], seed);
	}
	for (unsigned int i = 0; i < events && !stream.reference.is_full; i++) {
		struct tlb_event event = random_event(&stream);

		feed_both(&stream, &event, seed);
		for (unsigned int cpu = 0;
		     i % check_every == 0 && !stream.reference.is_full && cpu < config.cpus; cpu++)
			cr_assert(is_agreed(&stream, cpu), "seed %" PRIu64 ", event %u (%s): CPU %u", seed, i,
				  tlb_event_word(event.kind), cpu);
	}
	for (unsigned int cpu = 0; !stream.reference.is_full && cpu < config.cpus; cpu++)
		cr_assert(is_agreed(&stream, cpu), "seed %" PRIu64 ", at the end: CPU %u", seed, cpu);
	cr_assert_eq(tlb_stats(stream.tlb)->debts_dropped + tlb_stats(stream.tlb)->unknown_walks +
			     tlb_stats(stream.tlb)->places_dropped + tlb_stats(stream.tlb)->work_dropped,
		     0, "seed %" PRIu64, seed);
	totals[0] += tlb_stats(stream.tlb)->debts_made;
	totals[1] += tlb_stats(stream.tlb)->uses_late;
	totals[2] += tlb_stats(stream.tlb)->table_writes;
	totals[3] += tlb_stats(stream.tlb)->debts_paid;
	totals[4] += stream.reference.is_full;
	tlb_destroy(stream.tlb);
}

static uint64_t setting(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 0) : otherwise;
}

Test(tlb_random, agrees_with_the_reference_after_each_event)
{
	uint64_t events = setting("KVMAP_TLB_EVENTS", EVENTS_DEFAULT), seed = setting("KVMAP_TLB_SEED", 1),
		 totals[5] = { 0 };

	for (uint64_t done = 0; done < events; done += STREAM, seed++)
		run_stream(seed, STREAM, seed % 16 ? 32 : 1, totals);
	fprintf(stderr,
		"%" PRIu64 " events: %" PRIu64 " debts, %" PRIu64 " late uses, %" PRIu64
		" writes to former tables, %" PRIu64 " paid\n",
		events, totals[0], totals[1], totals[2], totals[3]);
	for (unsigned int i = 0; i < 4; i++)
		cr_expect(totals[i] > 0, "total %u", i);
	cr_expect(totals[4] <= 1 + events / STREAM / 100, "%" PRIu64 " streams ended early", totals[4]);
}
