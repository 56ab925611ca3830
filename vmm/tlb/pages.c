/* SPDX-License-Identifier: MIT */
/*
 * pages.c: the model's copy of the page tables. A table lives while an entry of another one, a context or the cache of
 * roots refers to it; then its page is forgotten, and is known again when it becomes a table again.
 */
#include "tlb/internal.h"

#include <stdlib.h>
#include <string.h>

static struct page **page_bucket(const struct tlb *tlb, uint64_t gpa)
{
	return (struct page **)&tlb->pages[hash_of(gpa / PAGE_4K) % PAGE_BUCKETS];
}

struct page *page_find(const struct tlb *tlb, uint64_t gpa)
{
	struct page *page = *page_bucket(tlb, gpa);

	while (page && page->gpa != gpa)
		page = page->next;
	return page;
}

/* ---- pages that are no table yet: a list, of which the oldest are dropped ---- */

static void spare_remove(struct tlb *tlb, struct page *page)
{
	*(page->spare_prev ? &page->spare_prev->spare_next : &tlb->spare_newest) = page->spare_next;
	*(page->spare_next ? &page->spare_next->spare_prev : &tlb->spare_oldest) = page->spare_prev;
	page->spare_next = page->spare_prev = NULL;
	page->is_spare = false;
	tlb->spare_count--;
}

static void spare_add(struct tlb *tlb, struct page *page)
{
	page->is_spare = true;
	page->learned = tlb->seq;
	page->spare_next = tlb->spare_newest;
	*(page->spare_next ? &page->spare_next->spare_prev : &tlb->spare_oldest) = page;
	tlb->spare_newest = page;
	tlb->spare_count++;
}

static void page_forget(struct tlb *tlb, struct page *page)
{
	struct page **at = page_bucket(tlb, page->gpa);

	while (*at != page)
		at = &(*at)->next;
	*at = page->next;
	if (page->is_spare)
		spare_remove(tlb, page);
	else
		tlb->stats.tables_now--;
	free(page);
}

/* NULL: memory is out. */
static struct page *page_new(struct tlb *tlb, uint64_t gpa)
{
	struct page *page, **bucket = page_bucket(tlb, gpa);

	page = calloc(1, sizeof(*page));
	if (!page) {
		tlb->no_memory = true;
		return NULL;
	}
	page->gpa = gpa;
	page->next = *bucket;
	*bucket = page;
	return page;
}

/* The page becomes a table: its contents, if they are known. */
static struct page *page_for_table(struct tlb *tlb, uint64_t gpa)
{
	struct page *page = page_find(tlb, gpa);

	if (page && !page->is_spare)
		return page;
	if (tlb->stats.tables_now >= tlb->config.limits.pages) {
		tlb->stats.pages_dropped++;
		return NULL;
	}
	if (page)
		spare_remove(tlb, page);
	else if (!(page = page_new(tlb, gpa)))
		return NULL;
	else
		page->is_known =
			tlb->config.page && tlb->config.page(tlb->config.context, gpa, page->entries);
	tlb->stats.unknown_tables += !page->is_known;
	tlb->stats.tables_linked++;
	if (++tlb->stats.tables_now > tlb->stats.tables_most)
		tlb->stats.tables_most = tlb->stats.tables_now;
	return page;
}

void page_learn(struct tlb *tlb, uint64_t gpa, const uint64_t entries[512])
{
	struct page *page = page_find(tlb, gpa);

	if (!page) {
		/* An eighth of the limit, and those that the next event may need. */
		if (tlb->spare_count && tlb->spare_count >= tlb->config.limits.pages / 8 &&
		    tlb->spare_oldest->learned != tlb->seq)
			page_forget(tlb, tlb->spare_oldest);
		if (tlb->spare_count >= tlb->config.limits.pages) {
			tlb->stats.pages_dropped++;
			return;
		}
		page = page_new(tlb, gpa);
		if (!page)
			return;
		spare_add(tlb, page);
	}
	memcpy(page->entries, entries, sizeof(page->entries));
	if (page->is_known)
		return;
	page->is_known = true;
	for (unsigned int level = 1; level <= LEVELS_MAX; level++)
		for (unsigned int i = 0; page->roles[level] && i < PAGE_TABLE_ENTRIES; i++)
			node_attach(tlb, page->roles[level], i);
}

/* ---- tables ---- */

struct node *node_below(const struct tlb *tlb, unsigned int level, uint64_t entry)
{
	struct page *page =
		entry_is_table(level, entry) ? page_find(tlb, entry_frame(level, entry, false)) : NULL;

	return page ? page->roles[level - 1] : NULL;
}

static void node_mark_globals(struct node *node)
{
	if (node->has_globals)
		return;
	node->has_globals = true;
	for (size_t i = 0; i < node->parents.count; i++)
		node_mark_globals(node->parents.items[i].node);
}

struct node *node_get(struct tlb *tlb, uint64_t gpa, unsigned int level)
{
	struct page *page = page_for_table(tlb, gpa);
	struct node *node;

	if (!page)
		return NULL;
	if (page->roles[level])
		return page->roles[level];
	node = calloc(1, sizeof(*node));
	if (!node) {
		tlb->no_memory = true;
		return NULL;
	}
	node->page = page;
	node->level = level;
	page->roles[level] = node;
	for (unsigned int i = 0; page->is_known && i < PAGE_TABLE_ENTRIES; i++)
		if (page->entries[i])
			node_attach(tlb, node, i);
	return node;
}

void node_attach(struct tlb *tlb, struct node *node, unsigned int index)
{
	uint64_t entry = node->page->entries[index];
	struct node *child;

	if (entry_is_page(tlb, node->level, entry) && (entry & PTE_G))
		node_mark_globals(node);
	if (!entry_is_table(node->level, entry))
		return;
	child = node_get(tlb, entry_frame(node->level, entry, false), node->level - 1);
	if (!child)
		return;
	if (array_push(&child->parents, ((struct parent){ node, index })) < 0)
		tlb->no_memory = true;
	if (child->has_globals)
		node_mark_globals(node);
}

void node_detach(struct tlb *tlb, struct node *node, unsigned int index)
{
	struct node *child = node_below(tlb, node->level, node->page->entries[index]);

	for (size_t i = child ? child->parents.count : 0; i-- > 0;) {
		if (child->parents.items[i].node != node || child->parents.items[i].index != index)
			continue;
		child->parents.items[i] = child->parents.items[--child->parents.count];
		node_release(tlb, child);
		return;
	}
}

static void set_freed(struct tlb *tlb, struct debt *debt, void *context)
{
	(void)tlb;
	(void)context;
	debt->is.was_freed |= debt->is.is_table;
}

void node_release(struct tlb *tlb, struct node *node)
{
	struct page *page = node->page;

	if (node->parents.count || node->contexts || node->holds || node->is_cached)
		return;
	/* The page may be a table below itself, so that its role ends last. */
	for (unsigned int i = 0; i < PAGE_TABLE_ENTRIES; i++)
		if (page->entries[i])
			node_detach(tlb, node, i);
	page->roles[node->level] = NULL;
	free(node->parents.items);
	free(node);
	for (unsigned int level = 1; level <= LEVELS_MAX; level++)
		if (page->roles[level])
			return;
	debts_of_frame(tlb, page->gpa, set_freed, NULL);
	page_forget(tlb, page);
}

void node_hold(struct tlb *tlb, struct node *node)
{
	if (!node)
		return;
	if (array_push(&tlb->held, node) < 0)
		tlb->no_memory = true;
	else
		node->holds++;
}

void nodes_unhold(struct tlb *tlb)
{
	while (tlb->held.count) {
		struct node *node = tlb->held.items[--tlb->held.count];

		node->holds--;
		node_release(tlb, node);
	}
}

/* ---- roots ---- */

static void cached_remove(struct tlb *tlb, struct node *root)
{
	*(root->cached_newer ? &root->cached_newer->cached_older : &tlb->cached_newest) = root->cached_older;
	*(root->cached_older ? &root->cached_older->cached_newer : &tlb->cached_oldest) = root->cached_newer;
	root->cached_older = root->cached_newer = NULL;
	root->is_cached = false;
	tlb->cached_count--;
}

static void cached_add(struct tlb *tlb, struct node *root)
{
	root->is_cached = true;
	root->cached_older = tlb->cached_newest;
	*(root->cached_older ? &root->cached_older->cached_newer : &tlb->cached_oldest) = root;
	tlb->cached_newest = root;
	tlb->cached_count++;
}

void root_take(struct tlb *tlb, struct node *root)
{
	if (root->is_cached)
		cached_remove(tlb, root);
	root->contexts++;
}

void root_leave(struct tlb *tlb, struct node *root)
{
	struct node *oldest;

	if (--root->contexts)
		return;
	if (!tlb->config.limits.roots) {
		node_release(tlb, root);
		return;
	}
	cached_add(tlb, root);
	if (tlb->cached_count <= tlb->config.limits.roots)
		return;
	oldest = tlb->cached_oldest;
	cached_remove(tlb, oldest);
	node_release(tlb, oldest);
}

bool root_drop(struct tlb *tlb, struct page *page)
{
	for (unsigned int level = 1; level <= LEVELS_MAX; level++)
		if (page->roles[level] &&
		    (!page->roles[level]->is_cached || page->roles[level]->parents.count))
			return false;
	for (unsigned int level = 4; level <= LEVELS_MAX; level++) {
		struct node *root = page->roles[level];
		bool is_last = !page->roles[9 - level];

		if (!root)
			continue;
		cached_remove(tlb, root);
		node_release(tlb, root);
		if (is_last)
			return true;
	}
	return true;
}

void pages_destroy(struct tlb *tlb)
{
	for (unsigned int i = 0; i < PAGE_BUCKETS; i++)
		for (struct page *page = tlb->pages[i], *next; page; page = next) {
			next = page->next;
			for (unsigned int level = 1; level <= LEVELS_MAX; level++) {
				if (page->roles[level])
					free(page->roles[level]->parents.items);
				free(page->roles[level]);
			}
			free(page);
		}
}
