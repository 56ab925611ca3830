/* SPDX-License-Identifier: MIT */
/*
 * stores.c: an entry of a table changes. Each translation that it gave before and does not give any more becomes a debt,
 * at every address and for every CPU that reaches it.
 */
#include "tlb/internal.h"

/* Collects what the entry gives at each place, for each role of its page. */
static void collect_old(struct tlb *tlb, const struct page *page, unsigned int index)
{
	tlb->items.count = 0;
	tlb->groups.count = 0;
	for (unsigned int level = 1; level <= LEVELS_MAX; level++) {
		if (!page->roles[level])
			continue;
		places_find(tlb, page->roles[level]);
		for (size_t i = 0; i < tlb->places.count; i++) {
			struct group group = { tlb->places.items[i], level, tlb->items.count, 0 };

			group.place.va =
				page_canonical(group.place.root->level,
					       group.place.va + ((uint64_t)index << page_level_shift(level)));
			items_of_entry(tlb, level, page->entries[index], group.place.va, group.place.rights);
			group.count = tlb->items.count - group.first;
			if (array_push(&tlb->groups, group) < 0)
				tlb->no_memory = true;
		}
	}
}

/* Replaces the entry, and with it the links to tables. A table that it linked is held until the end of the event. */
static void replace(struct tlb *tlb, struct page *page, unsigned int index, uint64_t value)
{
	bool had[LEVELS_MAX + 1];

	for (unsigned int level = 1; level <= LEVELS_MAX; level++) {
		had[level] = page->roles[level];
		if (had[level]) {
			node_hold(tlb, page->roles[level]);
			node_hold(tlb, node_below(tlb, level, page->entries[index]));
		}
	}
	if (tlb->no_memory)
		return;
	for (unsigned int level = 1; level <= LEVELS_MAX; level++)
		if (had[level])
			node_detach(tlb, page->roles[level], index);
	page->entries[index] = value;
	/* Roles that a recursive entry makes now are linked as a whole when they are made. */
	for (unsigned int level = 1; level <= LEVELS_MAX; level++)
		if (had[level])
			node_attach(tlb, page->roles[level], index);
}

/* For each CPU and PCID that has the root. */
static void lose(struct tlb *tlb, const struct node *root, const struct item *item,
		 const struct removal *removal)
{
	for (unsigned int cpu = 0; cpu < tlb->config.cpus; cpu++) {
		struct cpu *state = &tlb->cpus[cpu];

		for (size_t i = 0; i < state->contexts.count && work_do(tlb, 1); i++) {
			const struct context *context = &state->contexts.items[i];
			bool is_global = item->is_global && cpu_has(state, CR4_PGE);

			/* Global ones are held by the current context; a change of roots has made debts of the others. */
			if (context->root == root && (!is_global || (int)i == state->current))
				debt_add(tlb, cpu, context->pcid, item, removal);
		}
	}
}

struct gain {
	const struct removal *by;
	const struct node *root;
};

static void check_remapped(struct tlb *tlb, struct debt *debt, const struct gain *gain)
{
	const struct cpu *cpu = &tlb->cpus[debt->is.cpu];
	uint64_t va = debt->is.va;

	if (!(va >> 63) || (va >= tlb->config.local_start && va < tlb->config.local_end))
		return;
	if (cpu->is_halted || cpu->halted > debt->is.since || !debt_is_usable(tlb, &debt->is))
		return;
	if (debt_report_once(tlb, debt, TLB_RULE_REMAPPED))
		match_add(tlb, TLB_RULE_REMAPPED, gain->by->cpu, va, &debt->is, UINT64_MAX);
}

/* An entry came in at the debt's address. */
static void gain_at(struct tlb *tlb, struct debt *debt, void *context)
{
	const struct gain *gain = context;
	const struct context *compared = debt_context(tlb, &debt->is);
	const struct item item = {
		.va = debt->is.va,
		.frame = debt->is.frame,
		.level = debt->is.level,
		.rights = debt->is.rights,
		.is_table = debt->is.is_table,
		.is_global = debt->is.is_global,
	};
	struct given now;

	if (!compared || compared->root != gain->root)
		return;
	now = tables_give(tlb, gain->root, item.va, item.level);
	if (now.kind == GIVEN_UNKNOWN)
		return;
	if (now.kind == GIVEN_PAGE && !cpu_has(&tlb->cpus[debt->is.cpu], CR4_PGE))
		now.item.is_global = false;
	if (given_has(&now, &item)) {
		debt_drop(tlb, debt);
		return;
	}
	if (item.is_table)
		return;
	now = tables_give(tlb, gain->root, item.va, 1);
	if (now.kind != GIVEN_PAGE || now.item.frame + (item.va - now.item.va) == item.frame)
		return;
	if (!(item.rights & RIGHT_U) || (debt->is.thread && debt->is.thread == gain->by->thread))
		debt->is.is_replaced = true;
	check_remapped(tlb, debt, gain);
}

static void gain(struct tlb *tlb, const struct group *group, const struct removal *by)
{
	struct gain gain = { by, group->place.root };
	uint64_t last = group->place.va + (page_level_size(group->level) - 1);

	for (unsigned int cpu = 0; cpu < tlb->config.cpus; cpu++)
		if (tlb->cpus[cpu].debts)
			debts_in_range(tlb, cpu, group->place.va, last, gain_at, &gain);
}

static void change(struct tlb *tlb, struct page *page, unsigned int index, uint64_t value,
		   const struct removal *by)
{
	uint64_t old = page->entries[index];

	if (!((old ^ value) & ~PTE_STATUS)) {
		page->entries[index] = value;
		return;
	}
	tlb->stats.entries_changed++;
	collect_old(tlb, page, index);
	replace(tlb, page, index, value);
	for (size_t i = 0; i < tlb->groups.count; i++) {
		const struct group *group = &tlb->groups.items[i];

		for (size_t j = group->first; j < group->first + group->count; j++)
			if (!tables_have(tlb, group->place.root, &tlb->items.items[j]))
				lose(tlb, group->place.root, &tlb->items.items[j], by);
		if (value & PTE_P)
			gain(tlb, group, by);
	}
}

/* The entry was not what the source says it was: it changed to that without an event. */
static void change_unlogged(struct tlb *tlb, struct page *page, unsigned int index, uint64_t value,
			    unsigned int cpu)
{
	const struct removal by = { .cpu = (uint16_t)cpu };

	match_add(tlb, TLB_RULE_UNLOGGED_STORE, cpu, page->gpa + index * sizeof(uint64_t), NULL, UINT64_MAX);
	change(tlb, page, index, value, &by);
}

void store_page(struct tlb *tlb, const struct tlb_event *event)
{
	struct page *page = page_find(tlb, event->address);

	if (!page || !page->is_known || page->is_spare) {
		page_learn(tlb, event->address, event->entries);
		return;
	}
	for (unsigned int i = 0; i < PAGE_TABLE_ENTRIES; i++)
		if ((page->entries[i] ^ event->entries[i]) & ~PTE_STATUS)
			change_unlogged(tlb, page, i, event->entries[i], event->cpu);
}

static void check_table_write(struct tlb *tlb, struct debt *debt, void *context)
{
	const struct tlb_event *event = context;

	if (!debt->is.is_table || !debt->is.was_freed || !debt_is_owed(tlb, &debt->is))
		return;
	tlb->stats.table_writes++;
	match_owed(tlb, TLB_RULE_TABLE_WRITE, event->cpu, event->address, debt);
}

void store_entry(struct tlb *tlb, const struct tlb_event *event)
{
	const struct removal by = { .cpu = event->cpu, .thread = event->thread };
	uint64_t gpa = page_round_down(event->address, PAGE_4K);
	unsigned int index = event->address % PAGE_4K / sizeof(uint64_t);
	struct page *page;

	if (event->value && tlb->stats.debts_now)
		debts_of_frame(tlb, gpa, check_table_write, (void *)event);
	page = page_find(tlb, gpa);
	if (page && !page->is_spare && root_drop(tlb, page))
		page = NULL;
	if (!page || (!page->is_known && !page->is_spare)) {
		tlb->stats.stores_elsewhere++;
		return;
	}
	if (page->is_spare) {
		page->entries[index] = event->value;
		return;
	}
	if ((event->flags & TLB_STORE_OLD_KNOWN) && ((page->entries[index] ^ event->old) & ~PTE_STATUS)) {
		/* The page is held until the end of the event. */
		change_unlogged(tlb, page, index, event->old, event->cpu);
	}
	change(tlb, page, index, event->value, &by);
}
