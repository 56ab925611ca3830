/* SPDX-License-Identifier: MIT */
/*
 * rules.c: the table of rules, their matches, and the rules about the end of an operation.
 */
#include "tlb/internal.h"

#include <string.h>

const struct tlb_rule_text tlb_rules[TLB_RULE_COUNT] = {
#define RULE(NAME, word, profiles, proves, blind) [TLB_RULE_##NAME] = { word, profiles, proves, blind },
	TLB_RULES(RULE)
#undef RULE
};

uint32_t tlb_profile_rules(char profile)
{
	uint32_t mask = 0;

	for (unsigned int i = 0; profile && i < TLB_RULE_COUNT; i++)
		if (strchr(tlb_rules[i].profiles, profile))
			mask |= TLB_RULE_BIT(i);
	return mask;
}

void match_add(struct tlb *tlb, enum tlb_rule rule, unsigned int cpu, uint64_t address,
	       const struct tlb_debt *debt, uint64_t used)
{
	struct tlb_finding finding = {
		.rule = rule,
		.seq = tlb->seq,
		.cpu = (uint16_t)cpu,
		.address = address,
		.used = used,
		.has_debt = debt,
	};

	tlb->matches[rule]++;
	if (!(tlb->config.rules & TLB_RULE_BIT(rule)) || tlb->listed[rule] >= tlb->config.limits.findings)
		return;
	if (debt)
		finding.debt = *debt;
	if (array_push(&tlb->findings, finding) < 0)
		tlb->no_memory = true;
	else
		tlb->listed[rule]++;
}

/*
 * Whether the debt's CPU is halted, and so need not have flushed for that rule, which is a finding: it must when it wakes,
 * where cpu_wake() verifies that, if round-short is a finding, too.
 */
static bool is_excused(struct tlb *tlb, struct debt *debt, enum tlb_rule rule)
{
	uint32_t both = TLB_RULE_BIT(TLB_RULE_ROUND_SHORT) | TLB_RULE_BIT(rule);

	if (!tlb->cpus[debt->is.cpu].is_halted || (tlb->config.rules & both) != both)
		return false;
	tlb->stats.halted_owed += !debt->is.was_excused;
	debt->is.was_excused = true;
	return true;
}

void match_owed(struct tlb *tlb, enum tlb_rule rule, unsigned int cpu, uint64_t address, struct debt *debt)
{
	if (!is_excused(tlb, debt, rule) && debt_report_once(tlb, debt, rule))
		match_add(tlb, rule, cpu, address, &debt->is, UINT64_MAX);
}

/* ---- ring 3 ---- */

/* A CPU in ring 3 and a debt of it. */
static void check_user(struct tlb *tlb, struct debt *debt)
{
	if (!(debt->is.rights & RIGHT_U) || !debt->is.is_over || !debt_is_usable(tlb, &debt->is))
		return;
	if ((debt->reported & TLB_RULE_BIT(TLB_RULE_USER_OWES)) || !debt_is_owed(tlb, &debt->is))
		return;
	debt_report_once(tlb, debt, TLB_RULE_USER_OWES);
	match_add(tlb, TLB_RULE_USER_OWES, debt->is.cpu, debt->is.va, &debt->is, UINT64_MAX);
}

/* The frame of an owed page is still mapped there: with fewer rights. */
static bool is_right_lost(struct tlb *tlb, const struct tlb_debt *debt)
{
	struct given now = tables_give(tlb, debt_context(tlb, debt)->root, debt->va, 1);

	return now.kind == GIVEN_PAGE && now.item.frame + (debt->va - now.item.va) == debt->frame;
}

static void check_right(struct tlb *tlb, struct debt *debt)
{
	enum tlb_rule rule;

	if (!debt_is_owed(tlb, &debt->is))
		return;
	if (debt->is.is_table)
		rule = TLB_RULE_TABLE_KEPT;
	else if (is_right_lost(tlb, &debt->is))
		rule = TLB_RULE_RIGHT_KEPT;
	else if ((debt->is.rights & (RIGHT_X | RIGHT_W)) == RIGHT_X)
		rule = TLB_RULE_EXECUTE_KEPT;
	else
		return;
	match_owed(tlb, rule, debt->is.cpu, debt->is.va, debt);
}

void operation_end(struct tlb *tlb, const struct tlb_event *event)
{
	struct thread *thread = event->thread ? thread_find(tlb, event->thread) : NULL;

	/* The last debt that is over ends the thread. */
	for (struct debt *debt = thread ? thread->debts : NULL, *next; debt; debt = next) {
		next = debt->thread_next;
		debt_set_over(tlb, debt);
		check_right(tlb, debt);
		if (tlb->cpus[debt->is.cpu].in_user)
			check_user(tlb, debt);
	}
}

void user_enter(struct tlb *tlb, const struct tlb_event *event)
{
	struct cpu *cpu = &tlb->cpus[event->cpu];

	cpu->in_user = true;
	operation_end(tlb, event);
	/* The CPU can use debts of its PCID, and global ones. */
	for (unsigned int i = 0; cpu->due && i < 2; i++)
		for (struct debt *debt =
			     cpu->lists[i ? DEBT_GLOBALS : DEBT_PAGES + cpu_pcid(cpu) % DEBT_PCIDS];
		     debt; debt = debt->next)
			check_user(tlb, debt);
}

/* ---- halted CPUs ---- */

void cpu_wake(struct tlb *tlb, const struct tlb_event *event)
{
	struct cpu *cpu = &tlb->cpus[event->cpu];

	cpu->is_halted = false;
	for (unsigned int list = 0; list < DEBT_LISTS; list++)
		for (struct debt *debt = cpu->lists[list]; debt; debt = debt->next)
			if (debt->is.was_excused && debt_is_owed(tlb, &debt->is) &&
			    debt_report_once(tlb, debt, TLB_RULE_ROUND_SHORT))
				match_add(tlb, TLB_RULE_ROUND_SHORT, event->cpu, debt->is.va, &debt->is,
					  UINT64_MAX);
}
