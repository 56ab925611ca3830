/* SPDX-License-Identifier: MIT */
/*
 * diff_json.c: `diff SOURCE SOURCE`, as JSON lines.
 */
#include "inspect/address.h"
#include "kvmap/layout.h"
#include "report/diff_parts.h"
#include "report/json.h"
#include "report/text.h"

/* null: not mapped */
static struct json_object *page_object(const struct diff_page *page)
{
	struct json_object *object;

	if (!page->page_size)
		return NULL;
	object = json_object_new_object();
	json_add_string(object, "rights", RIGHTS_TEXT(page->rights));
	json_add_number(object, "page_size", page->page_size);
	json_add_number(object, "pat_index", page->pat_index);
	json_add_hex(object, "gpa", page->gpa);
	return object;
}

static void emit_ranges(struct report *report, const struct report_diff *diff)
{
	for (size_t i = 0; i < diff->tables->ranges.count; i++) {
		const struct diff_range *range = &diff->tables->ranges.items[i];
		struct json_object *line = json_start(report, "diff_range");
		struct json_object *changes = json_object_new_array();
		char location[400];

		for (unsigned int change = 0; change < DIFF_CHANGES; change++)
			if (range->changes & 1u << change)
				json_object_array_add(changes, json_text(diff_change_name(change)));
		json_add_hex(line, "address", range->gva);
		json_add_number(line, "size", range->size);
		json_object_object_add(line, "changes", changes);
		json_object_object_add(line, "before", page_object(&range->before));
		json_object_object_add(line, "after", page_object(&range->after));
		json_add_string(line, "is", diff_location(diff, range, location, sizeof(location)));
		json_finish(report, line);
	}
}

static void emit_not_compared(struct report *report, const struct diff_tables *tables)
{
	for (size_t i = 0; i < tables->not_compared.count; i++) {
		struct json_object *line = json_start(report, "diff_not_compared");

		json_add_hex(line, "address", tables->not_compared.items[i].gva);
		json_add_number(line, "size", tables->not_compared.items[i].size);
		json_finish(report, line);
	}
}

static void emit_entries(struct report *report, const struct report_diff *diff)
{
	for (size_t i = 0; diff->entries && i < diff->tables->entries.count; i++) {
		const struct diff_entry *entry = &diff->tables->entries.items[i];
		struct json_object *line = json_start(report, "diff_entry");

		json_add_hex(line, "address", entry->gva);
		json_add_number(line, "level", entry->level);
		json_add_number(line, "index", entry->index);
		json_add_hex(line, "table_before", entry->table_before);
		json_add_hex(line, "table_after", entry->table_after);
		json_add_hex(line, "before", entry->before);
		json_add_hex(line, "after", entry->after);
		json_finish(report, line);
	}
}

/* The numbers of an area that changed, beside its size. */
static void add_numbers(struct json_object *line, const struct diff_area *change)
{
	if (change->changes & 1u << DIFF_AREA_VM_SIZE) {
		json_add_number(line, "vm_struct_size_before", change->before->size);
		json_add_number(line, "vm_struct_size_after", change->after->size);
	}
	if (change->changes & 1u << DIFF_AREA_PAGES) {
		json_add_number(line, "pages_before", change->before->nr_pages);
		json_add_number(line, "pages_after", change->after->nr_pages);
	}
	if (change->changes & 1u << DIFF_AREA_REQUESTED) {
		json_add_number(line, "requested_size_before", change->before->requested_size);
		json_add_number(line, "requested_size_after", change->after->requested_size);
	}
}

static void emit_areas(struct report *report, const struct report_diff *diff)
{
	for (size_t i = 0; diff->areas && i < diff->areas->count; i++) {
		const struct diff_area *change = &diff->areas->items[i];
		const struct claim_area *area = change->after ? change->after : change->before;
		struct json_object *line = json_start(report, "diff_area");
		struct json_object *changes = json_object_new_array();

		for (unsigned int bit = 0; bit < DIFF_AREA_CHANGES; bit++)
			if (change->changes & 1u << bit)
				json_object_array_add(changes, json_text(diff_area_change_name(bit)));
		json_add_hex(line, "address", area->va_start);
		json_object_object_add(line, "changes", changes);
		if (change->before)
			json_add_number(line, "size_before", claim_area_bytes(change->before));
		if (change->after)
			json_add_number(line, "size_after", claim_area_bytes(change->after));
		add_numbers(line, change);
		json_finish(report, line);
	}
}

static void emit_contents(struct report *report, const struct report_diff *diff)
{
	for (size_t i = 0; diff->contents && i < diff->contents->count; i++) {
		const struct diff_contents_run *run = &diff->contents->items[i];
		struct json_object *line = json_start(report, "diff_contents");

		json_add_hex(line, "address", run->gva);
		json_add_number(line, "pages", run->pages);
		json_finish(report, line);
	}
}

static void emit_frames(struct report *report, const struct report_diff *diff)
{
	for (size_t i = 0; i < diff->frames->runs.count; i++) {
		const struct diff_frames_run *run = &diff->frames->runs.items[i];
		struct json_object *line = json_start(report, "diff_frames");

		json_add_hex(line, "gpa", run->pfn * KVMAP_PAGE_SIZE);
		json_add_number(line, "frames", run->count);
		json_add_string(line, "before", diff_owner_name(run->before));
		json_add_string(line, "after", diff_owner_name(run->after));
		json_finish(report, line);
	}
}

static void emit_registers(struct report *report, const struct report_diff *diff)
{
	struct diff_register differs;

	for (size_t next = 0; diff_register_next(diff->before->view, diff->after->view, &next, &differs);) {
		struct json_object *line = json_start(report, "diff_register");

		json_add_number(line, "cpu", differs.cpu);
		json_add_string(line, "name", differs.name);
		json_add_hex(line, "before", differs.before);
		json_add_hex(line, "after", differs.after);
		json_finish(report, line);
	}
}

static void emit_sum(struct report *report, const struct report_diff *diff)
{
	struct json_object *line = json_start(report, "diff"), *pages = json_object_new_object();
	struct json_object *entries = json_object_new_array();

	for (unsigned int change = 0; change < DIFF_CHANGES; change++)
		json_add_number(pages, diff_change_name(change), diff->tables->by_change[change]);
	for (unsigned int level = 1; level <= 5; level++)
		json_object_array_add(entries, json_object_new_uint64(diff->tables->by_level[level]));
	json_add_number(line, "ranges", diff->tables->range_count);
	json_add_number(line, "pages", diff->tables->pages);
	json_object_object_add(line, "pages_by_change", pages);
	json_object_object_add(line, "entries_by_level", entries);
	if (diff->areas)
		json_add_number(line, "areas", diff->areas->count);
	if (diff->contents) {
		json_add_number(line, "contents_pages", diff->contents->pages);
		json_add_number(line, "contents_compared", diff->contents->compared);
	}
	json_add_number(line, "frames", diff->frames->frames);
	json_add_string(line, "frames_from", diff->frames_from_claims ? "claims" : "tables");
	json_add_not_known(line, "not_known_before", diff_not_known(diff->before->view, diff->after->view));
	json_add_not_known(line, "not_known_after", diff_not_known(diff->after->view, diff->before->view));
	json_add_number(line, "cpus_before", diff->before->view->cpu_count);
	json_add_number(line, "cpus_after", diff->after->view->cpu_count);
	json_add_bool(line, "cut_short", diff->tables->cut_short);
	json_add_number(line, "ranges_not_listed", diff->tables->range_count - diff->tables->ranges.count);
	json_add_number(line, "bytes_not_compared", diff->tables->bytes_not_compared);
	json_finish(report, line);
}

void diff_json(struct report *report, const struct report_diff *diff)
{
	emit_ranges(report, diff);
	emit_not_compared(report, diff->tables);
	emit_entries(report, diff);
	emit_areas(report, diff);
	emit_contents(report, diff);
	emit_frames(report, diff);
	emit_registers(report, diff);
	emit_sum(report, diff);
}
