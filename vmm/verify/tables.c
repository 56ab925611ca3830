/* SPDX-License-Identifier: MIT */
/*
 * tables.c: V6. Every page-table page is in RAM, is pointed to by one entry, is owned as a page table, and is
 * writable only through the direct map or, if made during boot, through the image. No cycle and no reserved
 * bit.
 */
#include "verify/check.h"

#include <inttypes.h>

static bool is_ram(const struct facts *facts, uint64_t pfn)
{
	for (unsigned int i = 0; i < facts->owners.memory_count; i++)
		if (pfn >= facts->owners.memory[i].start && pfn < facts->owners.memory[i].end)
			return true;
	return false;
}

static void check_owner(struct check *check, const struct keyed *table)
{
	const struct facts *facts = check->facts;
	uint64_t pfn = table->key >> KVMAP_PAGE_SHIFT;
	const struct claim_page *page = claims_page(facts->claims, pfn);
	struct finding *finding;

	if (page && page->owner == PAGE_TABLE && is_ram(facts, pfn))
		return;
	finding = finding_new_frame(check, table->key);
	finding_claimed(finding, "frame 0x%" PRIx64 ": %s", pfn,
			is_ram(facts, pfn) ? "RAM, but its struct page names no page table" : "not RAM");
	finding_found(finding, "a page table of level %" PRIu32, table->size);
	finding_where(finding, "frame 0x%" PRIx64, pfn);
}

/* Reports a page-table page that is also a frame of an area. */
static void check_area_frame(struct check *check, const struct keyed *table)
{
	const struct keyed *frame = facts_area_frame(check->facts, table->key, KVMAP_PAGE_SIZE);
	struct finding *finding;

	if (!frame)
		return;
	finding = finding_new_frame(check, table->key);
	finding_claimed(finding, "page %" PRIu32 " of an area", frame->size);
	finding_found(finding, "a page table of level %" PRIu32, table->size);
	finding_where_area(finding, check, &check->facts->claims->areas.items[OWNER_INDEX(frame->tag)]);
}

static void check_reached_once(struct check *check, size_t i)
{
	const struct keyed *table = &check->facts->tables.items[i];
	struct finding *finding;

	if (!i || table[-1].key != table->key)
		return;
	finding = finding_new_frame(check, table->key);
	finding_claimed(finding, "a page table is reached once");
	finding_found(finding, "reached at level %" PRIu32 " and at level %" PRIu32, table[-1].size,
		      table->size);
	finding_where(finding, "frame 0x%" PRIx64, table->key >> KVMAP_PAGE_SHIFT);
}

/* Reports other writable leaves that map a page-table page; check_area_frame() covers pages of areas. */
static void check_writable(struct check *check)
{
	const struct facts *facts = check->facts;

	for (size_t i = 0; i < facts->leaves.count; i++) {
		const struct leaf *leaf = &facts->leaves.items[i];
		const struct keyed *table;
		struct finding *finding;

		if (!(leaf->rights & RIGHT_W) || leaf->role == LEAF_DIRECT || leaf->role == LEAF_IMAGE ||
		    leaf->role == LEAF_CLAIMED)
			continue;
		table = facts_table(facts, leaf->gpa, leaf_size(leaf));
		if (!table)
			continue;
		finding = finding_new_frame(check, table->key);
		finding_claimed(finding, "a page table of level %" PRIu32 ", not mapped as data",
				table->size);
		finding_found(finding, "mapped at 0x%" PRIx64 ", %s", leaf->gva, RIGHTS_TEXT(leaf->rights));
		finding_where_gva(finding, check, leaf->gva);
	}
}

static void check_damages(struct check *check)
{
	const struct facts *facts = check->facts;
	struct finding *finding;

	for (size_t i = 0; i < facts->damages.count; i++) {
		const struct walk_leaf *entry = &facts->damages.items[i].entry;

		finding = finding_new_pages(
			check, entry->gva,
			&(struct finding_pages){ entry->gva, entry->size, "entry",
						 (unsigned int)facts->damages.items[i].stop << 8 |
							 entry->level });
		finding_claimed(finding, "an entry that leads to a page or a table");
		finding_found(finding, "0x%016" PRIx64 ": %s", entry->entry,
			      walk_stop_text(facts->damages.items[i].stop));
		finding_where(finding, "level %u, table at GPA 0x%" PRIx64, entry->level, entry->table);
	}
	if (!facts->cut_short)
		return;
	finding = finding_new(check, facts->input->mode->root);
	finding_claimed(finding, "tables in proportion to memory");
	finding_found(finding, "more; the walk was ended after %zu tables, %zu leaves", facts->tables.count,
		      facts->leaves.count);
	finding_where(finding, "from CR3");
}

void check_tables(struct check *check)
{
	const struct facts *facts = check->facts;

	check->result->checked += facts->tables.count;
	check_damages(check);
	for (size_t i = 0; i < facts->tables.count; i++) {
		check_reached_once(check, i);
		if (!facts->claims)
			continue;
		check_owner(check, &facts->tables.items[i]);
		check_area_frame(check, &facts->tables.items[i]);
	}
	check_writable(check);
}
