/* SPDX-License-Identifier: MIT */
/*
 * flush_events.c: V9 where the host reads the guest's event log: what the TLB model and the comparison of its tables with the
 * guest's have found since the last verification. No stamp of the guest is believed.
 */
#include "verify/check.h"

#include "base/page.h"
#include "base/rights.h"
#include "history/history.h"

#include <inttypes.h>
#include <stdio.h>

static bool is_of_frame(enum tlb_rule rule)
{
	return rule == TLB_RULE_FRAME_REUSE || rule == TLB_RULE_TABLE_REUSE || rule == TLB_RULE_TABLE_WRITE ||
	       rule == TLB_RULE_TABLE_RETURNED;
}

/* "CPU 1 may use 4K page 0x... of frame 0x..., rw-". */
static void found_debt(struct finding *finding, const struct tlb_debt *debt)
{
	if (debt->is_table)
		finding_found(finding, "CPU %u may walk the page table 0x%" PRIx64 " for 0x%" PRIx64,
			      debt->cpu, debt->frame, debt->va);
	else
		finding_found(finding, "CPU %u may use 0x%" PRIx64 " as %s page of 0x%" PRIx64 ", %s",
			      debt->cpu, debt->va, page_size_name(page_level_size(debt->level)), debt->frame,
			      RIGHTS_TEXT(debt->rights));
}

static void claimed_rule(struct finding *finding, enum tlb_rule rule)
{
	switch (rule) {
	case TLB_RULE_FRAME_REUSE: finding_claimed(finding, "a flush before the frame is used again"); break;
	case TLB_RULE_TABLE_REUSE:
	case TLB_RULE_TABLE_WRITE:
		finding_claimed(finding, "a flush before what was a page table is used again");
		break;
	case TLB_RULE_TABLE_RETURNED:
		finding_claimed(finding, "a flush before what was a page table is freed");
		break;
	case TLB_RULE_RANGE_REUSE:
		finding_claimed(finding, "a flush before the address is used again");
		break;
	case TLB_RULE_RIGHT_KEPT: finding_claimed(finding, "a flush since a right was taken away"); break;
	case TLB_RULE_EXECUTE_KEPT:
		finding_claimed(finding, "a flush since an executable range was unmapped");
		break;
	case TLB_RULE_FLUSH_PROMISED:
		finding_claimed(finding, "a flush of all that was unmapped before");
		break;
	case TLB_RULE_ROUND_SHORT: finding_claimed(finding, "a complete round of flushes"); break;
	default: finding_claimed(finding, "no %s", tlb_rules[rule].word); break;
	}
}

static void report_rule(struct check *check, const struct history_finding *history)
{
	const struct tlb_debt *debt = &history->tlb.debt;
	uint64_t at = is_of_frame(history->tlb.rule) ? debt->frame : debt->va;
	const struct finding_pages pages = {
		.start = at,
		.size = tlb_debt_size(debt),
		.cause = tlb_rules[history->tlb.rule].word,
		.variant = history->cause,
		.gaps = true,
		.object = { OBJECT_FLUSH, history->cause, history->cause + 1 },
	};
	struct finding *finding = finding_new_pages(check, at, &pages);

	claimed_rule(finding, history->tlb.rule);
	found_debt(finding, debt);
	finding_where_gva(finding, check, debt->va);
}

/* An entry that is not what the log leads to. */
static void report_entry(struct check *check, const struct history_finding *history)
{
	bool at_stop = history->kind == HISTORY_ENTRY;
	const struct finding_pages pages = {
		.start = history->address,
		.size = sizeof(uint64_t),
		.cause = at_stop ? "entry" : "old value",
		.count = 1,
		.gaps = true,
		.group = history->address & ~(PAGE_4K - 1ull),
		.object = { OBJECT_PHYSICAL, history->address, history->address + sizeof(uint64_t) },
	};
	struct finding *finding =
		finding_new_pages(check, history->va ? history->va : history->address, &pages);

	finding_claimed(finding,
			at_stop ? "entry 0x%016" PRIx64 ", by the event log"
				: "old value 0x%016" PRIx64 " of an entry, by the event log",
			history->claimed);
	finding_found(finding,
		      at_stop ? "0x%016" PRIx64 " in the page table"
			      : "0x%016" PRIx64 ", by the records before",
		      history->found);
	if (history->va)
		finding_where_gva(finding, check, history->va);
	else
		finding_where(finding, "entry at GPA 0x%" PRIx64, history->address);
}

static void report_round(struct check *check, const struct history_finding *history)
{
	struct finding *finding = finding_new(check, history->address);

	if (history->kind == HISTORY_ROUND_EARLY) {
		finding_claimed(finding, "round %" PRIu64 " of flushes is complete", history->claimed);
		finding_found(finding, "CPU %u has logged no flush of it", history->cpu);
	} else {
		finding_claimed(finding, "CPU %u has flushed before it went on", history->cpu);
		finding_found(finding, "no flush since round %" PRIu64 ", which passed it over as idle",
			      history->claimed);
	}
	finding_where(finding, "the event log of CPU %u", history->cpu);
}

static void report_log(struct check *check, const struct history_finding *history)
{
	struct finding *finding = finding_new(check, history->address);

	if (history->kind == HISTORY_LOG_LOST) {
		finding_claimed(finding, "every record of the event log");
		finding_found(finding, "%" PRIu64 " are missing, from number %" PRIu64 " on",
			      history->claimed, history->found);
	} else if (history->kind == HISTORY_INVLPG) {
		finding_claimed(finding, "%" PRIu64 " INVLPG instructions, by the event log",
				history->claimed);
		finding_found(finding, "KVM has emulated %" PRIu64, history->found);
	} else if (history->kind == HISTORY_REGISTER) {
		finding_claimed(finding, "%s 0x%" PRIx64, history->what, history->claimed);
		finding_found(finding, "0x%" PRIx64 ", without an event", history->found);
	} else {
		finding_claimed(finding, "an event log that can be");
		finding_found(finding, "%s (0x%" PRIx64 ")", history->what, history->claimed);
	}
	finding_where(finding, "the event log of CPU %u", history->cpu);
}

/* An idle CPU that a round has passed over must be marked to flush when it wakes. */
static void check_marks(struct check *check, const struct history *history)
{
	const struct claims *claims = check->facts->claims;

	for (unsigned int cpu = 0; cpu < claims->cpu_count; cpu++) {
		uint64_t round = history_must_flush(history, cpu);
		struct finding *finding;

		if (!round)
			continue;
		check->result->checked++;
		if (claims->cpu_states[cpu] == CPU_IDLE_STALE)
			continue;
		finding = finding_new(check, round);
		finding_claimed(finding, "idle CPU %u is marked to flush when it wakes", cpu);
		finding_found(finding, "it is not, since round %" PRIu64 " of flushes passed it over", round);
		finding_where(finding, "cpus[%u].state", cpu);
	}
}

/*
 * After an operation that promises it no area waits: for its flush, or to be unmapped. Mappings in a vmap block that were
 * flushed stay lazily freed until the block is empty: rule flush-promised is the one for these.
 */
static void check_waiting(struct check *check, const struct history *history)
{
	const struct claims *claims = check->facts->claims;

	for (size_t i = 0; history_is_purged(history) && i < claims->areas.count; i++) {
		const struct claim_area *area = &claims->areas.items[i];
		struct finding *finding;

		check->result->checked++;
		if ((area->state != AREA_LAZY && !area->deferred) || area->flags & VM_MAP_RAM)
			continue;
		finding = finding_new(check, area->va_start);
		finding_claimed(finding, "nothing is left to be flushed or unmapped");
		finding_found(finding, area->deferred ? "an area that vfree_atomic() left"
						      : "an area that is lazily freed");
		finding_where_area(finding, check, area);
	}
}

static void report_block(struct check *check, uint64_t pfn, const char *claimed, const char *found)
{
	uint64_t gpa = pfn * PAGE_4K;
	struct finding *finding = finding_new_frame(check, gpa);

	finding_claimed(finding, "%s", claimed);
	finding_found(finding, "%s", found);
	finding_where_gva(finding, check, KVMAP_DIRECT_BASE + gpa);
}

/*
 * Each buddy block of kmalloc() and alloc_pages() has a record of its allocation, and none of its release; each block and slab
 * that has a record of its allocation alone is in use. Slabs may be older than the log.
 */
static void check_blocks(struct check *check, const struct history *history)
{
	const struct claims *claims = check->facts->claims;

	if (check_lacks(check, PART_STRUCT_PAGES | PART_OWNERS))
		return;
	for (size_t i = 0; i < claims->pages.count; i++) {
		uint64_t pfn = claims->pages.items[i].pfn;

		if (claims->pages.items[i].owner != PAGE_KMALLOC || !history_knows_block(pfn))
			continue;
		check->result->checked++;
		if (!history_has_block(history, pfn))
			report_block(check, pfn, "a record of each allocation in the event log",
				     "a block in use that has none");
	}
	for (uint64_t pfn = history_next_block(history, 0); pfn != UINT64_MAX;
	     pfn = history_next_block(history, pfn + 1)) {
		const struct claim_page *page = claims_page(claims, pfn);

		check->result->checked++;
		if (!page || (page->owner != PAGE_KMALLOC && page->owner != PAGE_SLAB))
			report_block(check, pfn, "in use, by the event log",
				     "it is not, and no record says that it was freed");
	}
}

static void report_not_seen(struct check *check, const struct history *history)
{
	uint64_t count = history_not_seen(history);

	if (count)
		snprintf(check->result->why_not, sizeof(check->result->why_not),
			 "the TLB model left %" PRIu64
			 " of what the event log says out, by its limits (docs/tlb-model.md)",
			 count);
}

static void report_no_log(struct check *check)
{
	struct finding *finding = finding_new(check, 0);

	finding_claimed(finding, "an event log, as the boot record requests");
	finding_found(finding, "the guest has not begun one");
	finding_where(finding, "the doorbell");
}

void check_flush_events(struct check *check)
{
	struct history *history = check->facts->input->history;
	const struct history_findings *findings = history_new_findings(history);

	if (!history_has_begun(history))
		report_no_log(check);
	check->result->checked += history_new_checks(history);
	check_marks(check, history);
	check_waiting(check, history);
	if (!check->facts->input->died && history_has_begun(history))
		check_blocks(check, history);
	report_not_seen(check, history);
	for (size_t i = 0; i < findings->count; i++) {
		const struct history_finding *finding = &findings->items[i];

		switch (finding->kind) {
		case HISTORY_RULE: report_rule(check, finding); break;
		case HISTORY_OLD_VALUE:
		case HISTORY_ENTRY: report_entry(check, finding); break;
		case HISTORY_ROUND_EARLY:
		case HISTORY_WOKE_UNFLUSHED: report_round(check, finding); break;
		default: report_log(check, finding); break;
		}
	}
}
