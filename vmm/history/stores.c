/* SPDX-License-Identifier: MIT */
/*
 * stores.c: stores to entries. An entry that comes in uses its address again, and with KVMAP_LOG_OWN its frame: that is where
 * both are verified, not where the allocator says that it handed them out.
 */
#include "history/internal.h"

#include "base/page.h"
#include "base/x86.h"
#include "kvmap/layout.h"

/* GPA of the entry of that level for va, by the tables of the model; 0: no table leads there. */
static uint64_t entry_gpa(const struct history *history, uint64_t va, unsigned int level)
{
	uint64_t table = history->root, entry;

	for (unsigned int at = LEVELS; at > level; at--) {
		if (!tlb_entry(history->tlb, table + page_level_index(va, at) * sizeof(entry), &entry) ||
		    !(entry & PTE_P) || (at < LEVELS && (entry & PTE_PS)))
			return 0;
		table = entry & PTE_ADDRESS;
	}
	return tlb_entry(history->tlb, table, &entry) ? table + page_level_index(va, level) * sizeof(entry)
						      : 0;
}

/* The old value that the log claims, and the one that its earlier records lead to. */
static int check_old(struct history *history, const struct record *record, uint64_t gpa, uint64_t va,
		     uint64_t claimed)
{
	struct history_finding finding = {
		.kind = HISTORY_OLD_VALUE,
		.cpu = record->cpu,
		.address = gpa,
		.va = va,
		.claimed = claimed,
	};

	history->checks++;
	if (!tlb_entry(history->tlb, gpa, &finding.found) || !((finding.found ^ claimed) & ~PTE_STATUS))
		return 0;
	return finding_add(history, &finding);
}

static int feed_store(struct history *history, const struct record *record, uint64_t gpa,
		      const struct kvmap_log_pair *pair)
{
	const struct tlb_event event = {
		.kind = TLB_STORE,
		.flags = TLB_STORE_OLD_KNOWN,
		.cpu = record->cpu,
		.address = gpa,
		.value = pair->second,
		.old = pair->first,
		.thread = history->cpus[record->cpu].thread,
	};

	history->stats.stores++;
	return feed(history, &event);
}

static int feed_frames(struct history *history, const struct record *record, uint64_t entry, uint64_t size)
{
	uint64_t gpa = entry & PTE_ADDRESS & ~(size - 1);
	const struct tlb_event event = {
		.kind = TLB_FRAMES_TAKEN,
		.cpu = record->cpu,
		.address = gpa,
		.value = gpa + size,
	};

	history->checks++;
	return feed(history, &event);
}

/* The addresses of the entries that come in. */
static int feed_range(struct history *history, const struct record *record, uint64_t va, uint64_t size)
{
	const struct kvmap_log_pair *pairs = &history->pairs.items[record->first];
	struct tlb_event event = { .kind = TLB_RANGE_TAKEN, .cpu = record->cpu };

	for (uint32_t i = 0; i < record->count; i++, va += size) {
		if (!(pairs[i].second & PTE_P) || (pairs[i].first & PTE_P && pairs[i].first & PTE_PS) ||
		    (pairs[i].first & PTE_P && size == PAGE_4K))
			continue;
		if (!event.value)
			event.address = va;
		event.value = va + size;
	}
	if (!event.value)
		return 0;
	history->checks++;
	return feed(history, &event);
}

/* Entries are stored to for areas, and for the windows beyond the image. */
static bool is_logged(uint64_t va)
{
	return (va >= KVMAP_VMALLOC_START && va < KVMAP_VMALLOC_END) || va >= KVMAP_IMAGE_BASE;
}

int translate_store(struct history *history, const struct record *record)
{
	unsigned int level = KVMAP_LOG_LEVEL_OF(record->what);
	uint64_t va = record->what & ~(PAGE_4K - 1), gpa, size;

	if (level < 1 || level > 3 || !is_logged(va))
		return damaged(history, record,
			       "a store to an entry of neither the vmalloc space nor the image");
	size = page_level_size(level);
	gpa = entry_gpa(history, va, level);
	if (!gpa || page_level_index(va, level) + record->count > PAGE_TABLE_ENTRIES)
		return damaged(history, record, "a store to entries without a page table");
	if (feed_range(history, record, va, size) < 0)
		return -1;
	for (uint32_t i = 0; i < record->count; i++) {
		/* Feeding may move nothing, but a finding may: the pair is copied. */
		const struct kvmap_log_pair pair = history->pairs.items[record->first + i];

		if (check_old(history, record, gpa + i * sizeof(uint64_t), va + i * size, pair.first) < 0)
			return -1;
		if ((record->what & KVMAP_LOG_OWN) && (pair.second & PTE_P) &&
		    feed_frames(history, record, pair.second, size) < 0)
			return -1;
		if (feed_store(history, record, gpa + i * sizeof(uint64_t), &pair) < 0)
			return -1;
	}
	return 0;
}

int translate_table(struct history *history, const struct record *record)
{
	static const uint64_t empty[PAGE_TABLE_ENTRIES];
	const struct kvmap_log_pair first = history->pairs.items[record->first],
				    second = history->pairs.items[record->first + 1],
				    pair = { first.second, second.first };
	uint64_t gpa = first.first, known;
	const struct tlb_event page = {
		.kind = TLB_PAGE,
		.cpu = record->cpu,
		.address = pair.second & PTE_ADDRESS,
		.entries = empty,
	};

	if (gpa % sizeof(uint64_t) || !tlb_entry(history->tlb, gpa, &known))
		return damaged(history, record, "a new table below what is no page table");
	if (!(pair.second & PTE_P))
		return damaged(history, record, "a new table that is not present");
	if (check_old(history, record, gpa, 0, pair.first) < 0 ||
	    feed_frames(history, record, pair.second, PAGE_4K) < 0 || feed(history, &page) < 0)
		return -1;
	return feed_store(history, record, gpa, &pair);
}
