/* SPDX-License-Identifier: MIT */
/*
 * feed.c: a model from its creation to its end, and the events that it takes.
 */
#include "tlb/internal.h"

#include <inttypes.h>
#include <stdlib.h>

struct tlb_config tlb_config_default(void)
{
	return (struct tlb_config){
		.cpus = 1,
		.rules = tlb_profile_rules('A'),
		.pages_1g = true,
		.limits = {
			.pages = 1u << 16,
			.debts = 1u << 20,
			.debts_per_address = 8,
			.contexts = 64,
			.roots = 1024,
			.places = 256,
			.findings = 32,
		},
	};
}

int tlb_create(const struct tlb_config *config, struct tlb **out, struct error *error)
{
	struct tlb *tlb;

	if (!config->cpus || config->cpus > TLB_CPUS_MAX)
		return error_set(error, ERROR_INPUT, 0, 0, "%u CPUs: a TLB model has 1 to %d", config->cpus,
				 TLB_CPUS_MAX);
	tlb = calloc(1, sizeof(*tlb));
	if (tlb) {
		tlb->config = *config;
		tlb->cpus = calloc(config->cpus, sizeof(*tlb->cpus));
	}
	if (!tlb || !tlb->cpus || debts_create(tlb) < 0) {
		tlb_destroy(tlb);
		return error_set(error, ERROR_HOST, 0, 0, "out of memory for the TLB model");
	}
	for (unsigned int i = 0; i < config->cpus; i++) {
		tlb->cpus[i].current = -1;
		tlb->cpus[i].cr0 = CR0_WP;
		tlb->cpus[i].covers = UINT64_MAX;
		/* Sources that do not see EFER are in long mode once paging is on. */
		tlb->cpus[i].efer = EFER_LME;
	}
	tlb->work_left = WORK_MAX;
	tlb->believed = config->disbelieve ? config->phase % config->disbelieve : 0;
	*out = tlb;
	return 0;
}

void tlb_destroy(struct tlb *tlb)
{
	if (!tlb)
		return;
	debts_destroy(tlb);
	pages_destroy(tlb);
	for (unsigned int i = 0; tlb->cpus && i < tlb->config.cpus; i++) {
		free(tlb->cpus[i].contexts.items);
		free(tlb->cpus[i].filter);
	}
	free(tlb->cpus);
	free(tlb->items.items);
	free(tlb->places.items);
	free(tlb->groups.items);
	free(tlb->held.items);
	free(tlb->rounds.items);
	free(tlb->findings.items);
	free(tlb);
}

static void take_flush(struct tlb *tlb, const struct tlb_event *event)
{
	if (event->kind == TLB_INVLPG)
		flush_invlpg(tlb, event);
	else if (event->kind == TLB_INVPCID)
		flush_invpcid(tlb, event);
	else
		flush_range(tlb, event);
}

static void take(struct tlb *tlb, const struct tlb_event *event)
{
	struct cpu *cpu = &tlb->cpus[event->cpu];

	switch ((enum tlb_event_kind)event->kind) {
	case TLB_PAGE: store_page(tlb, event); break;
	case TLB_STORE: store_entry(tlb, event); break;
	case TLB_INVLPG:
	case TLB_INVPCID:
	case TLB_FLUSH_RANGE: take_flush(tlb, event); break;
	case TLB_CR0: registers_cr0(tlb, event); break;
	case TLB_CR3: registers_cr3(tlb, event); break;
	case TLB_CR4: registers_cr4(tlb, event); break;
	case TLB_EFER: registers_efer(tlb, event); break;
	case TLB_USER: user_enter(tlb, event); break;
	case TLB_KERNEL: cpu->in_user = false; break;
	case TLB_HALT:
		cpu->is_halted = true;
		cpu->halted = tlb->seq;
		break;
	case TLB_WAKE: cpu_wake(tlb, event); break;
	case TLB_OPERATION_END: operation_end(tlb, event); break;
	case TLB_ACCESS: use_access(tlb, event); break;
	case TLB_ROUND_REQUEST: round_request(tlb, event); break;
	case TLB_ROUND_DONE: round_done(tlb, event); break;
	case TLB_FRAMES_TAKEN:
	case TLB_FRAMES_RETURNED: reuse_frames(tlb, event); break;
	case TLB_RANGE_TAKEN:
	case TLB_RANGE_RETURNED: reuse_range(tlb, event); break;
	case TLB_FLUSH_BEGUN: cpu->covers = event->value; break;
	case TLB_FLUSHED: promise_done(tlb, event); break;
	case TLB_IPI:
	case TLB_EVENT_KINDS: break;
	}
}

int tlb_feed(struct tlb *tlb, const struct tlb_event *event, struct error *error)
{
	const char *wrong = tlb_event_wrong(event, tlb->config.cpus);

	if (wrong)
		return error_set(error, ERROR_INPUT, 0, 0, "event %" PRIu64 " of the TLB model: %s",
				 tlb->seq + 1, wrong);
	/* Not of pages: a recording has them as events, and a source with tlb_config.page has not. */
	tlb->seq += event->kind != TLB_PAGE;
	tlb->stats.events[event->kind]++;
	tlb->work_left += tlb->work_left < WORK_MAX ? WORK_PER_EVENT : 0;
	take(tlb, event);
	/* A recording has pages before the event that needs them. */
	if (event->kind != TLB_FLUSH_BEGUN && event->kind != TLB_PAGE)
		tlb->cpus[event->cpu].covers = UINT64_MAX;
	/* Only now, so that no table is forgotten and read again in one event: a recording has it once, before the event. */
	nodes_unhold(tlb);
	if (tlb->no_memory)
		return error_set(error, ERROR_HOST, 0, 0, "out of memory for the TLB model");
	return 0;
}

uint64_t tlb_seq(const struct tlb *tlb)
{
	return tlb->seq;
}

static void note_table(struct tlb *tlb, struct debt *debt, void *context)
{
	(void)tlb;
	*(bool *)context |= debt->is.is_table;
}

bool tlb_watches(const struct tlb *tlb, uint64_t gpa)
{
	bool is_table = false;

	gpa = page_round_down(gpa, PAGE_4K);
	if (page_find(tlb, gpa))
		return true;
	debts_of_frame((struct tlb *)tlb, gpa, note_table, &is_table);
	return is_table;
}

bool tlb_owes(const struct tlb *tlb, unsigned int cpu)
{
	return cpu < tlb->config.cpus && tlb->cpus[cpu].debts;
}

bool tlb_owes_fetch(const struct tlb *tlb, unsigned int cpu)
{
	return cpu < tlb->config.cpus && tlb->cpus[cpu].fetches;
}

void tlb_for_each_debt(struct tlb *tlb, unsigned int cpu,
		       void (*visit)(void *context, const struct tlb_debt *debt), void *context)
{
	for (unsigned int list = 0; cpu < tlb->config.cpus && list < DEBT_LISTS; list++)
		for (struct debt *debt = tlb->cpus[cpu].lists[list]; debt; debt = debt->next)
			if (debt_is_owed(tlb, &debt->is))
				visit(context, &debt->is);
}

bool tlb_entry(const struct tlb *tlb, uint64_t gpa, uint64_t *out)
{
	const struct page *page = page_find(tlb, page_round_down(gpa, PAGE_4K));

	if (!page || !page->is_known || page->is_spare || gpa % sizeof(*out))
		return false;
	*out = page->entries[gpa % PAGE_4K / sizeof(*out)];
	return true;
}

const struct tlb_config *tlb_config(const struct tlb *tlb)
{
	return &tlb->config;
}

const struct tlb_stats *tlb_stats(const struct tlb *tlb)
{
	return &tlb->stats;
}

const struct tlb_findings *tlb_findings(const struct tlb *tlb)
{
	return &tlb->findings;
}

uint64_t tlb_matches(const struct tlb *tlb, enum tlb_rule rule)
{
	return tlb->matches[rule];
}

struct tlb_result tlb_result(const struct tlb *tlb)
{
	struct tlb_result result = {
		.config = tlb->config,
		.seq = tlb->seq,
		.stats = tlb->stats,
		.findings = tlb->findings.items,
		.finding_count = tlb->findings.count,
	};

	for (unsigned int i = 0; i < TLB_RULE_COUNT; i++)
		result.matches[i] = tlb->matches[i];
	return result;
}

uint64_t tlb_result_findings(const struct tlb_result *result)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < TLB_RULE_COUNT; i++)
		sum += result->config.rules & TLB_RULE_BIT(i) ? result->matches[i] : 0;
	return sum;
}

uint64_t tlb_finding_count(const struct tlb *tlb)
{
	const struct tlb_result result = tlb_result(tlb);

	return tlb_result_findings(&result);
}
