/* SPDX-License-Identifier: MIT */
/*
 * event_log.c: records of the event log, and the stores to page-table entries that are logged.
 */
#include "arch/x86_64/event_log.h"

#include "kvmap/ports.h"
#include "lib/platform.h"

u32 event_log_on;
u32 event_log_seq;
struct cpu_logs event_logs[NR_CPUS];

struct kvmap_log_record *log_restart(struct kvmap_log *log)
{
	doorbell_ring(KVMAP_DOORBELL_LOG);
	log->laps++;
	return log->record;
}

void log_pair(u64 what, u64 first, u64 second)
{
	struct kvmap_log *log = this_cpu_log();
	struct kvmap_log_record *record = log_reserve(log, 1);

	record->pair[0] = (struct kvmap_log_pair){ first, second };
	log_commit(log, record, what, 1);
}

void log_number(u64 what, u64 number)
{
	struct kvmap_log *log = this_cpu_log();

	log_commit(log, log_reserve(log, 0), what | number << PAGE_SHIFT, 0);
}

static void log_init(struct kvmap_log *log, u32 size)
{
	log->next = (u64)log->record;
	log->end = (u64)log + size;
	log->laps = 0;
}

void arch_log_open(void *area, u32 size, u32 second)
{
	char *next = area;

	for (u32 cpu = 0; cpu < arch_nr_cpus; cpu++, next += size + second) {
		event_logs[cpu] = (struct cpu_logs){ (void *)next, (void *)(next + size) };
		log_init(event_logs[cpu].log, size);
		log_init(event_logs[cpu].second, second);
	}
	/* The host takes the tables as they are now. */
	doorbell_ring(KVMAP_DOORBELL_LOG);
	event_log_on = 1;
	for (u32 cpu = 0; cpu < arch_nr_cpus; cpu++)
		if (cpu != arch_cpu())
			log_number(KVMAP_LOG_IDLE, cpu);
}

void arch_log_frames(u32 pfn, u32 nr, bool taken)
{
	log_pair((u64)pfn << PAGE_SHIFT | (taken ? KVMAP_LOG_FRAMES_TAKEN : KVMAP_LOG_FRAMES_RETURNED), nr,
		 0);
}

void arch_log_range(unsigned long start, unsigned long end, bool taken)
{
	log_pair(start | (taken ? KVMAP_LOG_RANGE_TAKEN : KVMAP_LOG_RANGE_RETURNED), end, 0);
}

void arch_log_operation(u32 number, bool begins)
{
	log_number(begins ? KVMAP_LOG_BEGIN : KVMAP_LOG_OPERATION, number);
}

/* ---- flushes ---- */

/* Most ranges of a round that are logged one by one; more are logged as all of the address space. */
#define ROUND_RANGES 4

u32 log_round(const struct tlb_range *ranges, u32 nr)
{
	struct kvmap_log *log = this_cpu_log();
	u32 count = nr && nr <= ROUND_RANGES ? nr : 1;
	struct kvmap_log_record *record = log_reserve(log, count);

	for (u32 i = 0; i < count; i++)
		record->pair[i] = nr && nr <= ROUND_RANGES
					  ? (struct kvmap_log_pair){ ranges[i].start, ranges[i].end }
					  : (struct kvmap_log_pair){ 0, ~0ul };
	return log_commit(log, record, KVMAP_LOG_ROUND, count);
}

void log_round_done(u32 round)
{
	log_number(KVMAP_LOG_ROUND_DONE, round);
}

void log_flush(struct kvmap_log *log, u32 begun, u64 start, u64 end)
{
	struct kvmap_log_record *record = log_reserve(log, 1);

	record->pair[0] = (struct kvmap_log_pair){ end, begun };
	log_commit(log, record, start | KVMAP_LOG_FLUSH, 1);
}

/* ---- stores ---- */

static inline void store(u64 *pte, u64 value, struct kvmap_log_pair *pair)
{
	pair->first = __atomic_load_n(pte, __ATOMIC_ACQUIRE);
	pair->second = value;
	__atomic_store_n(pte, value, __ATOMIC_RELEASE);
}

/* One entry: the stores of the functions below for it. */
static inline void store_one(u64 *pte, u64 value, u64 what)
{
	struct kvmap_log *log = this_cpu_log();
	struct kvmap_log_record *record = log_reserve(log, 1);

	store(pte, value, record->pair);
	log_commit(log, record, what, 1);
}

static inline u32 piece(u32 nr)
{
	return nr < KVMAP_LOG_PAIRS_MAX ? nr : KVMAP_LOG_PAIRS_MAX;
}

static inline u64 store_what(unsigned long va, u64 level)
{
	return va | KVMAP_LOG_LEVEL(level) | KVMAP_LOG_STORE;
}

static __attribute__((noinline)) void clear_many(u64 *pte, unsigned long va, u32 nr, u64 level)
{
	struct kvmap_log *log = this_cpu_log();

	while (nr) {
		u32 count = piece(nr);
		struct kvmap_log_record *record = log_reserve(log, count);
		struct kvmap_log_pair *pair = record->pair, *end = pair + count;

		do
			store(pte++, 0, pair);
		while (++pair != end);
		log_commit(log, record, store_what(va, level), count);
		va += (unsigned long)count << PAGE_SHIFT;
		nr -= count;
	}
}

void log_clear(u64 *pte, unsigned long va, u32 nr, u64 level)
{
	if (nr == 1)
		store_one(pte, 0, store_what(va, level));
	else
		clear_many(pte, va, nr, level);
}

void log_change(u64 *pte, unsigned long va, u32 nr, u64 level, u64 keep, u64 set)
{
	struct kvmap_log *log = this_cpu_log();

	while (nr) {
		u32 count = piece(nr);
		struct kvmap_log_record *record = log_reserve(log, count);

		for (u32 i = 0; i < count; i++, pte++)
			store(pte, (*pte & keep) | set, &record->pair[i]);
		log_commit(log, record, store_what(va, level), count);
		va += (unsigned long)count << PAGE_SHIFT;
		nr -= count;
	}
}

void log_leaf(u64 *pte, unsigned long va, u64 level, u64 value)
{
	store_one(pte, value, store_what(va, level) | KVMAP_LOG_OWN);
}

/* The top table lies in the image, all others in the direct map. */
static u64 pte_gpa(const u64 *pte)
{
	return (u64)pte >= KVMAP_IMAGE_BASE ? (u64)pte - KVMAP_IMAGE_BASE : __pa(pte);
}

void log_table(u64 *pte, u64 value)
{
	struct kvmap_log *log = this_cpu_log();
	struct kvmap_log_record *record = log_reserve(log, 2);

	store(pte, value, record->pair);
	record->pair[1] = (struct kvmap_log_pair){ value, 0 };
	record->pair[0] = (struct kvmap_log_pair){ pte_gpa(pte), record->pair[0].first };
	log_commit(log, record, KVMAP_LOG_TABLE, 2);
}

static __attribute__((noinline)) u32 map_chain(u64 *pte, unsigned long va, u32 nr, u32 pfn, u64 rights)
{
	struct kvmap_log *log = this_cpu_log();
	struct page *map = mem_map;
	u32 vpn = PAGE_VPN(va);

	while (nr) {
		u32 count = piece(nr);
		struct kvmap_log_record *record = log_reserve(log, count);
		struct kvmap_log_pair *pair = record->pair, *end = pair + count;

		do {
			struct page *page = &map[pfn];

			store(pte++, (u64)pfn << PAGE_SHIFT | rights, pair);
			WRITE_ONCE(page->vpn, vpn);
			pfn = page->next;
			vpn++;
		} while (++pair != end);
		log_commit(log, record, store_what(va, 1) | KVMAP_LOG_OWN, count);
		va += (unsigned long)count << PAGE_SHIFT;
		nr -= count;
	}
	return pfn;
}

u32 log_map_chain(u64 *pte, unsigned long va, u32 nr, u32 pfn, u64 rights)
{
	struct page *page = pfn_to_page(pfn);

	if (nr > 1)
		return map_chain(pte, va, nr, pfn, rights);
	store_one(pte, (u64)pfn << PAGE_SHIFT | rights, store_what(va, 1) | KVMAP_LOG_OWN);
	WRITE_ONCE(page->vpn, PAGE_VPN(va));
	return page->next;
}

static __attribute__((noinline)) void map_pages(u64 *pte, unsigned long va, u32 nr, struct page *const *pages,
						u64 rights)
{
	struct kvmap_log *log = this_cpu_log();

	while (nr) {
		u32 count = piece(nr);
		struct kvmap_log_record *record = log_reserve(log, count);

		for (u32 i = 0; i < count; i++)
			store(pte++, (u64)(*pages++ - mem_map) << PAGE_SHIFT | rights, &record->pair[i]);
		log_commit(log, record, store_what(va, 1), count);
		va += (unsigned long)count << PAGE_SHIFT;
		nr -= count;
	}
}

void log_map_pages(u64 *pte, unsigned long va, u32 nr, struct page *const *pages, u64 rights)
{
	if (nr == 1)
		store_one(pte, (u64)page_to_pfn(*pages) << PAGE_SHIFT | rights, store_what(va, 1));
	else
		map_pages(pte, va, nr, pages, rights);
}
