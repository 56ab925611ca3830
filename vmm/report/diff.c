/* SPDX-License-Identifier: MIT */
/*
 * diff.c: `diff SOURCE SOURCE`, as text.
 */
#include "base/number.h"
#include "base/page.h"
#include "base/strbuf.h"
#include "inspect/address.h"
#include "kvmap/layout.h"
#include "report/diff_parts.h"
#include "report/pte.h"
#include "report/text.h"

#include <inttypes.h>

#define LISTED 40 /* lines of a list, without --all */

const char *diff_owner_name(unsigned int kind)
{
	return kind == DIFF_NO_MEMORY ? "no memory" : frame_kinds[kind].name;
}

const char *diff_location(const struct report_diff *diff, const struct diff_range *range, char *out,
			  size_t size)
{
	const struct diff_side *side = range->after.page_size ? diff->after : diff->before;

	return address_explain(range->gva, side->claims, diff->symbols, out, size);
}

/* The number of items that are listed, of `count`. */
static size_t listed(const struct report_diff *diff, size_t count)
{
	return diff->all || count < LISTED ? count : LISTED;
}

/* The items that are not shown: of the list, and of `all` that are not in the list. */
static void show_rest(struct report *report, uint64_t shown, uint64_t listed, uint64_t all)
{
	char more[40];

	if (shown < listed)
		text_line(report, PAINT_FAINT, 2, 2, "and %s more (--all lists them)",
			  text_count(listed - shown, more, sizeof(more)));
	if (listed < all)
		text_line(report, PAINT_FAINT, 2, 2, "and %s more%s",
			  text_count(all - listed, more, sizeof(more)),
			  listed < DIFF_LISTED_MAX ? ", where a table is mapped again" : "");
}

/* ---- ranges ---- */

/* "rw- 4K GPA 0x1000" */
static const char *page_text(const struct diff_page *page, char *out, size_t size)
{

	snprintf(out, size, "%s %s GPA 0x%" PRIx64, RIGHTS_TEXT(page->rights),
		 page_size_name(page->page_size), page->gpa);
	return out;
}

static void show_range(struct report *report, const struct report_diff *diff, const struct diff_range *range)
{
	char size[40], before[80], after[80], location[400], changes[80];
	struct strbuf list = STRBUF(changes);

	for (unsigned int i = 0; i < DIFF_CHANGES; i++)
		if (range->changes & 1u << i)
			strbuf_add_item(&list, ", ", "%s", diff_change_name(i));
	page_text(&range->before, before, sizeof(before));
	page_text(&range->after, after, sizeof(after));
	text_line(
		report, PAINT_PLAIN, 2, 6, "0x%016" PRIx64 "  %10s  %-9s %s%s%s: %s", range->gva,
		number_bytes(range->size, size, sizeof(size)), changes, range->before.page_size ? before : "",
		range->before.page_size && range->after.page_size ? " -> " : "",
		range->after.page_size ? after : "", diff_location(diff, range, location, sizeof(location)));
}

static void show_ranges(struct report *report, const struct report_diff *diff)
{
	const struct diff_tables *tables = diff->tables;
	size_t count = listed(diff, tables->ranges.count);
	char pages[40], ranges[40], text[40];

	text_heading(report, "Mappings");
	text_line(report, PAINT_PLAIN, 2, 2, "%s in %s",
		  text_number_of(tables->pages, "page", pages, sizeof(pages)),
		  text_number_of(tables->range_count, "range", ranges, sizeof(ranges)));
	for (unsigned int i = 0; i < DIFF_CHANGES; i++)
		if (tables->by_change[i])
			text_line(report, PAINT_PLAIN, 2, 2, "%12s  %s",
				  text_count(tables->by_change[i], text, sizeof(text)), diff_change_name(i));
	for (size_t i = 0; i < count; i++)
		show_range(report, diff, &tables->ranges.items[i]);
	show_rest(report, count, tables->ranges.count, tables->range_count);
}

/* The addresses that the limit of tables left out. */
static void show_not_compared(struct report *report, const struct report_diff *diff)
{
	const struct diff_tables *tables = diff->tables;
	size_t count = listed(diff, tables->not_compared.count);
	char size[40], ranges[40];

	text_line(report, PAINT_BAD, 0, 2,
		  "THE WALK WAS CUT SHORT at its limit of tables: %s of addresses in %s are not compared:",
		  number_bytes(tables->bytes_not_compared, size, sizeof(size)),
		  text_number_of(tables->not_compared.count, "range", ranges, sizeof(ranges)));
	for (size_t i = 0; i < count; i++) {
		const struct diff_extent *extent = &tables->not_compared.items[i];

		text_line(report, PAINT_BAD, 2, 6, "0x%016" PRIx64 "  %10s", extent->gva,
			  number_bytes(extent->size, size, sizeof(size)));
	}
	show_rest(report, count, tables->not_compared.count, tables->not_compared.count);
}

/* ---- entries ---- */

static void show_entry(struct report *report, const struct diff_entry *entry)
{
	char tables[60];

	if (entry->table_before == entry->table_after)
		snprintf(tables, sizeof(tables), "0x%" PRIx64, entry->table_before);
	else
		snprintf(tables, sizeof(tables), "0x%" PRIx64 " -> 0x%" PRIx64, entry->table_before,
			 entry->table_after);
	text_line(report, PAINT_PLAIN, 2, 6,
		  "0x%016" PRIx64 "  %-4s %3u of %s: 0x%016" PRIx64 " -> 0x%016" PRIx64, entry->gva,
		  entry_level_name(entry->level), entry->index, tables, entry->before, entry->after);
}

static void show_entries(struct report *report, const struct report_diff *diff)
{
	const struct diff_tables *tables = diff->tables;
	uint64_t all = 0;
	char text[40];

	text_heading(report, "Entries of page tables");
	for (unsigned int level = 5; level >= 1; level--) {
		all += tables->by_level[level];
		if (tables->by_level[level])
			text_line(report, PAINT_PLAIN, 2, 2, "%12s  of level %u, %s",
				  text_count(tables->by_level[level], text, sizeof(text)), level,
				  entry_level_name(level));
	}
	if (!diff->entries)
		return;
	for (size_t i = 0; i < listed(diff, tables->entries.count); i++)
		show_entry(report, &tables->entries.items[i]);
	show_rest(report, listed(diff, tables->entries.count), tables->entries.count, all);
}

/* ---- areas ---- */

static const char *count_or_none(uint64_t count, char *out, size_t size)
{
	return count ? text_count(count, out, size) : "none";
}

/* "64 KiB", "64 KiB -> 128 KiB", "64 KiB, pages 16 -> none": the size, and the numbers that changed. */
static const char *area_numbers(const struct diff_area *change, char *out, size_t size)
{
	const struct claim_area *before = change->before, *area = change->after ? change->after : before;
	struct strbuf text = strbuf_of(out, size);
	char one[40], other[40];

	if (change->changes & 1u << DIFF_AREA_EXTENT)
		strbuf_add(&text, "%s -> ", number_bytes(claim_area_bytes(before), one, sizeof(one)));
	strbuf_add(&text, "%s", number_bytes(claim_area_bytes(area), one, sizeof(one)));
	if (change->changes & 1u << DIFF_AREA_VM_SIZE)
		strbuf_add(&text, ", vm_struct size %s -> %s", number_bytes(before->size, one, sizeof(one)),
			   number_bytes(area->size, other, sizeof(other)));
	if (change->changes & 1u << DIFF_AREA_PAGES)
		strbuf_add(&text, ", pages %s -> %s", count_or_none(before->nr_pages, one, sizeof(one)),
			   count_or_none(area->nr_pages, other, sizeof(other)));
	if (change->changes & 1u << DIFF_AREA_REQUESTED)
		strbuf_add(&text, ", requested size %s -> %s",
			   number_bytes(before->requested_size, one, sizeof(one)),
			   number_bytes(area->requested_size, other, sizeof(other)));
	return out;
}

const char *report_area_changes(unsigned int changes, char *out, size_t size)
{
	struct strbuf list = strbuf_of(out, size);

	for (unsigned int i = 0; i < DIFF_AREA_CHANGES; i++)
		if (changes & 1u << i)
			strbuf_add_item(&list, ", ", "%s", diff_area_change_name(i));
	return out;
}

static void show_area(struct report *report, const struct report_diff *diff, const struct diff_area *change)
{
	const struct claim_area *area = change->after ? change->after : change->before;
	char caller[300], changes[160], numbers[240];

	text_line(report, PAINT_PLAIN, 2, 6, "0x%016" PRIx64 "  %s: %s%s", area->va_start,
		  report_area_changes(change->changes, changes, sizeof(changes)),
		  area_numbers(change, numbers, sizeof(numbers)),
		  address_caller(area, diff->symbols, caller, sizeof(caller)));
}

static void show_areas(struct report *report, const struct report_diff *diff)
{
	size_t count = listed(diff, diff->areas->count);

	text_heading(report, "Areas");
	for (size_t i = 0; i < count; i++)
		show_area(report, diff, &diff->areas->items[i]);
	show_rest(report, count, diff->areas->count, diff->areas->count);
}

/* ---- contents ---- */

static void show_contents(struct report *report, const struct report_diff *diff)
{
	const struct diff_contents *contents = diff->contents;
	size_t count = listed(diff, contents->count);
	char pages[40], compared[40], location[400];

	text_heading(report, "Contents of areas");
	text_line(report, PAINT_PLAIN, 2, 2, "contents differ in %s of %s that both sources map",
		  text_count(contents->pages, pages, sizeof(pages)),
		  text_number_of(contents->compared, "page", compared, sizeof(compared)));
	for (size_t i = 0; i < count; i++) {
		const struct diff_contents_run *run = &contents->items[i];

		text_line(report, PAINT_PLAIN, 2, 6, "0x%016" PRIx64 "  %s: %s", run->gva,
			  text_number_of(run->pages, "page", pages, sizeof(pages)),
			  address_explain(run->gva, diff->after->claims, diff->symbols, location,
					  sizeof(location)));
	}
	show_rest(report, count, contents->count, contents->count);
}

/* ---- frames ---- */

static void show_frames(struct report *report, const struct report_diff *diff)
{
	char count[40], runs[40], frames[40];

	text_heading(report, diff->frames_from_claims ? "Owners of frames, as claimed"
						      : "Frames, as the tables show them");
	for (unsigned int from = 0; from <= FRAME_KINDS; from++)
		for (unsigned int to = 0; to <= FRAME_KINDS; to++)
			if (diff->frames->moves[from][to].frames)
				text_line(report, PAINT_PLAIN, 2, 2, "%12s  in %s: %s -> %s",
					  text_count(diff->frames->moves[from][to].frames, count,
						     sizeof(count)),
					  text_number_of(diff->frames->moves[from][to].runs, "run", runs,
							 sizeof(runs)),
					  diff_owner_name(from),
					  from == to ? "another of that kind" : diff_owner_name(to));
	for (size_t i = 0; diff->all && i < diff->frames->runs.count; i++) {
		const struct diff_frames_run *run = &diff->frames->runs.items[i];

		text_line(report, PAINT_PLAIN, 2, 6, "GPA 0x%010" PRIx64 "  %s: %s -> %s",
			  run->pfn * KVMAP_PAGE_SIZE,
			  text_number_of(run->count, "frame", frames, sizeof(frames)),
			  diff_owner_name(run->before), diff_owner_name(run->after));
	}
}

/* ---- registers ---- */

/* Names what is not compared: registers of enum view_lacks that are not known of `whom`. */
static void show_not_known(struct report *report, const char *whom, unsigned int lacks)
{
	char names[80];

	if (lacks)
		text_line(report, PAINT_PLAIN, 2, 6, "not compared: %s: not known of %s%s",
			  view_lacks_text(lacks, names, sizeof(names)), whom,
			  lacks & VIEW_LACKS_EFER ? " (efer is assumed)" : "");
}

static void show_registers(struct report *report, const struct report_diff *diff)
{
	const struct view *before = diff->before->view, *after = diff->after->view;
	unsigned int first = diff_not_known(before, after), second = diff_not_known(after, before);
	bool heading = first || second || before->cpu_count != after->cpu_count;
	struct diff_register differs;

	if (heading)
		text_heading(report, "Registers");
	for (size_t next = 0; diff_register_next(before, after, &next, &differs);) {
		if (!heading)
			text_heading(report, "Registers");
		heading = true;
		text_line(report, PAINT_PLAIN, 2, 2, "CPU %u  %-7s  0x%016" PRIx64 " -> 0x%016" PRIx64,
			  differs.cpu, differs.name, differs.before, differs.after);
	}
	show_not_known(report, "both sources", first & second);
	show_not_known(report, "the first source", first & ~second);
	show_not_known(report, "the second source", second & ~first);
	if (before->cpu_count != after->cpu_count)
		text_line(report, PAINT_PLAIN, 2, 6,
			  "not compared: CPUs of one source alone: the first has %u, the second %u",
			  before->cpu_count, after->cpu_count);
}

void report_diff(struct report *report, const struct report_diff *diff)
{
	const struct diff_tables *tables = diff->tables;
	uint64_t entries = 0;

	if (report->format == REPORT_JSON) {
		diff_json(report, diff);
		return;
	}
	for (unsigned int level = 1; level <= 5; level++)
		entries += tables->by_level[level];
	if (tables->cut_short)
		show_not_compared(report, diff);
	else if (!tables->pages && !entries && !diff->frames->frames && !(diff->areas && diff->areas->count))
		text_line(report, PAINT_GOOD, 0, 2,
			  "The same is mapped, by the same entries; frames%s have the same owners.",
			  diff->areas ? " and areas" : "");
	if (diff->contents && !diff->contents->pages)
		text_line(report, PAINT_GOOD, 0, 2, "Areas have the same contents.");
	if (tables->pages)
		show_ranges(report, diff);
	if (entries)
		show_entries(report, diff);
	if (diff->areas && diff->areas->count)
		show_areas(report, diff);
	if (diff->contents && diff->contents->pages)
		show_contents(report, diff);
	if (diff->frames->frames)
		show_frames(report, diff);
	show_registers(report, diff);
}
