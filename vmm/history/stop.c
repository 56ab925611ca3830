/* SPDX-License-Identifier: MIT */
/*
 * stop.c: the guest's own page tables and control registers: taken when the log begins, and compared with the model's at each
 * stop.
 */
#include "history/internal.h"

#include "base/page.h"
#include "base/x86.h"
#include "paging/visited.h"

#include <string.h>

/* Tables that a walk has seen, once each, whatever number of entries leads to them. */
struct table_walk {
	struct history *history;
	const struct view *view;
	bool is_base;
	struct visited seen;
};

/* 1: it was not in the set; 0: it was; -1. */
static int seen_add(struct table_walk *walk, uint64_t gpa, unsigned int level)
{
	const struct walk_table table = { .gpa = gpa, .level = level };
	uint64_t unused;

	switch (visited_add(&walk->seen, &table, 0, &unused)) {
	case VISITED_FIRST: return 1;
	case VISITED_BEFORE: return 0;
	default: return no_memory(walk->history);
	}
}

static int compare_entry(struct table_walk *walk, uint64_t gpa, uint64_t va, uint64_t entry)
{
	struct history_finding finding = {
		.kind = HISTORY_ENTRY,
		.address = gpa,
		.va = page_canonical(LEVELS, va),
		.found = entry,
	};

	if (tlb_entry(walk->history->tlb, gpa, &finding.claimed) && ((finding.claimed ^ entry) & ~PTE_STATUS))
		return finding_add(walk->history, &finding);
	return 0;
}

/* One table. The base feeds it; later its entries are compared, then fed, so that the model goes on with what is there. */
static int take_table(struct table_walk *walk, uint64_t gpa, uint64_t va, unsigned int level,
		      const uint64_t entries[PAGE_TABLE_ENTRIES])
{
	const struct tlb_event event = { .kind = TLB_PAGE, .address = gpa, .entries = entries };

	for (unsigned int i = 0; !walk->is_base && i < PAGE_TABLE_ENTRIES; i++)
		if (compare_entry(walk, gpa + i * sizeof(uint64_t),
				  va + ((uint64_t)i << page_level_shift(level)), entries[i]) < 0)
			return -1;
	walk->history->stats.entries_compared += walk->is_base ? 0 : PAGE_TABLE_ENTRIES;
	walk->history->checks += walk->is_base ? 0 : PAGE_TABLE_ENTRIES;
	return feed(walk->history, &event);
}

/* Depth at most LEVELS. */
static int walk_table(struct table_walk *walk, uint64_t gpa, uint64_t va, unsigned int level)
{
	uint64_t entries[PAGE_TABLE_ENTRIES];
	const void *bytes = view_bytes(walk->view, gpa, PAGE_4K);
	int first = bytes ? seen_add(walk, gpa, level) : 0;

	if (first <= 0)
		return first;
	memcpy(entries, bytes, sizeof(entries));
	if (take_table(walk, gpa, va, level, entries) < 0)
		return -1;
	for (unsigned int i = 0; level > 1 && i < PAGE_TABLE_ENTRIES; i++) {
		if (!(entries[i] & PTE_P) || (level < LEVELS && (entries[i] & PTE_PS)))
			continue;
		if (walk_table(walk, entries[i] & PTE_ADDRESS, va + ((uint64_t)i << page_level_shift(level)),
			       level - 1) < 0)
			return -1;
	}
	return 0;
}

static int walk_all(struct history *history, const struct view *view, bool is_base)
{
	struct table_walk walk = { .history = history, .view = view, .is_base = is_base };
	int result = walk_table(&walk, history->root, 0, LEVELS);

	visited_destroy(&walk.seen);
	return result;
}

static int feed_register(struct history *history, unsigned int cpu, enum tlb_event_kind kind, uint64_t value)
{
	const struct tlb_event event = { .kind = (uint8_t)kind, .cpu = (uint16_t)cpu, .value = value };

	return feed(history, &event);
}

static int feed_cpu(struct history *history, unsigned int cpu, const struct view_cpu *registers)
{
	struct history_cpu *state = &history->cpus[cpu];

	if (!(registers->cr0 & CR0_PG))
		return 0;
	state->has_paging = true;
	state->cr3 = registers->cr3;
	state->cr4 = registers->cr4;
	if (feed_register(history, cpu, TLB_CR4, registers->cr4 & ~CR4_PCIDE) < 0 ||
	    feed_register(history, cpu, TLB_CR3, registers->cr3) < 0 ||
	    feed_register(history, cpu, TLB_CR0, registers->cr0) < 0)
		return -1;
	return registers->cr4 & CR4_PCIDE ? feed_register(history, cpu, TLB_CR4, registers->cr4) : 0;
}

static unsigned int cpu_count(const struct history *history, const struct view *view)
{
	return view->cpu_count < history->config.cpus ? view->cpu_count : history->config.cpus;
}

int base_take(struct history *history, const struct view *view)
{
	unsigned int cpus = cpu_count(history, view);

	history->root = cpus ? view->cpus[0].cr3 & PTE_ADDRESS : 0;
	if (walk_all(history, view, true) < 0)
		return -1;
	for (unsigned int cpu = 0; cpu < cpus; cpu++)
		if (feed_cpu(history, cpu, &view->cpus[cpu]) < 0)
			return -1;
	return 0;
}

static int compare_register(struct history *history, unsigned int cpu, const char *what, uint64_t claimed,
			    uint64_t found)
{
	const struct history_finding finding = {
		.kind = HISTORY_REGISTER,
		.cpu = cpu,
		.claimed = claimed,
		.found = found,
		.what = what,
	};

	history->checks++;
	return claimed == found ? 0 : finding_add(history, &finding);
}

int tables_compare(struct history *history, const struct view *view)
{
	for (unsigned int cpu = 0; cpu < cpu_count(history, view); cpu++) {
		const struct history_cpu *state = &history->cpus[cpu];

		if (!state->has_paging)
			continue;
		if (compare_register(history, cpu, "CR3", state->cr3, view->cpus[cpu].cr3) < 0 ||
		    compare_register(history, cpu, "CR4", state->cr4, view->cpus[cpu].cr4) < 0)
			return -1;
	}
	return walk_all(history, view, false);
}
