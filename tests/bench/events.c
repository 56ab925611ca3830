/* SPDX-License-Identifier: MIT */
/*
 * events.c: what the TLB model costs, as a ratio to reading the stream once. Streams of several shapes, on one core; medians.
 *
 * kvmap-bench-events [EVENTS]: a million unless given.
 */
#include "base/page.h"
#include "base/x86.h"
#include "tlb/event_file.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define RUNS    5
#define CPUS    4
#define KERNEL  0xffffc90000000000ull
#define AREAS   512
#define PAGES   32 /* of an area */
#define TABLES  (AREAS * PAGES / 512)
#define ROOTS   64
#define LEAF    (PTE_P | PTE_W | PTE_NX)
#define ROOT(n) (0x1000ull + (n)*0x1000)
#define UPPER   ROOT(ROOTS) /* level 3, then level 2, then the level 1 tables: shared by all roots */

static uint64_t random_state = 1;

static uint64_t below(uint64_t bound)
{
	uint64_t z = random_state += 0x9E3779B97F4A7C15ull;

	z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9ull;
	z = (z ^ z >> 27) * 0x94D049BB133111EBull;
	return (z ^ z >> 31) % bound;
}

/* ---- streams ---- */

struct stream {
	struct event_writer writer;
	uint64_t left;
};

static void put(struct stream *stream, struct tlb_event event)
{
	event_writer_add(&stream->writer, &event);
	stream->left -= stream->left > 0;
}

#define PUT(stream, KIND, ...) put(stream, (struct tlb_event){ .kind = TLB_##KIND, __VA_ARGS__ })

static void put_page(struct stream *stream, uint64_t gpa, unsigned int index, uint64_t entry,
		     unsigned int count)
{
	uint64_t entries[512] = { 0 };

	for (unsigned int i = 0; i < count; i++)
		entries[index + i] = entry + i * PAGE_4K;
	PUT(stream, PAGE, .address = gpa, .entries = entries);
}

static void start(struct stream *stream)
{
	for (unsigned int i = 0; i < ROOTS; i++)
		put_page(stream, ROOT(i), page_level_index(KERNEL, 4), UPPER | LEAF, 1);
	put_page(stream, UPPER, page_level_index(KERNEL, 3), (UPPER + PAGE_4K) | LEAF, 1);
	put_page(stream, UPPER + PAGE_4K, page_level_index(KERNEL, 2), (UPPER + 2 * PAGE_4K) | LEAF, TABLES);
	for (unsigned int i = 0; i < TABLES; i++)
		put_page(stream, UPPER + (2 + i) * PAGE_4K, 0, 0, 0);
	for (uint16_t cpu = 0; cpu < CPUS; cpu++) {
		PUT(stream, CR4, .cpu = cpu, .value = CR4_PAE | CR4_PGE);
		PUT(stream, CR3, .cpu = cpu, .value = ROOT(0));
		PUT(stream, CR0, .cpu = cpu, .value = CR0_PE | CR0_PG | CR0_WP);
	}
}

static uint64_t area_va(uint64_t area)
{
	return KERNEL + area * PAGES * PAGE_4K;
}

static uint64_t area_pte(uint64_t area)
{
	return UPPER + 2 * PAGE_4K + area * PAGES * 8;
}

static void map(struct stream *stream, uint64_t area, uint64_t thread, bool present)
{
	for (uint64_t i = 0; i < PAGES; i++) {
		uint64_t entry = (0x10000000 + (area * PAGES + i) * PAGE_4K) | LEAF | PTE_G;

		PUT(stream, STORE, .cpu = (uint16_t)(thread % CPUS), .flags = TLB_STORE_OLD_KNOWN,
		    .address = area_pte(area) + i * 8, .value = present ? entry : 0,
		    .old = present ? 0 : entry, .thread = thread);
	}
}

/* An allocator's log: areas that are mapped, unmapped, and flushed on all CPUs. */
static void areas(struct stream *stream)
{
	while (stream->left) {
		uint64_t area = below(AREAS), thread = 1 + below(100);

		map(stream, area, thread, true);
		map(stream, area, thread, false);
		PUT(stream, ROUND_REQUEST, .value = area, .address = area_va(area), .old = area_va(area + 1));
		for (uint16_t cpu = 0; cpu < CPUS; cpu++)
			PUT(stream, FLUSH_RANGE, .cpu = cpu, .address = area_va(area),
			    .value = area_va(area + 1));
		PUT(stream, ROUND_DONE, .value = area);
		PUT(stream, OPERATION_END, .thread = thread);
	}
}

static void access_area(struct stream *stream, uint64_t first, uint64_t count)
{
	uint64_t area = first + below(count), offset = below(PAGES * PAGE_4K / 8) * 8;

	PUT(stream, ACCESS, .cpu = (uint16_t)below(CPUS),
	    .flags = TLB_ACCESS_USED | (below(4) ? 0 : TLB_ACCESS_WRITE) | 3 << TLB_ACCESS_SIZE_SHIFT,
	    .address = area_va(area) + offset, .value = 0x10000000 + area * PAGES * PAGE_4K + offset);
}

/* Accesses by CPUs that owe nothing. */
static void accesses(struct stream *stream)
{
	for (uint64_t area = 0; area < AREAS; area++)
		map(stream, area, 1, true);
	while (stream->left)
		access_area(stream, 0, AREAS);
}

/* Each CPU owes 1,024 pages, as during a boot of Linux; one access of eight goes there. */
static void accesses_with_debts(struct stream *stream)
{
	for (uint64_t area = 0; area < AREAS; area++)
		map(stream, area, 1, true);
	for (uint64_t area = 0; area < 1024 / PAGES; area++)
		map(stream, area, 1, false);
	while (stream->left)
		access_area(stream, below(8) ? 1024 / PAGES : 0,
			    below(8) ? AREAS - 1024 / PAGES : 1024 / PAGES);
}

/* Changes of roots, whose kernel's half is shared, and a few stores. */
static void switches(struct stream *stream)
{
	for (uint64_t area = 0; area < AREAS; area++)
		map(stream, area, 1, true);
	while (stream->left) {
		uint64_t area = below(AREAS);

		for (unsigned int i = 0; i < 32; i++)
			PUT(stream, CR3, .cpu = (uint16_t)below(CPUS), .value = ROOT(below(ROOTS)));
		PUT(stream, STORE, .address = area_pte(area), .value = (below(1000) << 12) | LEAF | PTE_G);
		PUT(stream, INVLPG, .address = area_va(area));
	}
}

/* ---- measuring ---- */

static uint64_t now_ns(void)
{
	struct timespec time;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
	return (uint64_t)time.tv_sec * 1000000000ull + (uint64_t)time.tv_nsec;
}

static volatile uint64_t sink;

/* Decodes all events; with a model, feeds them. Returns ns, or 0 after an error. */
static uint64_t pass(const char *bytes, size_t size, bool feed, uint64_t *count, struct tlb_stats *stats)
{
	struct event_reader reader;
	struct tlb_event event;
	struct tlb *tlb = NULL;
	struct error error;
	uint64_t start = now_ns(), sum = 0, ns;
	int result = event_reader_open(&reader, bytes, size, "stream", &error);

	if (result == 0 && feed)
		result = tlb_create(&reader.config, &tlb, &error);
	while (result == 0) {
		result = event_reader_next(&reader, &event, &error);
		if (result <= 0)
			break;
		sum += event.address;
		result = tlb ? tlb_feed(tlb, &event, &error) : 0;
	}
	ns = now_ns() - start;
	sink = sum;
	*count = reader.count;
	if (tlb)
		*stats = *tlb_stats(tlb);
	if (result < 0)
		fprintf(stderr, "events: %s\n", error.text);
	else if (tlb && tlb_finding_count(tlb))
		fprintf(stderr, "events: %" PRIu64 " findings in a stream without errors\n",
			tlb_finding_count(tlb));
	tlb_destroy(tlb);
	return result < 0 ? 0 : ns;
}

static int compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static int measure(const char *name, void (*make)(struct stream *stream), uint64_t events)
{
	struct tlb_config config = tlb_config_default();
	struct stream stream = { .left = events };
	uint64_t read[RUNS], fed[RUNS], count = 0;
	struct tlb_stats stats = { 0 };
	char *bytes = NULL;
	size_t size = 0;
	FILE *memory = open_memstream(&bytes, &size);

	if (!memory)
		return -1;
	config.cpus = CPUS;
	config.rules = tlb_profile_rules('A') | tlb_profile_rules('O');
	event_writer_begin(&stream.writer, memory, &config);
	start(&stream);
	make(&stream);
	event_writer_end(&stream.writer);
	if (fclose(memory) != 0)
		return -1;
	for (int i = 0; i < RUNS; i++) {
		read[i] = pass(bytes, size, false, &count, &stats);
		fed[i] = pass(bytes, size, true, &count, &stats);
	}
	free(bytes);
	qsort(read, RUNS, sizeof(read[0]), compare);
	qsort(fed, RUNS, sizeof(fed[0]), compare);
	if (!read[0] || !fed[0])
		return -1;
	printf("  %-28s %6.1f M events/s read, %6.1f M/s verified, ratio %5.2f  (%" PRIu64 " debts, %" PRIu64
	       " at once)\n",
	       name, (double)count * 1e3 / (double)read[RUNS / 2],
	       (double)count * 1e3 / (double)fed[RUNS / 2], (double)fed[RUNS / 2] / (double)read[RUNS / 2],
	       stats.debts_made, stats.debts_most);
	return 0;
}

int main(int argc, char **argv)
{
	uint64_t events = argc > 1 ? strtoull(argv[1], NULL, 0) : 1000000;

	if (!events || events > 100000000) {
		fprintf(stderr, "usage: kvmap-bench-events [EVENTS], 1 to 100000000\n");
		return 2;
	}
	printf("%" PRIu64 " events of %u CPUs\n", events, CPUS);
	return measure("areas mapped and unmapped", areas, events) < 0 ||
	       measure("accesses, nothing owed", accesses, events) < 0 ||
	       measure("accesses, 1,024 pages owed", accesses_with_debts, events) < 0 ||
	       measure("changes of roots", switches, events) < 0;
}
