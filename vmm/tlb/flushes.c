/* SPDX-License-Identifier: MIT */
/*
 * flushes.c: the translations that each flush must invalidate (SDM vol. 3A 4.10.4.1). The model does not count on those
 * that a flush may invalidate besides.
 */
#include "tlb/internal.h"

bool flush_is_believed(struct tlb *tlb)
{
	if (!tlb->config.disbelieve || ++tlb->believed < tlb->config.disbelieve)
		return true;
	tlb->believed = 0;
	tlb->stats.disbelieved++;
	return false;
}

void flush_count(struct tlb *tlb, enum tlb_event_kind kind, uint64_t paid)
{
	tlb->stats.flushes[kind]++;
	tlb->stats.needless[kind] += !paid;
}

/* 1 if it was owed, 0 if the tables give it anyway, or if the flush does not cover it. */
static uint64_t pay(struct tlb *tlb, struct debt *debt)
{
	uint64_t owed;

	if (debt->is.since > tlb->cpus[debt->is.cpu].covers)
		return 0;
	owed = debt_is_owed(tlb, &debt->is);

	tlb->stats.debts_paid += owed;
	debt_drop(tlb, debt);
	return owed;
}

uint64_t flush_pcid(struct tlb *tlb, unsigned int cpu, int pcid, bool globals)
{
	uint64_t paid = 0;

	for (unsigned int list = 0; list < (globals ? DEBT_LISTS : DEBT_GLOBALS); list++) {
		if (pcid >= 0 && list < DEBT_GLOBALS && list % DEBT_PCIDS != (unsigned int)pcid % DEBT_PCIDS)
			continue;
		for (struct debt *debt = tlb->cpus[cpu].lists[list], *next; debt; debt = next) {
			next = debt->next;
			if (debt->is.is_global ? globals : pcid < 0 || debt->is.pcid == pcid)
				paid += pay(tlb, debt);
		}
	}
	return paid;
}

struct page_flush {
	uint16_t pcid;
	bool globals; /* too */
	uint64_t paid;
};

static void pay_in_range(struct tlb *tlb, struct debt *debt, void *context)
{
	struct page_flush *flush = context;

	if (debt->is.is_global ? flush->globals : debt->is.pcid == flush->pcid)
		flush->paid += pay(tlb, debt);
}

/* INVLPG of [start, last]: pages of the current PCID and global ones there, and all paging-structure caches of the PCID. */
static void invlpg(struct tlb *tlb, const struct tlb_event *event, uint64_t start, uint64_t last)
{
	struct cpu *state = &tlb->cpus[event->cpu];
	struct page_flush flush = { cpu_pcid(state), true, 0 };

	if (!flush_is_believed(tlb))
		return;
	if (state->debts)
		debts_in_range(tlb, event->cpu, start, last, pay_in_range, &flush);
	for (struct debt *debt = state->lists[DEBT_TABLES + flush.pcid % DEBT_PCIDS], *next; debt;
	     debt = next) {
		next = debt->next;
		if (debt->is.pcid == flush.pcid)
			flush.paid += pay(tlb, debt);
	}
	flush_count(tlb, event->kind, flush.paid);
}

void flush_invlpg(struct tlb *tlb, const struct tlb_event *event)
{
	invlpg(tlb, event, event->address, event->address);
}

void flush_range(struct tlb *tlb, const struct tlb_event *event)
{
	if (event->address < event->value)
		invlpg(tlb, event, event->address, event->value - 1);
}

void flush_invpcid(struct tlb *tlb, const struct tlb_event *event)
{
	struct page_flush flush = { (uint16_t)event->value, false, 0 };
	unsigned int type = event->flags;
	bool all = type == TLB_INVPCID_ALL || type == TLB_INVPCID_ALL_WITH_GLOBAL;

	if (!flush_is_believed(tlb))
		return;
	if (type == TLB_INVPCID_ADDRESS) {
		debts_in_range(tlb, event->cpu, event->address, event->address, pay_in_range, &flush);
		flush_count(tlb, event->kind, flush.paid);
		return;
	}
	flush_count(tlb, event->kind,
		    flush_pcid(tlb, event->cpu, all ? -1 : (int)event->value,
			       type == TLB_INVPCID_ALL_WITH_GLOBAL));
	contexts_forget(tlb, event->cpu, all ? -1 : (int)event->value);
}
