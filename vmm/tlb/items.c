/* SPDX-License-Identifier: MIT */
/*
 * items.c: what tables give: walks, and all translations and pointers to tables below an entry.
 */
#include "tlb/internal.h"

static struct item item_of(unsigned int level, uint64_t entry, uint64_t va, unsigned int rights, bool is_page)
{
	return (struct item){
		.va = page_round_down(va, page_level_size(level)),
		.frame = entry_frame(level, entry, is_page),
		.level = (uint8_t)level,
		.rights = is_page ? (uint8_t)(rights & entry_rights(entry)) : 0,
		.is_table = !is_page,
		.is_global = is_page && (entry & PTE_G),
	};
}

struct given tables_give(struct tlb *tlb, const struct node *root, uint64_t va, unsigned int level)
{
	const struct node *node = root;
	unsigned int rights = RIGHTS_ALL;

	if (!work_do(tlb, 1))
		return (struct given){ GIVEN_UNKNOWN, { .va = va } };
	if (page_canonical(root->level, va) != va)
		return (struct given){ GIVEN_NOTHING, { .va = va, .level = (uint8_t)root->level } };
	while (node && node->page->is_known) {
		uint64_t entry = node->page->entries[page_level_index(va, node->level)];
		bool is_page = entry_is_page(tlb, node->level, entry);
		struct given given = { GIVEN_NOTHING, { .va = va, .level = (uint8_t)node->level } };

		if (!is_page && !entry_is_table(node->level, entry))
			return given;
		if (is_page || node->level <= level) {
			given.kind = is_page ? GIVEN_PAGE : GIVEN_TABLE;
			given.item = item_of(node->level, entry, va, rights, is_page);
			return given;
		}
		rights &= entry_rights(entry);
		node = node_below(tlb, node->level, entry);
	}
	tlb->stats.unknown_walks++;
	return (struct given){ GIVEN_UNKNOWN, { .va = va } };
}

bool given_has(const struct given *given, const struct item *item)
{
	return given->kind == (item->is_table ? GIVEN_TABLE : GIVEN_PAGE) &&
	       given->item.level == item->level && given->item.frame == item->frame &&
	       given->item.is_global == item->is_global && !(item->rights & ~given->item.rights);
}

bool tables_have(struct tlb *tlb, const struct node *root, const struct item *item)
{
	struct given now = tables_give(tlb, root, item->va, item->level);

	return now.kind == GIVEN_UNKNOWN || given_has(&now, item);
}

/* False: the limit is reached. */
static bool item_push(struct tlb *tlb, const struct item *item)
{
	if (tlb->items.count >= tlb->config.limits.debts) {
		tlb->stats.debts_dropped++;
		return false;
	}
	if (array_push(&tlb->items, *item) == 0)
		return true;
	tlb->no_memory = true;
	return false;
}

static void items_below(struct tlb *tlb, unsigned int level, uint64_t entry, uint64_t va, unsigned int rights,
			bool only_globals)
{
	bool is_page = entry_is_page(tlb, level, entry);
	struct item item = item_of(level, entry, va, rights, is_page);
	const struct node *node;

	if (!is_page && !entry_is_table(level, entry))
		return;
	if ((!only_globals || item.is_global) && !item_push(tlb, &item))
		return;
	node = is_page ? NULL : node_below(tlb, level, entry);
	if (!node || !node->page->is_known || (only_globals && !node->has_globals) || !work_do(tlb, 64))
		return;
	for (unsigned int i = 0; i < PAGE_TABLE_ENTRIES; i++)
		if (node->page->entries[i] & PTE_P)
			items_below(tlb, level - 1, node->page->entries[i],
				    va + ((uint64_t)i << page_level_shift(level - 1)),
				    rights & entry_rights(entry), only_globals);
}

void items_of_entry(struct tlb *tlb, unsigned int level, uint64_t entry, uint64_t va, unsigned int rights)
{
	items_below(tlb, level, entry, va, rights, false);
}

void items_of_change(struct tlb *tlb, const struct node *from, const struct node *to, bool only_globals)
{
	const struct page *old = from->page, *new = to->page;
	bool is_comparable = from->level == to->level && new->is_known;

	tlb->items.count = 0;
	if (!old->is_known || (only_globals && !from->has_globals))
		return;
	for (unsigned int i = 0; i < PAGE_TABLE_ENTRIES; i++)
		if ((old->entries[i] & PTE_P) &&
		    !(is_comparable && !((old->entries[i] ^ new->entries[i]) & ~PTE_STATUS)))
			items_below(tlb, from->level, old->entries[i],
				    page_canonical(from->level, (uint64_t)i << page_level_shift(from->level)),
				    RIGHTS_ALL, only_globals);
}
