/* SPDX-License-Identifier: MIT */
/*
 * uses.c: accesses: whether one could go by a translation that is held no longer by right.
 */
#include "tlb/internal.h"

struct use {
	const struct tlb_event *event;
	uint64_t va, used;  /* used: GPA; UINT64_MAX: not known */
	unsigned int needs; /* enum rights */
};

/* A supervisor writes to read-only pages unless CR0.WP is set (SDM vol. 3A 4.6.1). */
static unsigned int needs_of(const struct cpu *cpu, unsigned int flags)
{
	bool is_user = flags & TLB_ACCESS_USER;
	unsigned int needs = RIGHT_R | (is_user ? RIGHT_U : 0);

	if ((flags & TLB_ACCESS_WRITE) && (is_user || (cpu->cr0 & CR0_WP)))
		needs |= RIGHT_W;
	return needs | (flags & TLB_ACCESS_FETCH ? RIGHT_X : 0);
}

static void use_debt(struct tlb *tlb, struct debt *debt, const struct use *use, const struct given *now)
{
	uint64_t size = page_level_size(debt->is.level), old = debt->is.frame + (use->va & (size - 1)),
		 given = 0;
	bool is_elsewhere, is_stale;
	enum tlb_rule rule;

	if (now->kind == GIVEN_PAGE)
		given = now->item.frame + (use->va - now->item.va);
	is_elsewhere = now->kind == GIVEN_PAGE && given != old;
	if (now->kind == GIVEN_PAGE && !is_elsewhere && !(use->needs & ~now->item.rights)) {
		tlb->stats.uses_harmless++;
		return;
	}
	/* The remover may be about to flush. */
	if (!debt->is.is_over && !(is_elsewhere && debt->is.is_replaced)) {
		tlb->stats.uses_early++;
		return;
	}
	tlb->stats.uses_late++;
	is_stale = use->used != UINT64_MAX && use->used / PAGE_4K == old / PAGE_4K;
	rule = is_stale ? TLB_RULE_STALE_USE : TLB_RULE_EXPOSED_USE;
	if (debt_report_once(tlb, debt, rule))
		match_add(tlb, rule, use->event->cpu, use->va, &debt->is, use->used);
}

static void use_page(struct tlb *tlb, const struct use *use)
{
	unsigned int cpu = use->event->cpu;
	struct cpu *state = &tlb->cpus[cpu];
	struct given now;
	bool has_walked = false;

	if (!tlb_may_owe(tlb, cpu, use->va))
		return;

	for (unsigned int level = 1; level <= 3; level++)
		for (struct debt *debt = debt_at(tlb, cpu, level, use->va), *next; debt; debt = next) {
			next = debt_next_at(debt);
			if (debt->is.is_table || !debt_is_usable(tlb, &debt->is) ||
			    (use->needs & ~debt->is.rights))
				continue;
			if (!has_walked)
				now = tables_give(tlb, state->contexts.items[state->current].root, use->va,
						  1);
			has_walked = true;
			if (now.kind == GIVEN_UNKNOWN)
				return;
			use_debt(tlb, debt, use, &now);
		}
}

void use_access(struct tlb *tlb, const struct tlb_event *event)
{
	struct cpu *cpu = &tlb->cpus[event->cpu];
	uint64_t size = 1ull << (event->flags >> TLB_ACCESS_SIZE_SHIFT & 7), last = event->address + size - 1;
	struct use use = { event, event->address, UINT64_MAX, needs_of(cpu, event->flags) };

	if (!cpu->debts || cpu->current < 0)
		return;
	if (event->flags & TLB_ACCESS_USED)
		use.used = event->value;
	use_page(tlb, &use);
	if (last / PAGE_4K == event->address / PAGE_4K)
		return;
	/* The second page: which GPA was used there is not known. */
	use.va = page_round_down(last, PAGE_4K);
	use.used = UINT64_MAX;
	use_page(tlb, &use);
}
